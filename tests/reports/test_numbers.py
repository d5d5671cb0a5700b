"""Every report against numbers that were counted by hand, on both engines."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.alerts.test_counting import spend
from tests.api import Api
from tests.reports.world import ADA, Known
from tests.telemetry import Room

from opsroom.budgets import commands as budgets
from opsroom.budgets.model import BudgetDraft, Scope, Unit
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.reports import failing, queries, writing
from opsroom.reports.model import Answer, Ask, Mean, Rate, rate

SITE = "https://ops.example.org"


def told(answer: Answer) -> dict[str, Any]:
    return {one.name: one.value for one in answer.facts}


def rows(answer: Answer, *keys: str) -> list[tuple[Any, ...]]:
    """The cells of these columns; rates as hits and n."""

    def cell(value: Any) -> Any:
        return (value.hits, value.n) if isinstance(value, Rate) else value

    return [tuple(cell(row.cells[key]) for key in keys) for row in answer.rows]


def test_every_report_says_what_was_counted_by_hand(
    api: Api, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Known(api, clock)

    prompts = known.report("prompts")
    assert rows(prompts, "prompt", "production", "agents", "names", "gate", "evaluation") == [
        ("greet", "prompt/greet@1", 1, "clerk", "passed", "1 runs"),
        ("idle", "prompt/idle@1", 0, "", "never", "never"),
        ("tone", None, 1, "clerk", None, None),
    ]
    assert list(told(prompts).values()) == [3, 2, 1, 1, 1, 2, 1]
    assert [row[0] for row in rows(known.report("prompts", agent="clerk"), "prompt")] == [
        "greet",
        "tone",
    ]

    failing = known.report("failing-prompts", least=5)
    shown = ("prompt", "cases", "turns", "voices", "agents")
    # Of the third version, measured last, 3 of 60 went wrong; of the second 30, which is past.
    assert rows(failing, *shown) == [
        ("greet", (3, 60), (1, 5), (1, 4), "clerk"),
        ("tone", (3, 60), (1, 5), (1, 4), "clerk"),
    ]
    assert failing.rows[0].cells["cases"] == rate(3, 60)
    assert list(told(failing).values()) == [2, 2, 0]
    assert list(told(known.report("failing-prompts", least=61)).values()) == [2, 0, 2]

    satisfied = known.report("satisfaction")
    assert rows(satisfied, "use_case", "agent", "voices", "helpful", "accurate") == [
        ("booking", "clerk", 3, (2, 3), (0, 0)),
        ("paying", "clerk", 1, (1, 1), (0, 0)),
    ]
    assert told(satisfied)["helpful"] == rate(3, 4)
    assert not known.report("satisfaction", agent="desk").rows

    exposed = known.report("exposure")
    keys = ("contract", "tier", "actions", "alone", "asked", "granted", "stopped", "refused")
    assert rows(exposed, *keys, "overridden") == [
        ("contract/book@1", "write", 3, (2, 2), 0, 0, 0, 1, (0, 3)),
        ("contract/pay@1", "write", 2, (0, 2), 2, 1, 1, 0, (1, 2)),
        ("contract/look@1", "read", 1, (1, 1), 0, 0, 0, 0, (0, 1)),
    ]
    assert list(told(exposed).values()) == [3, 0, 6, rate(3, 5), 2, 1]

    _changes(known)
    _files(known, api)
    _limits(known, monkeypatch)


def _limits(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = known.office.turn()
    for order in range(3):
        known.office.propose(turn, "look", key=f"more {order}", order="1")
    known.clock.move(timedelta(minutes=1))
    exposed = known.report("exposure", limit=1)
    assert rows(exposed, "contract", "actions") == [("contract/book@1", 3)], "not what is most"
    assert told(exposed)["actions"] == 9
    assert exposed.notes[-1] == "Only the first 1 workflows are in the table."
    monkeypatch.setattr(failing, "MOST_RESULTS", 30)
    cut = known.report("failing-prompts", least=5)
    (read,) = {row.cells["cases"].n for row in cut.rows if isinstance(row.cells["cases"], Rate)}
    assert read == 30
    assert "Only the newest 30 cases were read." in cut.notes


def _changes(known: Known) -> None:
    desk = known.report("changes", agent="desk")
    assert list(told(desk).values()) == [7, 1, 2]
    moved, merged, opened, imported, *made = rows(
        desk, "what", "version", "through", "approved"
    )
    through = merged[2]
    assert through.startswith("proposal/prp_")
    approved = "ben (reviewer, risk)"
    assert moved[1:] == merged[1:] == ("agent/desk@2", through, approved)
    assert opened[1:] == ("agent/desk@2", through, approved)
    assert imported[1:] == ("agent/desk@1", "", "")
    assert [one[1] for one in made] == ["agent/desk@2", "agent/desk@1", ""]
    assert {row[0] for row in rows(desk, "by")} == {"ada"}
    everything = known.report("changes")
    assert told(everything)["agents changed"] == 2
    # The same page by page.
    page, seen = known.report("changes", limit=3), list[Any]()
    while True:
        seen += rows(page, "entry", "through")
        if not page.next:
            break
        page = known.report("changes", limit=3, after=page.next)
    assert seen == rows(everything, "entry", "through")


def _files(known: Known, api: Api) -> None:
    viewer = api.person("viewer")
    given = {"since": known.began.isoformat(), "until": known.clock.now().isoformat()}
    text = viewer.send("GET", "/v1/reports/changes", params={**given, "format": "csv"}).text
    table = list(csv.DictReader(io.StringIO(text)))
    assert [one["entry"] for one in table] == [
        str(one[0]) for one in rows(known.report("changes"), "entry")
    ]
    assert "'=n is cheaper" in [one["because"] for one in table], "no formula for a spreadsheet"
    text = viewer.send("GET", "/v1/reports/exposure", params={**given, "format": "csv"}).text
    book = next(csv.DictReader(io.StringIO(text)))
    assert (book["alone"], book["alone_hits"], book["alone_n"]) == ("1.000000", "2", "2")
    assert float(book["alone_low"]) == pytest.approx(0.1581, abs=1e-4)
    found = viewer.get("/v1/reports/exposure", **given)
    assert found["rows"][1]["cells"]["alone"]["n"] == 2
    html = viewer.send("GET", "/v1/reports/changes", params={**given, "format": "html"})
    assert html.headers["content-disposition"].startswith("attachment")
    assert "<script" not in html.text
    assert "src=" not in html.text
    for name in ("prompts", "failing-prompts", "satisfaction", "changes", "exposure"):
        api.app.state.traces = None
        page = viewer.send("GET", f"/reports/{name}", params={**given, "least": 5})
        assert page.status_code == 200, page.text
        assert found["title"] in page.text or name != "exposure"


def test_cost_that_no_budget_covers_is_named_and_not_held_against_the_plan(
    sqlite_db: Database, clock: ManualClock, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = Actor("ada", room.project, ADA.may, ADA.roles)
    spend(room, 10, ago=timedelta(days=1))
    room.settle()
    clock.move(timedelta(minutes=1))
    asked = Ask(since=clock.now() - timedelta(days=7), until=clock.now())

    def cost() -> Answer:
        with sqlite_db.read(actor) as tx:
            return queries.answer(tx, "cost", asked, telemetry=room.traces)

    def allow(scope: Scope, key: str, hard: str) -> None:
        draft = BudgetDraft(
            scope=scope, key=key, unit=Unit.USD, hard=Decimal(hard), window=timedelta(days=7)
        )
        with sqlite_db.write(actor) as tx:
            budgets.set_budget(tx, draft)

    allow(Scope.TEAM, "sales", "1")
    assert "of the plan" not in told(cost())
    assert any("plan is of teams" in one for one in cost().notes)
    allow(Scope.AGENT, "desk", "0.01")
    found = told(cost())
    assert (found["cost"], found["cost that is planned for"]) == ("0.035000", "0.000000")
    assert (found["planned"], found["of the plan"]) == ("0.010000", "0.0 %")
    assert any(one.endswith("no budget covers it: clerk.") for one in cost().notes)
    allow(Scope.AGENT, "*", "0.07")
    found = told(cost())  # of each agent: clerk 0.07, desk the tighter 0.01
    assert (found["planned"], found["of the plan"]) == ("0.080000", "43.8 %")
    monkeypatch.setattr("opsroom.reports.cost.MOST_BUDGETS", 2)
    assert any("Only the 2 oldest budgets" in one for one in cost().notes)


def test_cost_is_held_against_what_budgets_allow(
    db: Database, clock: ManualClock, room: Room
) -> None:
    actor = Actor("ada", room.project, ADA.may, ADA.roles)
    with db.write(actor) as tx:
        for key, hard in (("clerk", 7), ("desk", 3)):
            draft = BudgetDraft(
                scope=Scope.AGENT,
                key=key,
                unit=Unit.USD,
                hard=Decimal(hard),
                window=timedelta(days=7),
            )
            budgets.set_budget(tx, draft)
    for day in range(1, 9):  # eight tasks of ten calls at 0.0035 dollars, in eight of ten days
        spend(room, 10, ago=timedelta(days=day, hours=-1))
    room.settle()
    clock.move(timedelta(minutes=1))
    asked = Ask(since=clock.now() - timedelta(days=14), until=clock.now())
    with db.read(actor) as tx:
        found = queries.answer(tx, "cost", asked, telemetry=room.traces)
    facts = told(found)
    assert facts["cost"] == "0.280000"
    assert facts["planned"] == "20.000000"  # ten dollars a week, for two weeks
    assert facts["of the plan"] == "1.4 %"
    assert rows(found, "agent", "traces", "cost", "plan", "difference") == [
        ("clerk", 8, "0.280000", "14.000000", "-13.720000"),
        ("desk", 0, "0.000000", "6.000000", "-6.000000"),
    ]
    each = found.rows[0].cells["each"]
    assert isinstance(each, Mean)
    assert each.mean == pytest.approx(0.035)
    assert each.n == 8
    assert found.rows[1].cells["each"] is None
    line = list(writing.lines([found], site=SITE))[1]
    assert line.startswith("clerk,8,0.280000,14.000000,-13.720000,0.035000,8,")
