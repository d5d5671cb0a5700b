"""Another model than before is noticed once, and what a trace costs is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.retraining.world import ADA, AGENT, desk
from tests.telemetry import Room
from tests.traces.otlp import request

from opsroom.access import store as access
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.retraining import looking, queries
from opsroom.retraining.looking import Change, news
from opsroom.retraining.model import Trigger
from opsroom.traces.spending import Served

NOW = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def served(model: str, *, first: timedelta, last: timedelta = HOUR) -> Served:
    return Served(model=model, traces=9, first=NOW - first, last=NOW - last)


OLD = served("m-0401", first=9 * DAY, last=DAY)
NEW = served("m-1101", first=3 * HOUR)


@pytest.mark.parametrize(
    ("seen", "named", "then"),
    [
        ([], (), None),
        ([OLD], (), None),
        ([NEW], (), None),
        ([NEW, OLD], (), Change("m-0401", "m-1101", NEW.first)),
        ([NEW, OLD], ("m-1101",), None),
        ([served("m-1101", first=2 * DAY), OLD], (), None),
    ],
)
def test_news(seen: list[Served], named: tuple[str, ...], then: Change | None) -> None:
    assert news(seen, named, now=NOW) == then


def chats(
    now: datetime, models: list[tuple[timedelta, str]], agent: str
) -> list[dict[str, Any]]:
    """Calls of models that began so long ago, each a trace of its own, at a known price."""
    spans: list[dict[str, Any]] = []
    for number, (ago, model) in enumerate(models, 1):
        start = int((now - ago).timestamp()) * 1_000_000_000
        spans.append(
            {
                "trace": f"{number:032x}",
                "id": f"{number:016x}",
                "name": f"chat {model}",
                "gen_ai.operation.name": "chat",
                "gen_ai.agent.name": agent,
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.response.model": model,
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 100,
                "start": start,
                "end": start + 1_000_000,
            }
        )
    return spans


def looked(db: Database, room: Room) -> int:
    looks = 0
    while looking.overdue(db):
        looks += looking.look(db, room.traces)
    return looks


def test_another_model_than_before_is_noticed_once(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    db = sqlite_db
    here = Actor("ada", room.project, ADA.may, ADA.roles)
    with db.write(here) as tx:
        access.add_project(tx, room.project)
    desk(db, cases=0, by=here)
    now = clock.now()
    before = [(DAY * day, "gpt-4o-2024-05-13") for day in range(2, 9)]
    room.send(
        request(
            *chats(
                now,
                [*before, (3 * HOUR, "gpt-4o-2024-08-06"), (HOUR, "gpt-4o-2024-08-06")],
                AGENT,
            )
        )
    )
    room.settle()
    assert looked(db, room) == 1
    assert looked(db, room) == 0
    clock.move(looking.EVERY)
    looked(db, room)
    with db.read(here) as tx:
        (one,) = queries.entries(tx)
    assert one.times == 1
    assert one.reasons[0].trigger is Trigger.MODEL
    assert one.reasons[0].models == ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06")
    assert (
        "gpt-4o-2024-08-06 serves it since 2026-11-19 21:00 UTC, gpt-4o-2024-05-13 did before"
        in (one.reasons[0].because)
    )
    assert one.cost.usd is not None
    assert one.cost.usd > 0
    assert one.cost.because.endswith("the mean of a trace in seven days")
