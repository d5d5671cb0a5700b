"""Levels rest on records alone, move with them, and are the same wherever they are shown."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api import Api
from tests.cadence.world import ADA, close, desk, only, project, start, told
from tests.cadence.world import tick as come_up
from tests.pages import Site

from opsroom.access.table import ROUTES
from opsroom.agents import commands as retirement
from opsroom.cadence.model import Kind
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx
from opsroom.maturity import keeping, queries
from opsroom.maturity.cli import _one, _summary
from opsroom.maturity.errors import NothingAssessed
from opsroom.maturity.model import HIGHEST, Assessment, Criterion, Summary, assess
from opsroom.maturity.recent import Recent
from opsroom.maturity.report import page

CRITERIA = st.lists(
    st.builds(
        Criterion,
        level=st.integers(1, HIGHEST),
        name=st.just("c"),
        met=st.booleans(),
        says=st.just(""),
        records=st.just(()),
        step=st.just("do it"),
    ),
    max_size=12,
)


@given(some=CRITERIA)
def test_a_level_needs_all_below_it_and_never_falls_by_meeting_more(
    some: list[Criterion],
) -> None:
    found = assess("agent/a", "/", some)
    assert all(one.met for one in some if one.level <= found.level)
    assert 0 <= found.level <= max((one.level for one in some), default=0)
    if found.next is not None:
        better = [replace(one, met=True) if one is found.next else one for one in some]
        assert assess("agent/a", "/", better).level >= found.level
        assert found.next.level == min(one.level for one in some if not one.met)


def test_nothing_can_be_ticked_by_hand() -> None:
    routes = [one for one in ROUTES if "maturity" in one]
    assert routes
    assert all(one.startswith("GET ") for one in routes)


def assessed(db: Database, subject: str, by: Actor = ADA) -> Assessment:
    with db.read(by) as tx:
        return queries.assessment(tx, subject)


def met(one: Assessment) -> set[str]:
    return {each.name for each in one.criteria if each.met}


def tick(db: Database) -> int:
    return keeping.look(db)


def test_a_new_agent_is_known_and_told_what_is_missing(db: Database) -> None:
    project(db)
    desk(db, cases=40)
    agent = assessed(db, "agent/customs")
    assert (agent.level, agent.title) == (1, "known")
    assert agent.next is not None
    assert agent.next.step.startswith("measure customs on its cases")
    assert "released through a canary" not in met(agent)
    whole = assessed(db, "project/default")
    assert whole.level == 1
    assert whole.next is not None
    assert whole.next.step == f"agent/customs: {agent.next.step}"
    with pytest.raises(NothingAssessed):
        assessed(db, "agent/nobody")
    with pytest.raises(NothingAssessed):
        assessed(db, "project/other")
    assert assessed(db, "project/other", replace(ADA, project="other")).level == 0


def test_a_level_is_noted_when_it_moves_and_once_a_day(
    db: Database, clock: ManualClock
) -> None:
    project(db)
    desk(db, cases=40)
    assert tick(db) == 3  # the project, the agent, the prompt
    assert tick(db) == 0
    clock.move(timedelta(days=1))
    assert tick(db) == 0
    come_up(db)
    audit = start(db, only(db, Kind.PROMPT_AUDIT))
    close(db, audit)
    clock.move(timedelta(hours=7))
    assert tick(db) == 2  # the prompt, and the agent that cites it
    with db.read(ADA) as tx:
        days = [one.day for one in queries.history(tx, "prompt/customs")]
    assert days == ["2026-11-21", "2026-11-20"]
    assert "audits and reviews are kept in time" in met(assessed(db, "prompt/customs"))
    assert told(db, "maturity.moved").count("agent/customs") == 1  # its level is what it was


def test_an_agent_that_ended_holds_nobody_back(sqlite_db: Database) -> None:
    project(sqlite_db)
    desk(sqlite_db, cases=0)
    with sqlite_db.write(ADA) as tx:
        retirement.retire(tx, "customs", reason="nobody calls it any more")
    with sqlite_db.read(ADA) as tx:
        found = queries.summary(tx)
    assert found.agents == ()
    assert found.project.criteria[0].says == "0 of 0 are not"


def test_what_was_assessed_a_moment_ago_is_shown_with_its_time(
    sqlite_db: Database, clock: ManualClock
) -> None:
    project(sqlite_db)
    project(sqlite_db, "other")
    recent = Recent()

    def seen(by: Actor = ADA) -> Summary:
        with sqlite_db.read(by) as tx:
            return recent.summary(tx)

    first = seen()
    desk(sqlite_db, cases=0)
    assert seen() is first
    assert seen(replace(ADA, project="other")).project.subject == "project/other"
    clock.move(timedelta(minutes=1))
    assert [one.subject for one in seen().agents] == ["agent/customs"]
    assert seen().at == first.at + timedelta(minutes=1)


def test_what_was_released_and_measured_counts(shown: Site) -> None:
    root = shown.api.person("admin")
    found = root.get("/v1/maturity")
    agents = {one["subject"]: one for one in found["agents"]}
    customs = agents["agent/customs-classifier"]
    named = {one["name"]: one for one in customs["criteria"]}
    assert named["released through a canary"]["met"]
    assert named["released through a canary"]["records"][0]["page"].startswith("/releases/")
    assert named["the version in production passed its gate"]["met"]
    prompts = {one["subject"]: one for one in found["prompts"]}
    names = {one["name"]: one for one in prompts["prompt/house-tone"]["criteria"]}
    quotes = {one["name"]: one for one in prompts["prompt/quote-writer"]["criteria"]}
    assert quotes["the version in production was measured"]["met"]  # within its agent
    assert names["came into production by review or release"]["says"].endswith("rollback")


def test_the_terminal_and_the_file_say_the_same(sqlite_api: Api) -> None:
    sqlite_api.project("default")
    desk(sqlite_api.db, cases=40)
    tick(sqlite_api.db)
    viewer = sqlite_api.person("viewer")
    found = viewer.get("/v1/maturity")
    assert "agent/customs" in _summary(found)
    one = viewer.get("/v1/maturity/of", subject="agent/customs")
    assert "L1 a version serves: met" in _one(one)
    assert "2026-11-20  L1" in _one(one)
    assert viewer.refused("GET", "/v1/maturity/of?subject=x/y").code == "nothing_assessed"
    sent = viewer.send("GET", "/v1/maturity/report")
    assert sent.headers["content-disposition"].endswith('maturity-default-2026-11-20.html"')
    assert sent.text == page(found, project="default")
    found["agents"][0]["criteria"][0]["says"] = "<script>alert(1)</script>"
    file = page(found, project="a & b")
    assert "<script" not in file
    assert "Maturity of a &amp; b" in file
    assert f'href="{found["site"]}/agents/customs"' in file
    assert "agent/customs" in viewer.send("GET", "/maturity").text
    assert "a version serves" in viewer.send("GET", "/maturity/agent/customs").text.lower()


def test_a_project_that_cannot_be_assessed_keeps_no_other_from_it(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(sqlite_db, "broken")
    project(sqlite_db, "default")
    summary = queries.summary

    def breaks(tx: Tx) -> Summary:
        if tx.project == "broken":
            raise RuntimeError
        return summary(tx)

    monkeypatch.setattr(queries, "summary", breaks)
    with pytest.raises(RuntimeError):
        tick(sqlite_db)
    assert tick(sqlite_db) == 1
    with sqlite_db.read(ADA) as tx:
        assert queries.history(tx, "project/default")


def test_nobody_waits_while_levels_are_read(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(sqlite_db)
    summary = queries.summary

    def written_meanwhile(tx: Tx) -> Summary:
        with sqlite_db.write(ADA) as other:
            other.record("registry.looked", "project/default")
        return summary(tx)

    monkeypatch.setattr(queries, "summary", written_meanwhile)
    assert tick(sqlite_db) == 1
