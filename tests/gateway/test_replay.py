"""Recorded exchanges with many providers, played back through the door: same status, same bytes."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.desk import Desk
from tests.model_server import Reply

from opsroom.gateway.completions.model import Path as Asks

FILES = ("openllmetry", "openinference", "opentelemetry-contrib")
# Of 1,122 exchanges: those that this door speaks, those whose body was not recorded as it was
# sent (nothing, or packed), and those that other interfaces of the providers had.
PLAYED, UNREADABLE, OTHERS = 680, 5, 437
# An error that came with the status 200 is told as one: the same bytes, as a 502.
ERROR_AS_200 = {"f0c696b45233"}
# A provider with events of its own that do not say when they end: the same events, and then that
# the stream broke.
WITHOUT_END = {"2e623262fdd0"}


def exchanges(folder: Path) -> Iterator[dict[str, Any]]:
    for name in FILES:
        with gzip.open(
            folder / "llm_http" / f"{name}.jsonl.gz", "rt", encoding="utf-8"
        ) as lines:
            yield from map(json.loads, lines)


def door_of(exchange: dict[str, Any]) -> str:
    """Where the same request is made here; empty for what OpenAI's API does not have."""
    path = exchange["path"].partition("?")[0]
    if exchange["method"].upper() != "POST" or not isinstance(exchange["request"], dict):
        return ""
    return next((one.value for one in Asks if path.endswith(f"/{one.value}")), "")


def recorded(exchange: dict[str, Any]) -> Reply:
    said = exchange["response"]
    raw = said if isinstance(said, str) else json.dumps(said)
    streamed = isinstance(said, str) and exchange["stream"]
    kind = exchange["response_headers"].get(
        "content-type", "text/event-stream" if streamed else "application/json"
    )
    return Reply(status=exchange["status"], body=raw.encode(), headers={"Content-Type": kind})


def readable(exchange: dict[str, Any]) -> bool:
    said = exchange["response"]
    return bool(said) and not (isinstance(said, dict) and set(said) == {"base64"})


@pytest.mark.slow
def test_what_was_recorded_plays_back(desk: Desk, data_dir: Path) -> None:
    desk.route(breaker={"failures": 1000, "window": 1.0, "cool_down": 1.0})
    key = desk.token()
    others: Counter[str] = Counter()
    played: Counter[str] = Counter()
    for exchange in exchanges(data_dir):
        where = door_of(exchange)
        if not where or not readable(exchange):
            others["unreadable" if where else "other"] += 1
            continue
        reply = recorded(exchange)
        desk.there.next(reply)
        body = {**exchange["request"], "model": "desk"}
        found = desk.ask(body, path=f"/openai/v1/{where}", headers=key)
        name = exchange["id"]
        played[where] += 1
        if name in WITHOUT_END:
            assert found.content.startswith(reply.body)
            assert b"stream_broke" in found.content[len(reply.body) :]
        else:
            status = 502 if name in ERROR_AS_200 else reply.status
            assert (found.status_code, found.content) == (status, reply.body), name
    assert (sum(played.values()), others["unreadable"], others["other"]) == (
        PLAYED,
        UNREADABLE,
        OTHERS,
    )
    counted = [one for one in desk.told() if "gen_ai.usage.input_tokens" in one]
    assert len(counted) > 550, "the others did not say what they took"
