"""The client that programs, agents and our own command line use; light to import.

`prompt()`, `resolve()` and `turn()` ask the opsroom that the environment names; make an
`Opsroom` to ask another one, or to do more.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from .client import Opsroom
from .errors import NotOpsroom, RemoteError, Unreachable
from .prompts import Prompt
from .resolving import Resolution

if TYPE_CHECKING:
    from decimal import Decimal

    from .acting import Action, action
    from .adapters import (
        answer_mcp_call,
        answer_tool_calls,
        answer_tool_calls_sync,
        deferred_results,
    )
    from .approvals import Answer, Approval
    from .outcomes import (
        Deferred,
        Denied,
        Done,
        Failed,
        NotDone,
        Outcome,
        Pending,
        Recommended,
        Unknown,
    )
    from .turns import Turn
    from .webhooks import verify_webhook

__all__ = [
    "Action",
    "Answer",
    "Approval",
    "Deferred",
    "Denied",
    "Done",
    "Failed",
    "NotDone",
    "NotOpsroom",
    "Opsroom",
    "Outcome",
    "Pending",
    "Prompt",
    "Recommended",
    "RemoteError",
    "Resolution",
    "Turn",
    "Unknown",
    "Unreachable",
    "action",
    "answer_mcp_call",
    "answer_tool_calls",
    "answer_tool_calls_sync",
    "approval",
    "deferred_results",
    "feedback",
    "override",
    "prompt",
    "resolve",
    "resume",
    "resume_sync",
    "turn",
    "verify_webhook",
]

# What only agents that act need, by the module that has it.
_LATER = {
    "acting": ("Action", "action"),
    "adapters": (
        "answer_mcp_call",
        "answer_tool_calls",
        "answer_tool_calls_sync",
        "deferred_results",
    ),
    "approvals": ("Answer", "Approval"),
    "outcomes": (
        "Deferred",
        "Denied",
        "Done",
        "Failed",
        "NotDone",
        "Outcome",
        "Pending",
        "Recommended",
        "Unknown",
    ),
    "turns": ("Turn",),
    "webhooks": ("verify_webhook",),
}
_MODULE_OF = {name: module for module, names in _LATER.items() for name in names}
_stand_ins: list[Opsroom] = []
T = TypeVar("T")


def __getattr__(name: str) -> Any:
    if (module := _MODULE_OF.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = found
    return found


def default() -> Opsroom:
    """The client of this process, for programs that need no other; within a test's
    `testing.fake()`, the one of that.
    """
    return _stand_ins[-1] if _stand_ins else _own()


@cache
def _own() -> Opsroom:
    return Opsroom()


def prompt(
    name: str,
    label: str | None = None,
    version: int | None = None,
    fallback: str | dict[str, Any] | None = None,
) -> Prompt:
    """A prompt at a label (that of `OPSROOM_ENVIRONMENT`, or production), or one exact version;
    `fallback` if nothing else is to be had. `name` may be a URI of MLflow, `prompts:/name@label`
    or `prompts:/name/3`.
    """
    return default().prompt(name, label, version, fallback)


def resolve(
    agent: str, subject: str, *, kind: str = "agent", environment: str | None = None
) -> Resolution:
    """Which version of an agent serves a subject now."""
    return default().resolve(agent, subject, kind=kind, environment=environment)


def turn(
    agent: str,
    *,
    intent: str,
    subject: str = "",
    session: str = "",
    human: str = "",
    messages: Iterable[Mapping[str, Any]] = (),
    deadline: str | float | timedelta | None = None,
    environment: str | None = None,
    trace: str = "",
    client: Opsroom | None = None,
) -> "Turn":
    """One task that an agent handles; for `with` and for `async with`.

    `human` is whom the agent represents, `subject` whom or what the task is about. `messages`
    is the conversation so far, in the form of chat completions: in it, what the user said
    counts as the user's own words. `deadline` (`"90s"`) bounds everything the turn does.
    """
    from . import places
    from .approvals import seconds
    from .pieces import from_messages
    from .turns import Turn

    limit = seconds(deadline)
    opening = {
        "agent": agent,
        "intent": intent,
        "subject": subject,
        "session": session,
        "human": human,
        "environment": environment or places.environment(),
        "deadline_seconds": limit,
        "trace": trace,
    }
    return Turn(client or default(), opening, from_messages(messages), limit)


def approval(id: str, *, client: Opsroom | None = None) -> "Approval":  # noqa: A002  # the word for it
    """What people say to a request: `id` is that of the request, or of its action."""
    from .approvals import Approval

    return Approval(client or default(), id)


async def resume(
    action_id: str, action: "Action[..., Any, T]", *, client: Opsroom | None = None
) -> "Outcome[T]":
    """Do what was approved meanwhile, outside of the turn that proposed it."""
    from .driving import arun
    from .gate import Gate

    return await arun(Gate(client or default()).resume(action_id, action))


def resume_sync(
    action_id: str, action: "Action[..., Any, T]", *, client: Opsroom | None = None
) -> "Outcome[T]":
    from .driving import run
    from .gate import Gate

    return run(Gate(client or default()).resume(action_id, action))


def override(
    *,
    agent: Any,
    human: Any,
    reason: str,
    trace: str = "",
    turn: str = "",
    action: str = "",
    category: str = "",
    asked: Any = None,
    client: Opsroom | None = None,
) -> str:
    """Record that a person decided otherwise than the agent, and why; the record's id.

    `agent` and `human` are what each decided. It is about a `trace`, a `turn` or an `action`;
    `asked` is what the agent was asked, where neither of them says it.
    """
    subject = f"action/{action}" if action else f"turn/{turn}" if turn else f"trace/{trace}"
    body = {
        "subject": subject,
        "agent_decision": agent,
        "human_decision": human,
        "reasoning": reason,
        "trace": trace,
        "category": category,
        "asked": asked,
    }
    return str((client or default()).post("/v1/overrides", body)["id"])


def feedback(
    *,
    turn: str = "",
    action: str = "",
    trace: str = "",
    helpful: bool | None = None,
    accurate: bool | None = None,
    complete: bool | None = None,
    text: str = "",
    confidence: float | None = None,
    sources: Iterable[str] = (),
    reasoning: str = "",
    kpi: str = "",
    value: "Decimal | float | str | None" = None,
    unit: str = "",
    known_at: datetime | None = None,
    by: str = "",
    use_case: str = "",
    agent: str = "",
    version: str = "",
    key: str = "",
    client: Opsroom | None = None,
) -> str:
    """Say what a user, the agent itself or the business thinks of a `trace`, `turn` or `action`.

    A user (`by`) finds it `helpful`, `accurate`, `complete`, or says something (`text`); an
    agent states its `confidence`, `sources` and `reasoning`; the business reports a result
    (`kpi`, `value`, `unit`), known since `known_at`. Which of them speaks follows from what is
    said. The same `key` says it once. Returns the record's id, or nothing where the server is
    away: then it waits on disk, and is delivered later.

    Raises `RemoteError` where the server refuses it, `Unreachable` where it is away and there
    is no room on the disk.
    """
    named = tuple(sources)
    source = "business" if kpi else "user"
    if confidence is not None or reasoning or named:
        source = "agent"
    body = {
        "subject": f"action/{action}"
        if action
        else f"turn/{turn}"
        if turn
        else f"trace/{trace}",
        "source": source,
        "key": key or f"sdk-{uuid4().hex}",
        "by": by,
        "agent": agent,
        "version": version,
        "use_case": use_case,
        "helpful": helpful,
        "accurate": accurate,
        "complete": complete,
        "text": text,
        "confidence": confidence,
        "sources": named,
        "reasoning": reasoning,
        "kpi": kpi,
        "value": None if value is None else str(value),
        "unit": unit,
        "known_at": known_at.isoformat() if known_at else None,
    }
    answer = (client or default()).reports.post("/v1/feedback", body)
    return "" if answer is None else str(answer["id"])
