"""Turning a trace into a case that agents are measured on.

It comes in as a candidate: in a split of its own, so that nothing is measured on it until
somebody has looked at it and moved it.
"""

from dataclasses import dataclass

from pydantic import JsonValue

from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.registry import Kinds

from .errors import NothingKept
from .exchange import Exchange

SPLIT = "candidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Wire):
    """Where the case of a trace is. `added` is false where it was there before."""

    version: str
    item: str
    added: bool


def take(tx: Tx, found: Exchange, dataset: str, *, expected: str | None, kinds: Kinds) -> Taken:
    """Make the next version of `dataset`, with what was asked in the trace as its last item.

    `expected` is what should have come out, empty where nobody knows; None takes what the agent
    answered. Safe to repeat: a trace is in a dataset once. Raises `NothingKept`.
    """
    if not found.asked:
        raise NothingKept(found.trace_id)
    wanted = found.answered if expected is None else expected.strip()
    item = Item(
        id=f"trace-{found.trace_id}",
        input=found.asked,
        expected=wanted or None,
        split=SPLIT,
        tags=(SPLIT,),
        metadata=_metadata(found, wanted),
    )
    source = f"trace/{found.trace_id}"
    version, added = datasets.append(
        tx, dataset, item, kinds=kinds, message=f"a case from {source}", source=source
    )
    return Taken(version=version.ref, item=item.id, added=added)


def _metadata(found: Exchange, wanted: str) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {"trace": found.trace_id}
    if found.agent:
        told |= {"agent": found.agent, "version": found.version}
    if found.answered and found.answered != wanted:
        told["answered"] = found.answered
    return told
