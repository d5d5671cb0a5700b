"""What a type checker knows of outcomes. It is checked with everything else; nothing runs it.

Where a case is forgotten, it says so: the comment that silences it would be refused as
unneeded otherwise.
"""

from dataclasses import dataclass
from typing import assert_never, assert_type

import opsroom


@dataclass
class Posted:
    number: int


@opsroom.action("post_invoice", risk="irreversible")
async def post_invoice(supplier: str, amount: int) -> Posted:
    return Posted(amount)


@opsroom.action("read_invoice", risk="read")
def read_invoice(number: int) -> str:
    return str(number)


async def called(t: opsroom.Turn) -> None:
    assert_type(await t.act(post_invoice, {}), opsroom.Outcome[Posted])
    assert_type(await t.act(read_invoice, {}), opsroom.Outcome[str])
    assert_type(t.act_sync(post_invoice, {}), opsroom.Outcome[Posted])
    assert_type(await opsroom.resume("act_1", post_invoice), opsroom.Outcome[Posted])
    assert_type(await post_invoice("Acme", amount=1), Posted)
    assert_type(read_invoice(7), str)
    read_invoice("seven")  # type: ignore[arg-type]  # a plain call is checked like any other


def everything_thought_of(outcome: opsroom.Outcome[Posted]) -> str:
    match outcome:
        case opsroom.Done(value):
            return str(value.number)
        case opsroom.Denied(reason):
            return reason
        case opsroom.Pending(id_, url):
            return id_ + url
        case opsroom.Unknown(id_) | opsroom.Recommended(id_):
            return id_
        case opsroom.Failed(error):
            return error
        case opsroom.Deferred(until):
            return str(until)
        case _:
            assert_never(outcome)


def pending_forgotten(outcome: opsroom.Outcome[Posted]) -> str:
    match outcome:
        case opsroom.Done(value):
            return str(value.number)
        case opsroom.Denied() | opsroom.Failed() | opsroom.Unknown():
            return "no"
        case opsroom.Recommended() | opsroom.Deferred():
            return "later"
        case _:
            assert_never(outcome)  # type: ignore[arg-type]  # and what of Pending?
