"""What can go wrong between a client and a server."""

from dataclasses import dataclass
from typing import Any

from opsroom.kit.errors import Invalid, Unavailable

EXIT_CODES = {401: 4, 403: 4, 404: 2, 409: 7, 410: 4, 500: 1, 502: 6, 503: 6, 504: 6}


@dataclass(eq=False)
class Unreachable(Unavailable):
    code = "server_unreachable"
    text = "no opsroom answers at {0.url}: {0.why}"
    hint = "start it with `opsroom up`, or say where it is with --url or OPSROOM_URL"
    url: str
    why: str


@dataclass(eq=False)
class NotOpsroom(Unavailable):
    code = "not_opsroom"
    text = "what answers at {0.url} is not opsroom: {0.why}"
    hint = "check the address, and any proxy in between"
    url: str
    why: str


@dataclass(eq=False)
class BrokenAction(Invalid):
    code = "broken_action"
    text = "the action {0.tool!r} has no contract: {0.why}"
    hint = (
        "annotate every parameter; take keyword arguments, or one pydantic model or dataclass"
    )
    tool: str
    why: str


@dataclass(eq=False)
class NotAnAction(Invalid):
    code = "not_an_action"
    text = "{0.what} is no action"
    hint = "put @opsroom.action(name, …) before the function"
    what: str


@dataclass(eq=False)
class NoTurn(Invalid):
    code = "no_turn"
    text = "{0.tool!r} was called outside of a turn"
    hint = "call it inside `with opsroom.turn(agent, intent=…)`, so that it passes the gate"
    tool: str


@dataclass(eq=False)
class NoSuchFinal(Invalid):
    code = "no_such_final"
    text = "a turn cannot end as {0.final!r}"
    hint = "it ends as done, refused, escalated, failed or abandoned"
    final: str


@dataclass(eq=False)
class NobodyAsked(Invalid):
    code = "nobody_asked"
    text = "nobody was asked about {0.action!r}"
    hint = "wait for approvals of actions whose outcome is Pending"
    action: str


@dataclass(eq=False)
class NotATime(Invalid):
    code = "not_a_time"
    text = "{0.given!r} is no length of time"
    hint = 'write seconds, or a number with s, m, h or d, as in "2h"'
    given: str


class RemoteError(Exception):
    """An error that the server answered, with everything it said about it."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str,
        facts: dict[str, Any],
        status: int,
        exit_code: int,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.facts = facts
        self.status = status
        self.exit_code = exit_code

    def as_dict(self) -> dict[str, Any]:
        """The shape that an error has everywhere."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "facts": self.facts,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.as_dict(), self.status, self.exit_code)


def remote_error(body: Any, status: int, exit_code: str | None) -> RemoteError | None:
    """The error in an answer's body; None where the body is none of ours."""
    match body:
        case {"error": {"code": str() as code, "message": str() as message} as error}:
            return RemoteError(
                code,
                message,
                hint=str(error.get("hint", "")),
                facts=dict(error.get("facts") or {}),
                status=status,
                exit_code=int(exit_code) if exit_code else EXIT_CODES.get(status, 2),
            )
        case _:
            return None


def _again(error: dict[str, Any], status: int, exit_code: int) -> RemoteError:
    return RemoteError(
        error["code"],
        error["message"],
        hint=error["hint"],
        facts=error["facts"],
        status=status,
        exit_code=exit_code,
    )
