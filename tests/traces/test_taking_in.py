"""Requests of every kind against the application: good, bad, recorded, broken, too many."""

import gzip
import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)
from tests.api import Api, Caller
from tests.telemetry import Room
from tests.traces.otlp import MOMENT, many, recorded, recorded_json, request
from tests.traces.world import Stuck

PROTOBUF = "application/x-protobuf"


def post(who: Caller, body: bytes, media: str = PROTOBUF, **headers: str) -> Any:
    return who.send(
        "POST", "/v1/traces", content=body, headers={"Content-Type": media, **headers}
    )


def told(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return ExportTraceServiceResponse.FromString(answer.content)


@pytest.mark.parametrize("pack", ["", "gzip", "zstd"])
def test_a_request_is_stored_when_it_is_answered(sender: Caller, room: Room, pack: str) -> None:
    body = many(3, 10).SerializeToString()
    packed = {"": body, "gzip": gzip.compress(body), "zstd": zstandard.compress(body)}[pack]
    headers = {"Content-Encoding": pack} if pack else {}
    answer = told(post(sender, packed, **headers))
    assert answer == ExportTraceServiceResponse()
    spans = room.spans()
    assert len(spans) == 10
    assert {row["sender"] for row in spans} == {sender.name}


def test_an_empty_request_is_fine(sender: Caller, room: Room) -> None:
    assert told(post(sender, b"")).partial_success.rejected_spans == 0
    assert post(sender, b"{}", "application/json; charset=utf-8").json() == {}
    assert room.spans() == []


def test_json_says_the_same_as_protobuf(sender: Caller, room: Room) -> None:
    span = {
        "traceId": "5B8EFFF798038103D269B633813FC60C",
        "spanId": "EEE19B7EC3C1B174",
        "parentSpanId": "",
        "name": "I am a span",
        "startTimeUnixNano": str(MOMENT),
        "endTimeUnixNano": MOMENT + 10,
        "kind": "SPAN_KIND_SERVER",
        "futureField": {"is": "passed over"},
        "attributes": [
            {"key": "n", "value": {"intValue": "7"}},
            {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "a"}]}}},
        ],
        "links": [
            {"traceId": "5b8efff798038103d269b633813fc60d", "spanId": "eee19b7ec3c1b175"}
        ],
    }
    document = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "s"}, "spans": [span]}]}]}
    answer = post(sender, json.dumps(document).encode(), "application/json")
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"].startswith("application/json")
    (row,) = room.spans()
    assert row["trace_id"] == "5b8efff798038103d269b633813fc60c"
    assert row["links.span_id"] == ["eee19b7ec3c1b175"]
    assert row["attributes"] == {"n": "7", "l": '["a"]'}


BAD: dict[str, dict[str, Any]] = {
    "its trace id": {"trace": "01"},
    "all of them are zero": {"trace": "00" * 16},
    "its span id": {"id": "0102"},
    "the id of its parent": {"parent": "0102"},
    "before the year 2000": {"start": 5},
    "more than a day from now": {"start": MOMENT + 10 * 86_400 * 10**9},
    "after the year 2100": {"end": 2**63},
}


@pytest.mark.parametrize("why", BAD)
def test_good_spans_beside_a_bad_one_are_kept(sender: Caller, room: Room, why: str) -> None:
    good = [{"id": f"{number:016x}"} for number in range(1, 20)]
    sent = request(*good[:9], {"id": "ff" * 8, "name": "the bad one", **BAD[why]}, *good[9:])
    partial = told(post(sender, sent.SerializeToString())).partial_success
    assert partial.rejected_spans == 1
    assert why in partial.error_message
    assert len(room.spans()) == 19
    (dead,) = room.rows("SELECT * FROM dead_letters WHERE project = {project:String}")
    assert dead["name"] == "the bad one"
    assert why in dead["reason"]
    assert "the bad one" in dead["raw"]


def test_a_span_that_no_parser_reads_spoils_no_other(sender: Caller, room: Room) -> None:
    good = request({"id": f"{1:016x}", "name": "first"}, {"id": f"{2:016x}", "name": "BROKEN"})
    body = good.SerializeToString().replace(b"BROKEN", b"\xff\xfe\xfd\xfc\xfb\xfa")
    assert told(post(sender, body)).partial_success.rejected_spans == 1
    assert [row["name"] for row in room.spans()] == ["first"]
    assert len(room.rows("SELECT * FROM dead_letters WHERE project = {project:String}")) == 1


