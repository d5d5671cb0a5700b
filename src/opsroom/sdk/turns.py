"""A turn: an agent handling one task, from intent to final state; one record in the opsroom.

    async with opsroom.turn("invoice-matcher", intent="Post invoice 88213") as t:
        t.hear("Please post invoice 88213.")
        t.plan("match, then post")
        outcome = await t.act(post_invoice, invoice, confidence=0.71)
        t.final("done", "posted")

`with` instead of `async with` and `act_sync` instead of `await act` make it a turn of a
program without an event loop. What is merely said (`hear`, `observe`, `plan`, `final`) is put
down at once and sent along with the next thing that has to be asked.
"""

import json
import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, TypeVar, get_args, overload

from opsroom.kit.errors import OpsroomError

from .driving import Ask, Protocol, arun, run
from .errors import NoSuchFinal, NotAnAction, NoTurn, RemoteError
from .gate import ASK_TIMEOUT, Gate
from .outcomes import Denied, Failed, Outcome, Pending, Unknown
from .pieces import heard, observed
from .spans import Span, enter_otel, leave_otel, spans_of, trace_for

if TYPE_CHECKING:
    from .acting import Action, AnyAction
    from .client import Opsroom

log = logging.getLogger(__name__)
T = TypeVar("T")
Final: TypeAlias = Literal["done", "refused", "escalated", "failed", "abandoned"]
_current: "ContextVar[Turn | None]" = ContextVar("opsroom.turn", default=None)


