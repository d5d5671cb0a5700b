"""From a proposal to its outcome: what the server says, and what this process does about it.

    propose → execute → start within the lease → report
            → denied, pending, deferred, unknown, failed, recommended, done

The right to execute is a lease of two seconds, counted from before we asked for it. A function
starts inside it or not at all, so a kill switch reaches every process in time, even one that
the server cannot reach. Whatever happened is reported; a report that cannot be delivered waits
on disk. Nothing is run twice to find out.
"""

import logging
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from opsroom.kit.errors import OpsroomError
from opsroom.kit.faults import boundary

from .approvals import LOOK, SLACK, Approval
from .driving import Ask, Protocol, Rest, Run, TimedOut
from .errors import RemoteError
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
from .places import Server

if TYPE_CHECKING:
    from .acting import AnyAction
    from .client import Opsroom

log = logging.getLogger(__name__)
ASK_TIMEOUT = 15.0
MOST_BEGINS = 5
LONGEST_ERROR = 500
LONGEST_GRACE, LOOK_AGAIN = 60.0, 0.5


class TooLate(Exception):
    """The lease was over before the function had started. It did not start."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to start something, until `ends` on the monotonic clock."""

    ends: float

    def check(self) -> None:
        if time.monotonic() >= self.ends:
            raise TooLate

    @classmethod
    def granted(cls, answer: Mapping[str, Any], asked_at: float) -> "Lease":
        return cls(asked_at + float(answer["lease_seconds"]))