def test_what_is_only_odd_is_put_right(sender: Caller, room: Room) -> None:
    odd = request({"parent": "00" * 8, "end": MOMENT - 5}, {"id": "ab" * 8, "end": 0})
    assert told(post(sender, odd.SerializeToString())).partial_success.rejected_spans == 0
    assert [(row["parent_id"], row["duration"]) for row in room.spans()] == [("", 0), ("", 0)]


@pytest.mark.parametrize(
    ("body", "media", "status", "code"),
    [
        (b"\xff\xff\xff", PROTOBUF, 400, "not_otlp"),
        (b"hello", PROTOBUF, 400, "not_otlp"),
        (b"{", "application/json", 400, "not_otlp"),
        (b"[]", "application/json", 400, "not_otlp"),
        (b'{"resourceSpans": 7}', "application/json", 400, "not_otlp"),
        (b"[" * 100_000, "application/json", 400, "not_otlp"),
        (b"x", "text/plain", 415, "not_otlp_type"),
    ],
)
def test_what_is_no_request_is_refused(
    sender: Caller, body: bytes, media: str, status: int, code: str
) -> None:
    answer = post(sender, body, media)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_who_may_send(office: Api, room: Room) -> None:
    body = many(4, 1).SerializeToString()
    assert post(Caller(office.client, "nobody"), body).status_code == 401
    assert post(office.program("viewer", project=room.project), body).status_code == 403
    assert post(office.program("agent", project=room.project), body).status_code == 200


def test_secrets_and_personal_data_are_never_stored(sender: Caller, room: Room) -> None:
    key = "sk-proj-" + "a1B2" * 8
    sent = request(
        {
            "name": f"call with {key}",
            "gen_ai.input.messages": json.dumps([{"content": f"I am ada@example.org, {key}"}]),
            "list": ["card 4111 1111 1111 1111, not 4111 1111 1111 1112"],
            "pairs": {"iban": "DE89 3704 0044 0532 0130 00"},
        },
        resource={"service.name": "desk", "owner": "ada@example.org"},
    )
    span = sent.resource_spans[0].scope_spans[0].spans[0]
    span.events.add(name="e").attributes.add(key="k").value.string_value = "+49 30 901820"
    bad = {"id": "01", "name": "bad", "mail": "eve@example.org"}
    sent.resource_spans[0].scope_spans[0].spans.extend(
        request(bad).resource_spans[0].scope_spans[0].spans
    )
    told(post(sender, sent.SerializeToString()))
    (row,) = room.spans()
    dead = room.rows("SELECT * FROM dead_letters WHERE project = {project:String}")
    everything = f"{row} {dead}"
    for secret in (key, "ada@", "eve@", "1111 1111 1111", "3704 0044", "901820"):
        assert secret not in everything
    assert "4111 1111 1111 1112" in row["attributes"]["list"]
    assert json.loads(row["content"]["gen_ai.input.messages"])[0]["content"] == (
        "I am [redacted:email], [redacted:key]"
    )


def test_a_project_decides_what_is_kept(office: Api, sender: Caller, room: Room) -> None:
    boss = office.program("admin", project=room.project)
    kept = boss.get("/v1/traces/keeping")
    assert kept["contents"]
    assert "card" in kept["shipped"]
    wanted = {
        **kept,
        "contents": False,
        "shipped": ["email"],
        "rules": [{"name": "order", "pattern": "ORD-[0-9]{6}"}],
    }
    assert boss.put("/v1/traces/keeping", wanted)["revision"] == 1
    sent = request({"a": "ORD-123456 of a@b.org, +49 30 901820", "input.value": "SAID"})
    told(post(sender, sent.SerializeToString()))
    (row,) = room.spans()
    assert row["attributes"] == {"a": "[redacted:order] of [redacted:email], +49 30 901820"}
    assert "SAID" not in str(row)
    for rule in ({"name": "order", "pattern": "(("}, {"name": "x", "pattern": ".*"}):
        refusal = boss.refused("PUT", "/v1/traces/keeping", {**wanted, "rules": [rule]})
        assert refusal.code == "broken_redaction_rule"


