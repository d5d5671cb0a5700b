"""OTLP over HTTP: where exporters send spans, those of Langfuse, Phoenix and MLflow as well.

A 200 means that every span of the request is durable, or is named as rejected. What is not
durable is answered with 503 and `Retry-After: 1`, the one answer that standard exporters
repeat a moment later.
"""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.responses import Response

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.db import Actor
from opsroom.kit.errors import Unavailable
from opsroom.web.errors import error_response

from . import keeping
from .checking import JSON, PROTOBUF, Checked, check
from .errors import NotOtlpType
from .intake import now_nano
from .keepers import Keepers
from .model import Keeping
from .telemetry import Traces
from .wire import Stamp

router = APIRouter(prefix="/v1/traces", tags=["traces"])
langfuse = APIRouter(prefix="/api/public/otel", tags=["traces"])
LONGEST_MESSAGE = 1_000
OTLP = {
    "requestBody": {
        "required": True,
        "content": {media: {"schema": {"format": "binary"}} for media in (PROTOBUF, JSON)},
    }
}


@router.get("/keeping")
def show_keeping(tx: Read) -> Keeping:
    """Whether contents are kept, what is taken out before anything is stored, and own prices."""
    return keeping.current(tx)


@router.put("/keeping")
def decide_keeping(wanted: Keeping, tx: Write) -> Keeping:
    """Decide how telemetry is kept from now on."""
    return keeping.decide(tx, wanted)


@dataclass(frozen=True, slots=True)
class _Handed:
    checked: Checked
    stamp: Stamp


@langfuse.post("/v1/traces", response_class=Response, openapi_extra=OTLP)
@router.post("", response_class=Response, openapi_extra=OTLP)
async def take_in(request: Request, actor: Caller) -> Response:
    """Spans as an OTLP `ExportTraceServiceRequest`, binary or JSON, plain or packed."""
    media = request.headers.get("content-type", PROTOBUF).partition(";")[0].strip().lower()
    try:
        body = await request.body()
        handed = await asyncio.to_thread(_checked, request, actor, body, media)
        checked = handed.checked
        traces: Traces = request.app.state.traces
        if checked.body or checked.dead:
            stored = traces.intake.submit(checked.body, handed.stamp, checked.dead)
            await asyncio.wrap_future(stored)
            traces.stored[actor.project] += checked.spans
            traces.rejected[actor.project] += len(checked.dead)
    except Unavailable as error:
        return error_response(error, **{"Retry-After": "1"})
    return _answer(checked, media)


def _checked(request: Request, actor: Actor, body: bytes, media: str) -> _Handed:
    """Everything about a request that takes thought, away from the event loop."""
    if media not in {PROTOBUF, JSON, "application/protobuf"}:
        raise NotOtlpType(media[:100])
    db = database(request)
    keepers: Keepers = request.app.state.keepers
    with db.read(actor) as tx:
        kept = keepers.of(tx)
    now = now_nano(db.clock)
    checked = check(
        body, form=JSON if media == JSON else PROTOBUF, redactor=kept.redactor, now=now
    )
    request.app.state.redactions.note(actor.project, "traces", checked.redacted)
    return _Handed(
        checked,
        Stamp(
            project=actor.project,
            sender=actor.name,
            capture=kept.keeping.contents,
            received=now,
            digest=checked.digest,
        ),
    )


def _answer(checked: Checked, media: str) -> Response:
    told = ExportTraceServiceResponse()
    if checked.dead:
        reasons = sorted({dead.reason for dead in checked.dead})
        told.partial_success.rejected_spans = len(checked.dead)
        told.partial_success.error_message = "; ".join(reasons)[:LONGEST_MESSAGE]
    if media == JSON:
        return Response(json_format.MessageToJson(told, indent=None), media_type=JSON)
    return Response(told.SerializeToString(), media_type=PROTOBUF)
