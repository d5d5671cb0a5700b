"""Answers that wait: for what they are asked to wait for, and not for who has gone."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from opsroom.web.waiting import until


class Caller:
    """The other end of a request: sends nothing more, until it hangs up."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.asked = self.interrupted = 0
        app = Starlette()
        app.state.closing = asyncio.Event()
        self.request = Request({"type": "http", "app": app}, self._receive)

    async def _receive(self) -> dict[str, Any]:
        self.asked += 1
        if self.asked == 1:
            return {"type": "http.request", "body": b"", "more_body": False}
        try:
            await self.gone.wait()
        except asyncio.CancelledError:
            self.interrupted += 1
            raise
        return {"type": "http.disconnect"}


def counting(upto: int) -> tuple[list[int], Callable[[], int]]:
    """What has been looked at, and a look that counts; the last look is left to the test."""
    seen: list[int] = []

    def look() -> int:
        seen.append(len(seen) + 1)
        assert len(seen) <= upto, "looked at again although nobody waits"
        return len(seen)

    return seen, look


def test_it_answers_at_once_where_there_is_nothing_to_wait_for() -> None:
    async def main() -> None:
        seen, look = counting(1)
        assert await until(Caller().request, look, settled=lambda _: True, seconds=60) == 1
        assert await until(Caller().request, lambda: 7, settled=lambda _: False, seconds=0) == 7
        assert seen == [1]

    asyncio.run(main())


def test_it_answers_once_things_have_settled_and_asks_the_server_only_once() -> None:
    async def main() -> None:
        caller = Caller()
        _, look = counting(3)
        assert await until(caller.request, look, settled=lambda n: n == 3, seconds=60) == 3
        assert caller.asked == 2, (
            "the body, and one question for the end that stood all the time"
        )
        assert caller.interrupted == 1

    asyncio.run(main())


def test_it_does_not_go_on_for_somebody_who_has_hung_up() -> None:
    async def main() -> None:
        caller = Caller()

        def look() -> str:
            return "pending"

        waiting = asyncio.create_task(
            until(caller.request, look, settled=lambda _: False, seconds=3600)
        )
        await asyncio.sleep(0)
        caller.gone.set()
        assert await asyncio.wait_for(waiting, 30) == "pending"

    asyncio.run(main())


def test_it_ends_with_the_server() -> None:
    async def main() -> None:
        caller = Caller()
        caller.request.app.state.closing.set()
        assert (
            await until(caller.request, lambda: 1, settled=lambda _: False, seconds=3600) == 1
        )

    asyncio.run(main())


def test_what_looking_raises_is_raised() -> None:
    async def main() -> None:
        def look() -> int:
            raise LookupError("it is gone")

        with pytest.raises(LookupError, match="it is gone"):
            await until(Caller().request, look, settled=lambda _: True, seconds=60)

    asyncio.run(main())
