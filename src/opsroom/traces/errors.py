from dataclasses import dataclass

from opsroom.kit.errors import Invalid, NotFound, Unavailable


@dataclass(eq=False)
class TelemetryUnavailable(Unavailable):
    code = "telemetry_unavailable"
    text = "the store of telemetry did not answer: {0.why}"
    hint = "try again in a second; one process at a time may open an embedded store"
    why: str


@dataclass(eq=False)
class TelemetryRefused(Invalid):
    code = "telemetry_refused"
    text = "the store of telemetry refused a statement: {0.why}"
    hint = "if you did not write it, this is a bug: report it with the statement"
    why: str


@dataclass(eq=False)
class Overloaded(Unavailable):
    code = "overloaded"
    text = "more telemetry is waiting to be stored than fits into memory"
    hint = "send it again after a second, as every OpenTelemetry exporter does by itself"


@dataclass(eq=False)
class NotOtlp(Invalid):
    code = "not_otlp"
    status = 400
    text = "this is no OTLP request for traces: {0.why}"
    hint = "send an ExportTraceServiceRequest as application/x-protobuf or application/json"
    why: str


@dataclass(eq=False)
class NotOtlpType(Invalid):
    code = "not_otlp_type"
    status = 415
    text = "telemetry is not understood as {0.media!r}"
    hint = "send it as application/x-protobuf or application/json"
    media: str


@dataclass(eq=False)
class TraceNotFound(NotFound):
    code = "trace_not_found"
    text = "there is no trace {0.trace_id!r} in this project"
    hint = "list what there is with `opsroom trace list`"
    trace_id: str


@dataclass(eq=False)
class NothingKept(Invalid):
    code = "nothing_kept"
    text = "what was asked in trace {0.trace_id!r} is not kept"
    hint = "write the case by hand (`opsroom dataset import`), or keep contents from now on"
    trace_id: str


@dataclass(eq=False)
class SpanNotFound(NotFound):
    code = "span_not_found"
    text = "trace {0.trace_id!r} has no span {0.span_id!r}"
    hint = "look at the whole trace with `opsroom trace show {0.trace_id}`"
    span_id: str
    trace_id: str


@dataclass(eq=False)
class BrokenKeeping(Invalid):
    code = "broken_keeping"
    text = "telemetry cannot be kept like this: {0.why}"
    hint = "docs/how-to/traces.md shows what can be decided, and how"
    why: str


@dataclass(eq=False)
class BadTraceFilter(Invalid):
    code = "bad_trace_filter"
    text = "the filter cannot be read from character {0.at} on: {0.why}"
    hint = "{0.how}"
    at: int
    why: str
    how: str


@dataclass(eq=False)
class BrokenView(Invalid):
    code = "broken_view"
    text = "the view cannot be kept: {0.why}"
    hint = "list those there are with `opsroom trace views`"
    why: str


@dataclass(eq=False)
class ViewNotFound(NotFound):
    code = "view_not_found"
    text = "there is no view {0.name!r} of traces in this project"
    hint = "list those there are with `opsroom trace views`"
    name: str


@dataclass(eq=False)
class SessionNotFound(NotFound):
    code = "session_not_found"
    text = "no trace of the last 30 days belongs to a session {0.session_id!r}"
    hint = "see /traces/sessions for those there are, or list older traces by session"
    session_id: str


@dataclass(eq=False)
class NotATrace(Invalid):
    code = "not_a_trace"
    text = "this file holds no traces that can be read: {0.why}"
    hint = "exports of Langfuse and lists of spans are read; other spans are sent to /v1/traces as OTLP"
    why: str