@dataclass(frozen=True, slots=True)
class Gate:
    """One opsroom, as seen by whoever acts through it. `ends` is when the turn's time is over
    on the monotonic clock, if it ever is.
    """

    client: "Opsroom"
    ends: float | None = None

    def remaining(self, timeout: float) -> float:
        """How many seconds an action may take that would be given `timeout`."""
        if self.ends is None:
            return timeout
        return max(min(timeout, self.ends - time.monotonic()), 0.0)

    def propose(
        self, turn: str, action: "AnyAction", arguments: dict[str, Any], **more: Any
    ) -> Protocol[Outcome[Any]]:
        """Ask whether it may be done, and do it if it may."""
        proposal = {
            "tool": action.tool,
            "contract": "" if action.version is None else action.reference,
            "arguments": arguments,
            **more,
        }
        path = f"/v1/turns/{turn}/actions"
        outcome = yield from self._asked(path, proposal, action)
        earlier = isinstance(outcome, Unknown) and outcome.cause is None
        if isinstance(outcome, Unknown) and earlier and action.lookup is not None:
            if (found := (yield from self._look_up(outcome, action, arguments))) is not None:
                return found
            return (yield from self._asked(path, proposal, action))
        return outcome

    def resume(self, action_id: str, action: "AnyAction") -> Protocol[Outcome[Any]]:
        """Do what was approved meanwhile, by whichever process proposed it.

        An approval can be taken back for some seconds; those are waited for.
        """
        patience = time.monotonic() + LONGEST_GRACE
        while True:
            outcome = yield from self._asked(_begin(action_id), None, action)
            if not isinstance(outcome, Pending) or time.monotonic() > patience:
                return outcome
            answer = yield from Approval(self.client, outcome.request).look()
            if answer.state == "pending":
                return outcome
            if not answer.approved:
                reason = answer.reason or answer.text
                said = f"{answer.state}: {reason}" if reason else answer.state
                return Denied(said, by="approval", id=action_id)
            yield Rest(LOOK_AGAIN)

    def _asked(self, path: str, body: Any, action: "AnyAction") -> Protocol[Outcome[Any]]:
        """Ask for the right to execute, and use it. Whatever goes wrong on the way means no."""
        asked_at = time.monotonic()
        try:
            answer = yield self._post(path, body, late=self._not_started)
        except RemoteError as error:
            if error.status < 500:
                return Denied(error.message, by=error.code)
            return Denied(error.message, by="unreachable")
        except OpsroomError as error:
            return Denied(str(error), by="unreachable")
        match answer:
            case {"kind": "execute"}:
                return (yield from self._execute(answer, action, asked_at))
            case {"kind": "pending", "granted": True, "id": id_}:
                # Asked for once more, and people have said yes since.
                return (yield from self._asked(_begin(id_), None, action))
            case {"kind": "running"}:
                answer = yield from self._followed(answer, action)
            case _:
                pass
        return self.outcome(answer, action)

    def _followed(self, answer: Any, action: "AnyAction") -> Protocol[Any]:
        """What becomes of an action that somebody else is carrying out; in its own time."""
        id_, ends = answer["id"], time.monotonic() + self.remaining(action.timeout)
        while answer["kind"] == "running" and (left := ends - time.monotonic()) > 0:
            try:
                answer = yield self._look(id_, min(left, LOOK))
            except (RemoteError, OpsroomError) as error:
                log.warning("%s cannot be followed now: %s", id_, error)
                yield Rest(LOOK_AGAIN)
        return answer

    def _look(self, action_id: str, wait: float) -> Ask:
        path, timeout = f"/v1/actions/{action_id}", wait + SLACK
        return Ask(
            ask=lambda: self.client.call("GET", path, query={"wait": wait}, timeout=timeout),
            long=True,
        )

    def outcome(  # noqa: PLR0911  # one for each kind
        self, answer: Mapping[str, Any], action: "AnyAction"
    ) -> Outcome[Any]:
        """An answer of the server as its type."""
        match answer:
            case {"kind": "done", "id": str(id_), "result": result}:
                return Done(action.shape.remembered(result), id_)
            case {"kind": "denied", "id": str(id_), **rest}:
                words = tuple(_words(one) for one in rest["reasons"])
                because = rest["because"] or "; ".join(words)
                return Denied(because, words, str(rest["refused_by"] or ""), id_)
            case {"kind": "pending", "id": str(id_), **rest}:
                request = str(rest["request"])
                approval = partial(Approval, self.client, request)
                return Pending(id_, self._address(rest["url"]), request, approval)
            case {"kind": "deferred", "id": str(id_), **rest}:
                until = rest["until"]
                return Deferred(
                    datetime.fromisoformat(until) if until else None, rest["because"], id_
                )
            case {"kind": "unknown", "id": str(id_), "because": because}:
                return Unknown(id_, because)
            case {"kind": "failed", "id": str(id_), "error": error}:
                return Failed(error, id_)
            case {"kind": "recommended", "id": str(id_)}:
                return Recommended(id_)
            case {"kind": "running", "id": str(id_)}:
                return Unknown(id_, "somebody else is carrying it out and has not reported yet")
            case _:
                return Unknown(
                    str(answer.get("id", "")),
                    f"an outcome of a kind unknown here: {answer.get('kind')!r}",
                )

    def _execute(
        self, answer: Mapping[str, Any], action: "AnyAction", asked_at: float
    ) -> Protocol[Outcome[Any]]:
        """Run the function, again where that does no harm and it was asked for, and report."""
        action_id = str(answer["id"])
        try:
            args, kwargs = action.shape.bind(answer["arguments"])
        except (ValueError, OpsroomError) as error:  # nothing has happened yet
            return (yield from self._report(action_id, _failed(error), error))
        tried = 0
        for _ in range(MOST_BEGINS + action.retries):
            lease = Lease.granted(answer, asked_at)
            timeout = self.remaining(action.timeout)
            call = _within(lease, action, args, kwargs)
            begun = time.monotonic()
            try:
                value = yield Run(call=call, awaits=action.awaits, timeout=timeout)
            except TooLate:
                pass
            except NotDone as error:
                return (yield from self._report(action_id, _failed(error), error))
            except Exception as error:  # noqa: BLE001  # whatever a program's own code raises
                tried += 1
                seconds = time.monotonic() - begun
                if not action.repeatable or tried > action.retries or self.remaining(1) == 0:
                    report = _raised(action, error, seconds)
                    return (yield from self._report(action_id, report, error))
                log.warning("%s failed, and is tried again: %r", action, error)
                yield Rest(action.rest(tried))
            except BaseException as error:
                # Cancelled or interrupted: there is no time left to ask anybody anything.
                self._leave(action_id, _raised(action, error, time.monotonic() - begun))
                raise
            else:
                boundary("sdk.after_effect")
                report = {
                    "state": "succeeded",
                    "result": action.shape.told(value),
                    "seconds": time.monotonic() - begun,
                }
                yield from self._report(action_id, report, None)
                return Done(value, action_id)
            asked_at = time.monotonic()
            begin = yield from self._begin_again(answer, action)
            if isinstance(begin, dict):
                answer = begin
            else:
                return begin
        late = TooLate("the right to start was over each time before it could start")
        return (yield from self._report(action_id, _failed(late), late))

    def _begin_again(
        self, held: Mapping[str, Any], action: "AnyAction"
    ) -> Generator[Any, Any, dict[str, Any] | Outcome[Any]]:
        """Renew the right to execute that is held: the new lease, or the outcome that stands in
        its place.
        """
        action_id, attempt = str(held["id"]), held["attempt"]
        try:
            answer = yield self._post(_begin(action_id), {"attempt": attempt})
        except (RemoteError, OpsroomError) as error:
            self._leave(action_id, _failed(error))
            return Denied(str(error), by="unreachable", id=action_id)
        return answer if answer["kind"] == "execute" else self.outcome(answer, action)

    def _report(
        self, action_id: str, report: dict[str, Any], cause: BaseException | None
    ) -> Protocol[Outcome[Any]]:
        """Tell what came of it; the report is on disk until the server has it."""
        path = f"/v1/actions/{action_id}/outcome"
        file = self.client.reports.keep(path, report)
        boundary("sdk.report_kept")
        yield Ask(ask=lambda: self.client.reports.send(path, report, file))
        if report["state"] == "unknown":
            return Unknown(action_id, report["error"], cause)
        return Failed(report.get("error", ""), action_id, cause)

    def _leave(self, action_id: str, report: dict[str, Any]) -> None:
        """Have a report delivered in the background."""
        self.client.reports.keep(f"/v1/actions/{action_id}/outcome", report)
        self.client.reports.wake()

    def _not_started(self, answer: Any) -> None:
        """Nobody waits any more for the right to execute, so it is given back."""
        if answer["kind"] == "execute":
            self._leave(
                str(answer["id"]), _failed("the caller was cancelled before it started")
            )

    def _look_up(
        self, unknown: Unknown, action: "AnyAction", arguments: dict[str, Any]
    ) -> Generator[Any, Any, Outcome[Any] | None]:
        """Find out whether an earlier call took effect: its outcome, or None if it did not."""
        import inspect

        lookup = action.lookup
        assert lookup is not None
        args, kwargs = action.shape.bind(arguments)
        try:
            value = yield Run(
                call=lambda: lookup(*args, **kwargs),
                awaits=inspect.iscoroutinefunction(lookup),
                timeout=self.remaining(action.timeout),
            )
        except Exception as error:  # noqa: BLE001  # whatever a program's own code raises
            return Unknown(unknown.id, f"the lookup failed: {_said(error)}", error)
        finding = {
            "happened": value is not None,
            "result": action.shape.told(value),
            "reason": f"the lookup of {action.tool} says so",
        }
        try:
            yield self._post(f"/v1/actions/{unknown.id}/reconcile", finding)
        except (RemoteError, OpsroomError) as error:
            return Unknown(unknown.id, f"what the lookup found cannot be told: {error}", error)
        return None if value is None else Done(value, unknown.id)

    def _address(self, path: str) -> str:
        """A page of the opsroom as people can open it; without a server, its path alone."""
        match self.client.place:
            case Server(url=url):
                return url + path
            case _:
                return path

    def _post(self, path: str, body: Any, *, late: Callable[[Any], None] | None = None) -> Ask:
        return Ask(
            ask=lambda: self.client.call("POST", path, body, timeout=ASK_TIMEOUT), late=late
        )


