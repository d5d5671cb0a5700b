"""What a turn did, as spans: sent in the background, and kept on disk while the server is away.

A span costs its program a few microseconds. Spans are sent a second later at the latest, many
at a time, as OTLP. What cannot be delivered waits on disk, for this process or a later one, up
to `MOST_ON_DISK`; beyond it the oldest are given up, with a word in the log. Contents stay
where they are: arguments and results stand in the record of the action.
"""

import atexit
import logging
import os
import secrets
import sys
import threading
import time
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsroom.kit.errors import OpsroomError

from .errors import RemoteError
from .places import Server
from .reports import Reports, default_folder

if TYPE_CHECKING:
    from .client import Opsroom

log = logging.getLogger(__name__)
PATH = "/v1/traces"
EVERY = 1.0
LOOK_EVERY = 10.0
AT_ONCE = 512
MOST_WAITING = 20_000
MOST_ON_DISK = 64 * 1024 * 1024
TIMEOUT = 10.0
HEX = frozenset("0123456789abcdef")
INTERNAL = 1
ERROR = 2


@dataclass(slots=True)
class Span:
    """A stretch of work that has begun. Times are in nanoseconds since 1970."""

    name: str
    trace: str
    parent: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    began: int = field(default_factory=time.time_ns)
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])
    error: str = ""

    def encoded(self, ended: int) -> dict[str, Any]:
        """The span as OTLP/JSON."""
        told: dict[str, Any] = {
            "traceId": self.trace,
            "spanId": self.id,
            "name": self.name,
            "kind": INTERNAL,
            "startTimeUnixNano": str(self.began),
            "endTimeUnixNano": str(max(ended, self.began)),
            "attributes": _pairs(self.attributes),
        }
        if self.parent:
            told["parentSpanId"] = self.parent
        if self.error:
            told["status"] = {"code": ERROR, "message": self.error[:500]}
        return told


class Spans:
    """The spans of one client on their way to the server. Never raises, and never waits."""

    def __init__(self, client: "Opsroom") -> None:
        self._client = client
        self._spool = Reports(client, default_folder() / "spans", most=MOST_ON_DISK)
        self._waiting: list[dict[str, Any]] = []
        self._lost = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._look_at = 0.0
        self._courier: threading.Thread | None = None
        atexit.register(_at_exit, weakref.ref(self))

    def end(self, span: Span) -> None:
        """Hand over a span that ends now."""
        told = span.encoded(time.time_ns())
        with self._lock:
            if self._closed or len(self._waiting) >= MOST_WAITING:
                self._lost += 1
                return
            self._waiting.append(told)
            full = len(self._waiting) >= AT_ONCE
            if self._courier is None:
                self._courier = threading.Thread(
                    target=self._deliver, name="opsroom-spans", daemon=True
                )
                self._courier.start()
        if full:
            self._wake.set()

    def flush(self) -> None:
        """Send what there is now, or put it on disk."""
        while batch := self._taken():
            self._send(batch)

    def close(self) -> None:
        self._closed = True
        self._wake.set()
        if self._courier is not None:
            self._courier.join(timeout=TIMEOUT)
        self.flush()
        self._spool.close()

    def forked(self) -> None:
        """Begin anew in a forked child: what waits is its parent's to send."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._waiting, self._courier = [], None
        self._spool.forked()

    def _deliver(self) -> None:
        while not self._closed:
            self._wake.wait(EVERY)
            self._wake.clear()
            self.flush()

    def _taken(self) -> list[dict[str, Any]]:
        with self._lock:
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            lost, self._lost = self._lost, 0
        if lost:
            log.warning("%d spans came faster than they could be sent and are lost", lost)
        return batch

    def _send(self, batch: list[dict[str, Any]]) -> None:
        body = {
            "resourceSpans": [
                {
                    "resource": {"attributes": _pairs(_resource())},
                    "scopeSpans": [{"scope": {"name": "opsroom.sdk"}, "spans": batch}],
                }
            ]
        }
        try:
            self._client.call("POST", PATH, body, timeout=TIMEOUT)
        except RemoteError as error:
            if error.status < 500 and error.status not in {408, 425, 429}:
                log.warning("the server refuses %d spans: %s", len(batch), error)
                return
            self._keep(body)
        except OpsroomError:
            self._keep(body)
        else:
            self._look_around()

    def _look_around(self) -> None:
        """Deliver what another process left behind, too; now and then."""
        now = time.monotonic()
        if now >= self._look_at and self._spool.anything():
            self._look_at = now + LOOK_EVERY
            self._spool.wake()

    def _keep(self, body: dict[str, Any]) -> None:
        self._spool.keep(PATH, body)
        self._spool.wake()


def spans_of(client: "Opsroom") -> Spans | None:
    """Where spans go; None where they are switched off (`OPSROOM_TRACES=off`), or where there
    is no server: a folder that a program opens for a moment keeps no telemetry.
    """
    if os.environ.get("OPSROOM_TRACES", "").lower() == "off":
        return None
    return client.spans if isinstance(client.place, Server) else None


def trace_for(given: str) -> tuple[str, str]:
    """The trace and the span to go under: the trace that was given; those that this code runs
    in, where OpenTelemetry knows of any; otherwise a new trace, and no span.
    """
    if len(given) == 32 and set(given) <= HEX and set(given) != {"0"}:
        return given, ""
    otel = sys.modules.get("opentelemetry.trace")
    if otel is not None:
        context = otel.get_current_span().get_span_context()
        if context.is_valid:
            return f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return secrets.token_hex(16), ""


def enter_otel(span: Span) -> Any:
    """Have OpenTelemetry, where a program uses it, put what follows under our span."""
    if "opentelemetry.trace" not in sys.modules:
        return None
    from opentelemetry import context, trace  # only where a program has it

    outer = trace.NonRecordingSpan(
        trace.SpanContext(
            trace_id=int(span.trace, 16),
            span_id=int(span.id, 16),
            is_remote=False,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
    )
    return context.attach(trace.set_span_in_context(outer))


def leave_otel(token: Any) -> None:
    if token is not None:
        from opentelemetry import context

        context.detach(token)


def _resource() -> dict[str, Any]:
    name = os.environ.get("OTEL_SERVICE_NAME") or Path(sys.argv[0] or "python").name
    return {"service.name": name, "telemetry.sdk.name": "opsroom", "process.pid": os.getpid()}


def _pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": _value(value)}
        for key, value in attributes.items()
        if value is not None and value != ""
    ]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": str(value)}


def _at_exit(spans: "weakref.ref[Spans]") -> None:
    if (here := spans()) is not None:
        here.close()
