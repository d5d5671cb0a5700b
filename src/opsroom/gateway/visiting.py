"""Who comes through the MCP door, and what they ask; light, unlike the door itself."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from opsroom.agents.queries import Manifest
from opsroom.kit.db import Actor

from .model import SESSION_LIMIT, CallMeta

SESSION = "mcp-session-id"
TURN = "opsroom-turn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who came through the door, as which agent, and what that agent is.

    `session` is what an older client calls its conversation.
    """

    actor: Actor
    agent: str
    environment: str
    manifest: Manifest
    session: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool that a model wants called."""

    tool: str
    arguments: Mapping[str, Any]
    meta: CallMeta


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What became of a call: the outcome as plain data, and the turn that it belongs to."""

    turn: str
    outcome: Mapping[str, Any]


Act = Callable[[Visit, Call], Awaitable[Acted]]


class Answers(Protocol):
    """A door that is open, or opens when it is first knocked at."""

    def answer(self, visit: Visit) -> Response: ...


def session_of(request: Request) -> str:
    """What an older client calls its conversation, cut to a length that can be kept."""
    return request.headers.get(SESSION, "")[:SESSION_LIMIT]