def _begin(action_id: str) -> str:
    return f"/v1/actions/{action_id}/begin"


def _within(
    lease: Lease, action: "AnyAction", args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Callable[[], Any]:
    """The call, which looks at the lease in the very moment it starts."""

    async def start() -> Any:
        lease.check()
        return await action.function(*args, **kwargs)

    def start_plain() -> Any:
        lease.check()
        return action.function(*args, **kwargs)

    return start if action.awaits else start_plain


def _raised(action: "AnyAction", error: BaseException, seconds: float) -> dict[str, Any]:
    """What an error leaves behind. Half-way may mean done; only what can be run again anyway
    is simply a failure, and of what was cut off only what never changes anything.
    """
    cut_off = isinstance(error, TimedOut) or not isinstance(error, Exception)
    harmless = action.read_only if cut_off else action.repeatable
    state = "failed" if harmless else "unknown"
    said = "it took longer than its time-out" if isinstance(error, TimedOut) else _said(error)
    return {"state": state, "error": said, "seconds": seconds}


def _failed(error: BaseException | str) -> dict[str, Any]:
    said = error if isinstance(error, str) else _said(error)
    return {"state": "failed", "error": said, "seconds": 0.0}


def _said(error: BaseException) -> str:
    said = str(error) if isinstance(error, NotDone) else f"{type(error).__name__}: {error}"
    return said[:LONGEST_ERROR]


def _words(reason: Any) -> str:
    return str(reason["words"]) if isinstance(reason, Mapping) else str(reason)