def test_recorded_requests_come_in_whole(room: Room, data_dir: Path) -> None:
    """1,616 requests of three published families of instrumentation."""
    handed = [(known["spans"], room.hand_in(body)) for known, body in recorded(data_dir)]
    for spans, (checked, stored) in handed:
        stored.result(timeout=60)
        assert (checked.spans, checked.dead) == (spans, ())
    assert len(handed) == 1616
    room.settle()
    (found,) = room.rows(
        "SELECT count() AS spans, countIf(calls_model) AS calls, "
        "countIf(served_model != '' OR requested_model != '') AS models, "
        "countIf(provider != '') AS providers FROM spans FINAL WHERE project = {project:String}"
    )
    assert found == {"spans": 1616, "calls": 1616, "models": found["models"], "providers": 1616}
    assert found["models"] >= 1600


def test_recorded_traces_of_frameworks_come_in_whole(
    sender: Caller, room: Room, data_dir: Path
) -> None:
    count = 0
    for name, body in recorded_json(data_dir):
        spans = sum(
            len(scope["spans"])
            for resource in json.loads(body)["resourceSpans"]
            for scope in resource["scopeSpans"]
        )
        answer = post(sender, body, "application/json")
        assert (answer.status_code, answer.json()) == (200, {}), name
        count += spans
    assert len(room.spans()) == count > 40


def test_mutated_requests_never_break_us(sender: Caller, room: Room, data_dir: Path) -> None:
    """600 bodies with bytes changed, cut, doubled or left out."""
    draw = random.Random(20261127)
    bodies = [body for _, body in recorded(data_dir)]
    seen: Counter[int] = Counter()
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(
            lambda body: post(sender, body),
            [mutated(draw, draw.choice(bodies)) for _ in range(600)],
        ):
            seen[answer.status_code] += 1
    assert set(seen) <= {200, 400}, seen
    assert seen[200] > 10


def mutated(draw: random.Random, body: bytes) -> bytes:
    made = bytearray(body)
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(made))
        match draw.randrange(4):
            case 0:
                made[at] = draw.randrange(256)
            case 1:
                del made[at : at + draw.randint(1, 40)]
            case 2:
                made[at:at] = made[at : at + draw.randint(1, 40)]
            case _:
                del made[draw.randint(at, len(made)) :]
        if not made:
            return b""
    return bytes(made)


def test_overload_is_503_with_a_second_to_wait(
    stuck: Stuck, sender: Caller, room: Room
) -> None:
    stuck.stuck = True
    with ThreadPoolExecutor(8) as pool:

        def send(seed: int) -> Any:
            return pool.submit(post, sender, many(seed, 10).SerializeToString())

        jobs = [send(0)]
        assert stuck.holds.wait(60)
        jobs += [send(seed) for seed in range(1, 8)]  # four of them may wait
        while sum(job.done() for job in jobs) < 3:
            time.sleep(0.01)
        stuck.stuck = False
        answers = [job.result() for job in jobs]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) == 3
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert len(room.spans()) == 10 * (8 - len(refused))
    for seed in range(8):
        told(post(sender, many(seed, 10).SerializeToString()))
    assert len(room.spans()) == 80


def test_a_store_that_is_away_is_503_and_nothing_counts_as_stored(
    stuck: Stuck, sender: Caller, room: Room
) -> None:
    stuck.failing = True
    body = many(1, 10).SerializeToString()
    answer = post(sender, body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    stuck.failing = False
    told(post(sender, body))
    assert len(room.spans()) == 10


def test_a_million_names_that_nobody_declared(room: Room) -> None:
    """Names that are never seen twice cost what they weigh, and other questions nothing."""
    for batch in range(5):
        spans = [
            {"id": f"{batch + 1:08x}{number:08x}",
             **{f"k{batch}.{number}.{place}": "v" for place in range(200)}}
            for number in range(200)
        ]  # fmt: skip
        assert room.send(request(*spans)) == 0
    (size,) = room.rows(
        "SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE table = 'spans' AND active"
    )
    assert size["bytes"] < 60_000_000
    (found,) = room.rows(
        "SELECT count() AS spans, sum(length(attributes)) AS pairs FROM spans FINAL "
        "WHERE project = {project:String}"
    )
    assert found == {"spans": 1000, "pairs": 200_000}
