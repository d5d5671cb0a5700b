"""Waiting for people, for as long as it takes.

An approval is known by its id alone, so the process that waits need not be the one that asked,
and may start over at any time.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from opsroom.kit.errors import Unavailable

from .driving import Ask, Protocol, Rest, arun, run
from .errors import NobodyAsked, NotATime, RemoteError

if TYPE_CHECKING:
    from .client import Opsroom

LOOK = 25.0  # how long one question stays open
SLACK = 10.0
FIRST_REST, LONGEST_REST = 0.5, 15.0
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
GRANTED = frozenset({"approved", "edited", "consumed"})

State: TypeAlias = Literal[
    "pending",
    "approved",
    "edited",
    "rejected",
    "responded",
    "expired",
    "cancelled",
    "consumed",
]
Time: TypeAlias = str | float | timedelta | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What people said. `edited_args` are the arguments that they put in place of the agent's,
    and `text` is what they want to tell it. `state` is `pending` where nobody has answered in
    the time that was waited.
    """

    approved: bool
    edited_args: Mapping[str, Any] | None
    by: str
    reason: str
    state: State
    text: str = ""


class Approval:
    """One request for approval; `id` is that of the request or of its action."""

    def __init__(self, client: "Opsroom", id: str) -> None:  # noqa: A002  # the word for it
        self._client = client
        self.id = id

    async def wait(self, timeout: Time = None) -> Answer:  # noqa: ASYNC109  # hours, and of people
        """The answer, once there is one; after `timeout` (`"2h"`) whatever is known until then.

        Outlasts a server that is away for a while.
        """
        return await arun(self._wait(timeout))

    def wait_sync(self, timeout: Time = None) -> Answer:
        return run(self._wait(timeout))

    def look(self) -> Protocol[Answer]:
        """What is known now, without waiting."""
        request = yield from self._request()
        return _answer((yield self._look(request, 0)))

    def _wait(self, timeout: Time) -> Protocol[Answer]:
        patience = seconds(timeout)
        ends = None if patience is None else time.monotonic() + patience
        rest = FIRST_REST
        request = ""
        while True:
            left = LOOK if ends is None else max(min(LOOK, ends - time.monotonic()), 0.0)
            try:
                request = request or (yield from self._request())
                answer = _answer((yield self._look(request, left)))
                rest = FIRST_REST
            except (Unavailable, RemoteError) as error:
                passing = isinstance(error, Unavailable) or error.status >= 500
                if not passing or (ends is not None and time.monotonic() >= ends):
                    raise
                yield Rest(rest if ends is None else min(rest, max(ends - time.monotonic(), 0)))
                rest = min(2 * rest, LONGEST_REST)
                continue
            over = ends is not None and time.monotonic() >= ends
            if answer.state != "pending" or over:
                return answer

    def _request(self) -> Protocol[str]:
        """The id of the request, which an action knows."""
        if not self.id.startswith("act_"):
            return self.id
        path = f"/v1/actions/{self.id}/record"
        record = yield Ask(ask=lambda: self._client.get(path))
        request = record["action"]["approval"]
        if request is None:
            raise NobodyAsked(self.id)
        return str(request)

    def _look(self, request: str, wait: float) -> Ask:
        return Ask(
            ask=lambda: self._client.call(
                "GET", f"/v1/inbox/{request}", query={"wait": wait}, timeout=wait + SLACK
            ),
            long=True,
        )


def seconds(given: Time) -> float | None:
    """A length of time in seconds: `"2h"`, `90`, a timedelta; None for without end."""
    match given:
        case None:
            return None
        case timedelta():
            return given.total_seconds()
        case str() if given[-1:] in UNITS:
            number, unit = given[:-1], UNITS[given[-1]]
        case _:
            number, unit = str(given), 1.0
    try:
        found = float(number) * unit
    except ValueError:
        raise NotATime(str(given)) from None
    if not 0 <= found < float("inf"):
        raise NotATime(str(given))
    return found


def _answer(shown: Any) -> Answer:
    request = shown["request"]
    return Answer(
        approved=request["state"] in GRANTED,
        edited_args=request["edited"],
        by=request["answered_by"],
        reason=request["reason"],
        state=request["state"],
        text=request["text"],
    )
