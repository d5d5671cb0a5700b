"""One protocol, two ways to carry it out, the same outcome."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from opsroom.sdk.driving import Ask, Protocol, Rest, Run, TimedOut, arun, run

Carry = Callable[[Protocol[Any]], Any]


@pytest.fixture(params=["sync", "async"])
def carry(request: pytest.FixtureRequest) -> Carry:
    return run if request.param == "sync" else lambda steps: asyncio.run(arun(steps))


async def soon() -> str:
    await asyncio.sleep(0)
    return "soon"


def broken() -> None:
    raise LookupError("gone")


def everything() -> Protocol[list[Any]]:
    said = [(yield Ask(ask=lambda: "asked")), (yield Ask(ask=lambda: "waited", long=True))]
    said.append((yield Run(call=lambda: "plain", awaits=False)))
    said.append((yield Run(call=soon, awaits=True)))
    yield Rest(0.001)
    try:
        yield Run(call=broken, awaits=False)
    except LookupError as error:
        said.append(str(error))
    try:
        yield Ask(ask=broken, long=True)
    except LookupError as error:
        said.append(str(error))
    return said


def test_steps_are_carried_out_in_order(carry: Carry) -> None:
    assert carry(everything()) == ["asked", "waited", "plain", "soon", "gone", "gone"]


def test_a_coroutine_is_stopped_in_time(carry: Carry) -> None:
    def steps() -> Protocol[str]:
        try:
            yield Run(call=lambda: asyncio.sleep(30), awaits=True, timeout=0.02)
        except TimedOut:
            return "stopped"
        return "let run"

    assert carry(steps()) == "stopped"


def test_a_timeout_of_the_function_itself_is_its_own_error(carry: Carry) -> None:
    async def impatient() -> None:
        raise TimeoutError("of my own")

    def steps() -> Protocol[str]:
        try:
            yield Run(call=impatient, awaits=True, timeout=30)
        except TimeoutError as error:
            return str(error)
        return "no error"

    assert carry(steps()) == "of my own"


def test_without_a_loop_a_plain_function_runs_here_and_to_its_end() -> None:
    def steps() -> Protocol[Any]:
        def slow() -> int:
            time.sleep(0.05)
            return threading.get_ident()

        return (yield Run(call=slow, awaits=False, timeout=0.001))

    assert run(steps()) == threading.get_ident()


def test_an_answer_that_nobody_waits_for_is_not_lost() -> None:
    """Its asker was cancelled, but the server has granted something."""
    late: list[str] = []
    told = asyncio.Event()
    may_answer = threading.Event()

    def tell(answer: str) -> None:
        late.append(answer)
        told.set()

    def steps() -> Protocol[None]:
        yield Ask(ask=lambda: may_answer.wait(5) and "granted", late=tell)

    async def main() -> None:
        asking = asyncio.create_task(arun(steps()))
        await asyncio.sleep(0.02)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        may_answer.set()
        await asyncio.wait_for(told.wait(), 5)

    asyncio.run(main())
    assert late == ["granted"]