class Turn:
    """A turn to be entered with `with` or `async with`; `id` is its own once it is on record."""

    def __init__(
        self,
        client: "Opsroom",
        opening: dict[str, Any],
        pieces: Iterable[dict[str, Any]],
        seconds: float | None,
    ) -> None:
        self.id = ""
        self.agent = str(opening["agent"])
        self._client = client
        self._opening = opening
        self._pieces = list(pieces)
        self._plan: dict[str, Any] | None = None
        self._final: tuple[Final, str] | None = None
        self._served: dict[str, Any] = {}
        self._proposed: dict[str, AnyAction] = {}
        self._gate = Gate(client, None if seconds is None else time.monotonic() + seconds)
        self._telling = threading.Lock()
        self._token: Token[Turn | None] | None = None
        self._spans = spans_of(client)
        self._span = Span(f"invoke_agent {self.agent}", *trace_for(opening["trace"]))
        opening["trace"] = opening["trace"] or self._span.trace
        self._otel: Any = None

    @property
    def deadline(self) -> float | None:
        """When its time is over, on the clock of `time.monotonic`; None if it has no end."""
        return self._gate.ends

    @property
    def remaining(self) -> float | None:
        """How many seconds are left, for whatever takes a time-out."""
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 0.0)

    def hear(self, text: str) -> None:
        """The user said this. Only what is heard here counts as the user's own words."""
        self._pieces.append(heard(text))

    def observe(
        self, tool: str, result: Any, arguments: Mapping[str, Any] | None = None
    ) -> None:
        """A tool that is no action of ours answered this. It is untrusted, whatever it says."""
        self._pieces.append(observed(tool, result, arguments))

    def plan(self, text: str, alternatives: Sequence[str] = ()) -> None:
        """What the agent means to do, and what else it thought of."""
        self._plan = {"plan": text, "alternatives": list(alternatives)}

    def final(self, final: Final, result: Any = "") -> None:
        """How the turn ends. The last word counts; without one it is `abandoned`."""
        if final not in get_args(Final):
            raise NoSuchFinal(str(final))
        self._final = final, _text(result)

    async def act(
        self,
        action: "Action[..., Any, T]",
        arguments: Any = None,
        *,
        confidence: float | None = None,
        alternatives: Sequence[str] = (),
        key: str = "",
    ) -> Outcome[T]:
        """Propose an action, and do it if it may be done.

        `arguments` is the model it takes, or a mapping. `key` names the intent where the
        contract has no recipe for it: the same key is the same action, and happens once.
        """
        return await arun(
            self.proposing(
                action, arguments, confidence=confidence, alternatives=alternatives, key=key
            )
        )

    def act_sync(
        self,
        action: "Action[..., Any, T]",
        arguments: Any = None,
        *,
        confidence: float | None = None,
        alternatives: Sequence[str] = (),
        key: str = "",
    ) -> Outcome[T]:
        return run(
            self.proposing(
                action, arguments, confidence=confidence, alternatives=alternatives, key=key
            )
        )

    @overload
    async def resume(self, action_id: str) -> Outcome[Any]: ...
    @overload
    async def resume(self, action_id: str, action: "Action[..., Any, T]") -> Outcome[T]: ...
    async def resume(self, action_id: str, action: "AnyAction | None" = None) -> Outcome[Any]:
        """Do what people have approved meanwhile. An action that another turn or process
        proposed has to be given.
        """
        return await arun(self._resume(action_id, action))

    @overload
    def resume_sync(self, action_id: str) -> Outcome[Any]: ...
    @overload
    def resume_sync(self, action_id: str, action: "Action[..., Any, T]") -> Outcome[T]: ...
    def resume_sync(self, action_id: str, action: "AnyAction | None" = None) -> Outcome[Any]:
        return run(self._resume(action_id, action))

    async def __aenter__(self) -> Self:
        await arun(self._open())
        return self._enter()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()
        await arun(self._close(error))

    def __enter__(self) -> Self:
        run(self._open())
        return self._enter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()
        run(self._close(error))

    def _enter(self) -> Self:
        self._token = _current.set(self)
        self._otel = enter_otel(self._span) if self._spans is not None else None
        return self

    def _leave(self) -> None:
        leave_otel(self._otel)
        self._otel = None
        if self._token is not None:
            _current.reset(self._token)
            self._token = None

    def _open(self) -> Protocol[None]:
        """Put the turn on record. An agent may go on without a server; it cannot act then."""
        try:
            yield Ask(ask=self._tell)
        except (OpsroomError, RemoteError) as error:
            if isinstance(error, RemoteError) and error.status < 500:
                raise
            log.warning("a turn of %s begins without an opsroom: %s", self.agent, error)

    def proposing(
        self,
        action: "AnyAction",
        arguments: Any,
        *,
        confidence: float | None = None,
        alternatives: Sequence[str] = (),
        key: str = "",
    ) -> Protocol[Outcome[Any]]:
        """The steps of `act`, for whoever carries them out."""
        if not hasattr(action, "tool"):
            raise NotAnAction(repr(action))
        given = action.shape.plain(arguments)
        span = self._begun(action, confidence)
        refused = yield from self._told()
        if refused is not None:
            self._seen(span, refused)
            return refused
        outcome = yield from self._gate.propose(
            self.id,
            action,
            given,
            confidence=confidence,
            alternatives=list(alternatives),
            key=key,
        )
        self._seen(span, outcome)
        if isinstance(outcome, Pending):
            self._proposed[outcome.id] = action
        return outcome

    def _begun(self, action: "AnyAction", confidence: float | None) -> Span:
        return Span(
            f"execute_tool {action.tool}",
            self._span.trace,
            self._span.id,
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": action.tool,
                "gen_ai.agent.name": self.agent,
                "opsroom.decision.confidence": confidence,
            },
        )

    def _seen(self, span: Span, outcome: Outcome[Any]) -> None:
        """Hand the span of an action over, with what came of it."""
        if self._spans is None:
            return
        kind = type(outcome).__name__.lower()
        span.attributes |= {
            "opsroom.turn.id": self.id,
            "opsroom.action.id": outcome.id,
            "opsroom.action.outcome": kind,
        }
        match outcome:
            case Failed(error=error):
                span.error, span.attributes["error.type"] = error or kind, kind
            case Unknown(because=because):
                span.error, span.attributes["error.type"] = because, kind
            case Denied(by=by):
                span.attributes["opsroom.action.refused_by"] = by
            case _:
                pass
        self._spans.end(span)

    def _resume(self, action_id: str, action: "AnyAction | None") -> Protocol[Outcome[Any]]:
        action = action or self._proposed.get(action_id)
        if action is None:
            raise NotAnAction(f"{action_id!r}, which this turn did not propose,")
        span = self._begun(action, None)
        outcome = yield from self._gate.resume(action_id, action)
        self._seen(span, outcome)
        return outcome

    def _close(self, error: BaseException | None) -> Protocol[None]:
        """Say how it ended: now, or in the background where there is no time or no server."""
        match error:
            case None:
                final, result = self._final or ("abandoned", "")
            case Exception():
                final, result = "failed", f"{type(error).__name__}: {error}"[:500]
            case _:
                final, result = "abandoned", type(error).__name__
        self._ended(final, result if error is not None else "")
        hurry = error is not None and not isinstance(error, Exception)
        refused = None if hurry else (yield from self._told())
        if not self.id or refused is not None:
            log.warning("no opsroom knows of this turn of %s, which ends %s", self.agent, final)
            return
        path, body = f"/v1/turns/{self.id}/final", {"final": final, "result": result}
        reports = self._client.reports
        file = reports.keep(path, body)
        if hurry:
            reports.wake()
        else:
            yield Ask(ask=lambda: reports.send(path, body, file))

    def _ended(self, final: str, error: str) -> None:
        """Hand the span of the whole turn over."""
        if self._spans is None:
            return
        served = self._served
        self._span.error = error
        self._span.attributes |= {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": self.agent,
            "gen_ai.conversation.id": self._opening["session"],
            "user.id": self._opening["human"],
            "deployment.environment.name": self._opening["environment"],
            "opsroom.turn.id": self.id,
            "opsroom.turn.final": final,
            "opsroom.agent.version": served.get("version"),
            "opsroom.manifest.digest": served.get("manifest"),
            "opsroom.release.id": served.get("release"),
            "opsroom.release.arm": served.get("arm"),
        }
        self._spans.end(self._span)

    def _told(self) -> Protocol[Denied | None]:
        """Have the server know all that was said so far; or why nothing may be done."""
        try:
            yield Ask(ask=self._tell)
        except RemoteError as error:
            return Denied(error.message, by=error.code if error.status < 500 else "unreachable")
        except OpsroomError as error:
            return Denied(str(error), by="unreachable")
        return None

    def _tell(self) -> None:
        """Open the turn if it is not, and send what was said; one thread at a time, in order."""
        with self._telling:
            if not self.id:
                self._served = self._post("/v1/turns", self._opening)
                self.id = str(self._served["id"])
                if self._client.reports.waiting():
                    self._client.reports.wake()
            if said := self._pieces[:]:
                self._post(f"/v1/turns/{self.id}/texts", {"pieces": said})
                del self._pieces[: len(said)]
            if (plan := self._plan) is not None:
                self._post(f"/v1/turns/{self.id}/plan", plan)
                self._plan = None if self._plan is plan else self._plan

    def _post(self, path: str, body: Any) -> Any:
        return self._client.call("POST", path, body, timeout=ASK_TIMEOUT)


def current(tool: str) -> Turn:
    """The turn that this code runs in. `tool` is who asks."""
    turn = _current.get()
    if turn is None:
        raise NoTurn(tool)
    return turn


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
