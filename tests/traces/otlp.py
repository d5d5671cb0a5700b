"""Spans to send: small requests made by hand, and the recorded ones."""

import base64
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MOMENT = 1795089600_000_000_000  # noon, half a day before the clock of the tests


def request(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> Any:
    """A request with these spans. A span is its attributes, and `id`, `trace`, `parent`,
    `name`, `start`, `end`, `status` where they matter.
    """
    made = ExportTraceServiceRequest()
    one = made.resource_spans.add()
    fill(one.resource.attributes, resource or {"service.name": "desk"})
    scope = one.scope_spans.add()
    scope.scope.name = "tests"
    for number, told in enumerate(spans, 1):
        span = scope.spans.add()
        told = dict(told)  # noqa: PLW2901
        span.trace_id = bytes.fromhex(told.pop("trace", f"{1:032x}"))
        span.span_id = bytes.fromhex(told.pop("id", f"{number:016x}"))
        span.parent_span_id = bytes.fromhex(told.pop("parent", ""))
        span.name = told.pop("name", "step")
        span.start_time_unix_nano = told.pop("start", MOMENT)
        span.end_time_unix_nano = told.pop("end", MOMENT + 1_500_000_000)
        span.status.code = told.pop("status", 0)
        fill(span.attributes, told)
    return made


def fill(pairs: Any, told: dict[str, Any]) -> None:
    for key, value in told.items():
        put(pairs.add(key=key).value, value)


def put(into: Any, value: Any) -> None:
    match value:
        case bool():
            into.bool_value = value
        case int():
            into.int_value = value
        case float():
            into.double_value = value
        case str():
            into.string_value = value
        case bytes():
            into.bytes_value = value
        case list():
            into.array_value.SetInParent()
            for one in value:
                put(into.array_value.values.add(), one)
        case dict():
            into.kvlist_value.SetInParent()
            fill(into.kvlist_value.values, value)
        case _:
            raise TypeError(value)


def many(seed: int, spans: int = 100, *, text: int = 1100) -> Any:
    """A request of model calls as large as they are in the wild, the same for each seed."""
    draw = random.Random(seed)
    words = [
        "the",
        "shipment",
        "left",
        "harbour",
        "and",
        "waits",
        "for",
        "customs",
        "in",
        "rotterdam",
        "please",
        "confirm",
    ]
    made: list[dict[str, Any]] = []
    for number in range(spans):
        if number % 10 == 0:
            trace, parent = f"{draw.getrandbits(128):032x}", ""
        said = " ".join(draw.choices(words, k=text // 7))
        identity = f"{draw.getrandbits(64):016x}"
        span: dict[str, Any] = {
            "trace": trace,
            "id": identity,
            "parent": parent,
            "name": "chat gpt-4o-mini",
            "start": MOMENT + number,
            "end": MOMENT + draw.randrange(10**9) + spans,
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.id": f"chatcmpl-{draw.getrandbits(80):x}",
            "gen_ai.usage.input_tokens": draw.randrange(3000),
            "gen_ai.usage.output_tokens": draw.randrange(500),
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.max_tokens": 512,
            "gen_ai.agent.name": f"agent-{draw.randrange(9)}",
            "gen_ai.conversation.id": f"session-{draw.randrange(1000)}",
            "server.address": "api.openai.com",
            "server.port": 443,
            "opsroom.release.id": "rel_01",
            "gen_ai.input.messages": json.dumps(
                [{"role": "user", "parts": [{"type": "text", "content": said}]}]
            ),
            "gen_ai.output.messages": json.dumps(
                [
                    {
                        "role": "assistant",
                        "parts": [{"type": "text", "content": said[: text // 2]}],
                    }
                ]
            ),
        }
        parent = parent or identity
        made.append(span)
    return request(*made)


def recorded(data: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The recorded requests of published instrumentations: what is known of each, and its body."""
    for file in sorted((data / "otlp").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                told = json.loads(line)
                yield told, base64.b64decode(told.pop("body_base64"))


def recorded_json(data: Path) -> Iterator[tuple[str, bytes]]:
    """The recorded traces of frameworks, as OTLP documents."""
    for file in sorted((data / "traces" / "otlp_json").glob("*.json.gz")):
        yield file.name.removesuffix(".json.gz"), gzip.decompress(file.read_bytes())
