"""What scrapers get: the numbers of their project, and without being in anybody's way."""

from datetime import timedelta
from typing import Any

import pytest
from tests.actions.world import CLERK, Office
from tests.alerts.world import SYSTEM, end
from tests.api import Api, Caller
from tests.channels.world import receiver, store, webhook
from tests.feedback import world as feedback
from tests.metrics.parsing import Family, parse
from tests.pages import Site
from tests.telemetry import Room
from tests.traces.otlp import fill, request
from tests.traces.test_spending import SECOND, agent, call

from opsroom.actions.model import Final
from opsroom.alerts import store as alerts
from opsroom.alerts.model import Alert, State, Urgency
from opsroom.channels import store as deliveries
from opsroom.channels.model import Delivery, Notice
from opsroom.channels.model import State as Fate
from opsroom.kit.clock import ManualClock
from opsroom.metrics import collecting
from opsroom.metrics.collecting import DAY_FRESH, FRESH, Metrics
from opsroom.metrics.exposition import CONTENT_TYPE
from opsroom.traces.errors import TelemetryUnavailable
from opsroom.traces.ports import Row


def scrape(by: Caller) -> dict[str, Family]:
    answer = by.send("GET", "/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == CONTENT_TYPE
    return parse(answer.content.decode())


def value(found: dict[str, Family], name: str, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    return sum(
        number
        for key, number in found[name].samples.items()
        if labels.items() <= dict(key).items()
    )


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept from one scrape to the next."""
    monkeypatch.setattr(collecting, "FRESH", 0.0)


def test_an_installation_in_which_nothing_happened(sqlite_api: Api) -> None:
    found = scrape(sqlite_api.program("viewer"))
    assert value(found, "opsroom_telemetry_up") == 0
    assert value(found, "opsroom_inbox_oldest_seconds") == 0
    assert {dict(key)["state"] for key in found["opsroom_releases"].samples} >= {"canarying"}
    assert value(found, "opsroom_journal_entries_total") > 0
    assert "opsroom_turns_ended_last_hour" not in found


def test_what_an_office_does_is_told(api: Api, clock: ManualClock, fresh: None) -> None:
    office = Office(api, clock)
    office.budget("10")
    turn = office.turn()
    office.propose(turn, "look", order="A-1")
    office.propose(turn, "look", nothing="that it knows")
    asked = office.propose(turn, "pay", invoice="R-1", amount=5_000)
    assert asked["kind"] == "pending"
    clock.move(timedelta(minutes=5))
    with api.db.write(SYSTEM) as tx:
        end(tx, CLERK, tx.now - timedelta(minutes=30), [Final.DONE] * 6 + [Final.FAILED] * 2)
        end(tx, CLERK, tx.now - timedelta(hours=3), [Final.DONE] * 5)
    found = scrape(api.program("viewer"))
    turns = "opsroom_turns_ended_last_hour"
    assert value(found, turns, agent=CLERK, version="1", environment="production") == 8
    assert value(found, turns, state="failed") == 2
    actions = "opsroom_actions_last_hour"
    assert value(found, actions, agent=CLERK) == 3
    assert value(found, actions, enforcement="refused", state="denied") == 1
    assert value(found, actions, state="awaiting_approval") == 1
    assert value(found, "opsroom_failed_ratio", agent=CLERK) == 0.25
    low, high = (value(found, f"opsroom_failed_{end}_ratio") for end in ("low", "high"))
    assert 0 < low < 0.25 < high < 1
    assert value(found, "opsroom_malformed_ratio") == pytest.approx(1 / 3)
    assert value(found, "opsroom_inbox_pending", agent=CLERK) == 1
    assert value(found, "opsroom_inbox_oldest_seconds") == 300
    assert value(found, "opsroom_budget_hard_limit", scope="agent", key=CLERK, unit="usd") == 10
    assert "opsroom_cost_last_hour_usd" not in found
    assert "opsroom_model_errors_ratio" not in found


def test_notices_that_did_not_arrive_are_told(
    api: Api, clock: ManualClock, fresh: None
) -> None:
    with receiver() as there:
        store(api.db, "on-call", webhook(there))
    for hours, state in ((1, "pending"), (1, "abandoned"), (30, "abandoned"), (1, "delivered")):
        with api.db.write(SYSTEM) as tx:
            settled = None if state == "pending" else tx.now - timedelta(hours=hours)
            notice = Notice(
                event="alert.opened", at=tx.now, project="default", actor="system", subject="x",
                title="x", note="", tone="", page="", seq=1, facts={},
            )  # fmt: skip
            deliveries.add(
                tx,
                Delivery(
                    id=tx.ids.new("dlv"), channel="on-call", ref="channel/on-call@1",
                    digest="0" * 64, notice=notice, state=Fate(state), attempts=1,
                    next_at=tx.now, created_at=tx.now, settled_at=settled,
                ),
            )  # fmt: skip
    found = scrape(api.program("viewer"))
    assert found["opsroom_deliveries"].samples == {
        (("channel", "on-call"), ("state", "abandoned")): 1,
        (("channel", "on-call"), ("state", "pending")): 1,
    }


def test_alerts_and_the_site_of_a_working_day(shown: Site, fresh: None) -> None:
    with shown.api.db.write(SYSTEM) as tx:
        alerts.add(
            tx,
            Alert(
                id=tx.ids.new("alt"), rule="r", ref="shipped/r", digest="0" * 64, agent="desk",
                urgency=Urgency.CRITICAL, state=State.OPEN, because="x", facts={},
                opened_at=tx.now, seen_at=tx.now, seq=1,
            ),
        )  # fmt: skip
    found = scrape(shown.api.program("viewer"))
    assert value(found, "opsroom_alerts", urgency="critical", state="open", agent="desk") == 1
    assert value(found, "opsroom_releases", state="canarying") == 1
    assert value(found, "opsroom_releases", state="rolled_back") >= 1


def test_a_project_sees_only_its_own(sqlite_api: Api, clock: ManualClock) -> None:
    with sqlite_api.db.write(SYSTEM) as tx:
        end(tx, CLERK, tx.now - timedelta(minutes=30), [Final.DONE])
    sqlite_api.project("other")
    assert "opsroom_turns_ended_last_hour" in scrape(sqlite_api.program("viewer"))
    found = scrape(sqlite_api.program("viewer", project="other"))
    assert "opsroom_turns_ended_last_hour" not in found


def test_agents_may_not_look(sqlite_api: Api) -> None:
    refusal = sqlite_api.program("agent", agent=CLERK).refused("GET", "/metrics")
    assert refusal.code == "may_not"


def test_many_scrapers_cost_as_much_as_one(sqlite_api: Api) -> None:
    seconds = [0.0]
    metrics = Metrics(sqlite_api.db, seconds=lambda: seconds[0])
    telemetry = sqlite_api.app.state.traces
    first = metrics.of("default", telemetry)
    seconds[0] = FRESH - 0.1
    assert metrics.of("default", telemetry) is first
    seconds[0] = FRESH
    assert metrics.of("default", telemetry) is not first


def test_a_scrape_waits_for_no_writer(sqlite_api: Api) -> None:
    viewer = sqlite_api.program("viewer")
    with sqlite_api.db.write(SYSTEM) as tx:
        end(tx, CLERK, tx.now - timedelta(minutes=30), [Final.DONE])
        found = scrape(viewer)  # what is not committed is not told, either
    assert "opsroom_turns_ended_last_hour" not in found


def test_the_busiest_agents_are_told(
    sqlite_api: Api, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "MOST_AGENTS", 2)
    with sqlite_api.db.write(SYSTEM) as tx:
        for number, name in enumerate(("idle", "busy", "busier", "rare")):
            finals = [Final.DONE] * (number % 3 + 1)
            end(tx, name, tx.now - timedelta(minutes=30), finals)
    found = scrape(sqlite_api.program("viewer"))
    told = {dict(key)["agent"] for key in found["opsroom_turns_ended_last_hour"].samples}
    assert told == {"busy", "busier"}
    assert value(found, "opsroom_agents_left_out") == 2


def sent(room: Room) -> None:
    now = int(room.clock.now().timestamp()) * SECOND
    lately = {"start": now - 600 * SECOND, "end": now - 599 * SECOND}
    trace = "c" * 32
    room.send(
        request(
            agent(trace, "1", "clerk", **lately),
            call(trace, "2", **lately),
            call(trace, "3", status=2, **lately),
            {"trace": trace, "id": "4" * 16, "name": "execute_tool", "gen_ai.tool.name": "look",
             "gen_ai.operation.name": "execute_tool", **lately},
        )
    )  # fmt: skip
    room.settle()


def test_what_telemetry_knows_is_told(sqlite_api: Api, room: Room) -> None:
    sqlite_api.app.state.traces = room.traces
    sqlite_api.project(room.project)
    sent(room)
    found = scrape(sqlite_api.program("viewer", project=room.project))
    assert value(found, "opsroom_telemetry_up") == 1
    for name in ("opsroom_cost_last_hour_usd", "opsroom_cost_last_day_usd"):
        assert value(found, name, agent="clerk") == pytest.approx(0.007)
    assert value(found, "opsroom_model_calls_last_hour", agent="clerk") == 2
    assert value(found, "opsroom_model_errors_ratio", agent="clerk") == 0.5
    model = "gpt-4o-2024-08-06"
    assert value(found, "opsroom_model_spans_last_hour", model=model) == 2
    assert value(found, "opsroom_model_span_errors_last_hour", model=model) == 1
    assert value(found, "opsroom_model_tokens_last_hour", model=model, kind="input") == 2000
    assert value(found, "opsroom_model_duration_seconds", quantile="0.95") == pytest.approx(1)
    assert value(found, "opsroom_tool_spans_last_hour", tool="look") == 1
    assert value(found, "opsroom_tool_duration_seconds", tool="look", quantile="0.5") == (
        pytest.approx(1)
    )


def test_what_evaluators_say_is_told_with_how_many_they_were(
    sqlite_api: Api, room: Room
) -> None:
    sqlite_api.app.state.traces = room.traces
    sqlite_api.project(room.project)
    said = "gen_ai.evaluation"

    def verdict(label: str, score: float) -> dict[str, Any]:
        return {
            f"{said}.name": "adherence",
            f"{said}.score.label": label,
            f"{said}.score.value": score,
        }

    now = int(room.clock.now().timestamp()) * SECOND
    lately = {"start": now - 600 * SECOND, "end": now - 599 * SECOND}
    trace = "d" * 32
    judged = request(
        agent(trace, "1", "clerk", **lately),
        call(trace, "2", **lately),
        {"trace": trace, "id": "3" * 16, "gen_ai.operation.name": "evaluation", **lately}
        | verdict("fail", 0.25),
    )
    events = judged.resource_spans[0].scope_spans[0].spans[1].events
    for score in (0.5, 0.75):
        fill(events.add(name="gen_ai.evaluation.result").attributes, verdict("pass", score))
    events.add(name="gen_ai.choice")
    room.send(judged)
    found = scrape(sqlite_api.program("viewer", project=room.project))
    told = {"agent": "clerk", "evaluation": "adherence"}
    assert value(found, "opsroom_evaluations_last_day", label="pass", **told) == 2
    assert value(found, "opsroom_evaluations_last_day", label="fail", **told) == 1
    assert value(found, "opsroom_evaluations_last_day") == 3
    assert value(found, "opsroom_evaluation_scores_last_day", **told) == 3
    assert value(found, "opsroom_evaluation_score_mean", **told) == pytest.approx(0.5)
    assert value(found, "opsroom_evaluation_score_stddev", **told) == pytest.approx(0.25)


def test_what_users_said_is_told_by_question_and_answer(sqlite_api: Api) -> None:
    feedback.hire(sqlite_api.db)
    for helpful, accurate in ((True, None), (True, False), (False, None)):
        turn = feedback.turn(sqlite_api.db)
        feedback.give(
            sqlite_api.db, f"turn/{turn.id}", helpful=helpful, accurate=accurate, by=turn.id
        )
    found = scrape(sqlite_api.program("viewer"))
    told = {
        (dict(key)["question"], dict(key)["answer"]): times
        for key, times in found["opsroom_feedback_answers_last_day"].samples.items()
    }
    assert told == {
        ("helpful", "yes"): 2,
        ("helpful", "no"): 1,
        ("accurate", "yes"): 0,
        ("accurate", "no"): 1,
    }


def test_a_day_of_spans_is_read_every_five_minutes(sqlite_api: Api, room: Room) -> None:
    seconds = [0.0]
    metrics = Metrics(sqlite_api.db, seconds=lambda: seconds[0])

    def costs() -> list[float]:
        found = parse(metrics.of(room.project, room.traces).text)
        names = ("opsroom_cost_last_hour_usd", "opsroom_cost_last_day_usd")
        return [value(found, name) if name in found else 0.0 for name in names]

    room.spans()
    assert costs() == [0, 0]
    sent(room)
    seconds[0] += FRESH
    assert costs() == pytest.approx([0.007, 0])
    seconds[0] = DAY_FRESH
    assert costs() == pytest.approx([0.007, 0.007])


def test_spans_that_were_sent_are_counted(sqlite_api: Api, room: Room, fresh: None) -> None:
    sqlite_api.app.state.traces = room.traces
    sqlite_api.project(room.project)
    good, bad = {"id": "a" * 16}, {"id": "b" * 16, "trace": "0" * 32}
    body = request(good, bad).SerializeToString()
    answer = sqlite_api.program("agent", project=room.project).send(
        "POST", "/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"}
    )
    assert answer.status_code == 200
    found = scrape(sqlite_api.program("viewer", project=room.project))
    assert value(found, "opsroom_spans_total", state="stored") == 1
    assert value(found, "opsroom_spans_total", state="rejected") == 1


class Away:
    """A store of telemetry that was there once."""

    in_use = True

    def __init__(self, room: Room) -> None:
        self.stored, self.rejected = room.traces.stored, room.traces.rejected

    def rows(self, sql: str, parameters: Any = None) -> list[Row]:
        raise TelemetryUnavailable("it is away")

    def close(self) -> None:
        """There is nothing to let go of."""


def test_without_an_answer_of_telemetry_the_rest_is_told(sqlite_api: Api, room: Room) -> None:
    sqlite_api.app.state.traces = Away(room)
    found = scrape(sqlite_api.program("viewer"))
    assert value(found, "opsroom_telemetry_up") == 0
    assert value(found, "opsroom_journal_entries_total") > 0
    assert "opsroom_cost_last_hour_usd" not in found
