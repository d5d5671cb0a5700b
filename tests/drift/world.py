"""An agent that answers questions about parcels for some days, and then is asked other things."""

import json
import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.patience import PATIENCE
from tests.telemetry import Room
from tests.traces.otlp import request

from opsroom.drift import looking
from opsroom.drift.model import Drift
from opsroom.kit.db import Actor, Database

DAY = timedelta(days=1)
SECOND = 1_000_000_000
WORDS = ["parcel", "pallet", "truck", "harbour", "invoice", "customs", "label", "driver"]


def usual(draw: random.Random) -> dict[str, Any]:
    one, other = draw.sample(WORDS, 2)
    return {
        "asked": f"where is the {one} with the {other} {draw.randrange(900)}",
        "answered": f"the {one} is in {draw.choice(['bremen', 'gdansk', 'porto'])}",
        "tool": "look_up",
        "tokens": 90 + draw.randrange(40),
        "confidence": 0.8 + draw.random() / 10,
    }


def strange(draw: random.Random) -> dict[str, Any]:
    return {
        "asked": f"please cancel my <b>subscription</b> number {draw.randrange(900)} right away",
        "answered": f"I have refunded {draw.randrange(900)} euros to you",
        "tool": "refund",
        "tokens": 500 + draw.randrange(40),
        "confidence": 0.3 + draw.random() / 10,
    }


def run_of(trace: str, start: int, told: dict[str, Any], agent: str) -> list[dict[str, Any]]:
    def said(role: str, text: str) -> str:
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])

    return [
        {
            "trace": trace, "id": "00000000000000a1", "name": f"invoke_agent {agent}",
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent,
            "start": start, "end": start + 3 * SECOND,
        },
        {
            "trace": trace, "id": "00000000000000a2", "parent": "00000000000000a1",
            "name": "chat gpt-4o", "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": told["tokens"], "start": start + 1, "end": start + SECOND,
            "gen_ai.input.messages": said("user", told["asked"]),
            "gen_ai.output.messages": said("assistant", told["answered"]),
        },
        {
            "trace": trace, "id": "00000000000000a3", "parent": "00000000000000a1",
            "name": f"execute_tool {told['tool']}", "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": told["tool"], "opsroom.confidence": told["confidence"],
            "start": start + SECOND, "end": start + 2 * SECOND,
        },
    ]  # fmt: skip


def work(
    room: Room,
    now: datetime,
    *,
    days: int = 0,
    strange_share: float = 0.0,
    a_day: int = 30,
    agent: str = "clerk",
    seed: int = 1,
) -> None:
    """A day's runs that ended before `now`, and as many of each of `days` days before them."""
    draw = random.Random(seed)
    told = [
        [
            strange(draw) if back == 0 and place < strange_share * a_day else usual(draw)
            for place in range(a_day)
        ]
        for back in range(days + 1)
    ]
    send(room, now, told, agent=agent, seed=seed)


def send(
    room: Room,
    now: datetime,
    told: Sequence[Sequence[dict[str, Any]]],
    *,
    agent: str = "clerk",
    seed: int = 1,
) -> None:
    """The runs of the day that ended before `now`, of the day before it, and so on."""
    draw = random.Random(seed)
    spans: list[dict[str, Any]] = []
    for back, runs in enumerate(told):
        begin = now - DAY * (back + 1) + timedelta(minutes=5)
        for place, one in enumerate(runs):
            start = int((begin + timedelta(minutes=1400) * place / len(runs)).timestamp())
            trace = f"{draw.getrandbits(127) + 1:032x}"
            spans += run_of(trace, start * SECOND, one, agent)
    room.send(request(*spans))
    priced(room)


def priced(room: Room) -> None:
    """Wait until what was sent has its cost. Whoever takes it in sees to that."""
    until = time.monotonic() + PATIENCE
    unpriced = "SELECT count() AS n FROM spans FINAL WHERE project = {project:String} AND calls_model AND cost IS NULL"
    while room.rows(unpriced)[0]["n"]:
        assert time.monotonic() < until, "nobody priced it"
        time.sleep(0.02)


def look(db: Database, room: Room, agent: str = "clerk") -> dict[str, Drift]:
    """Look at an agent; its open drifts by aspect."""
    actor = Actor("olga", room.project, frozenset({"read", "operate"}), ("operator",))
    found = looking.look_at(db, room.traces, actor, agent)
    return {one.aspect.value: one for one in found}
