"""Alerts open once, are taken on, end, and open anew; nothing of another project is seen."""

from datetime import timedelta
from typing import Any

import pytest
from tests.alerts.world import HOUR, NOON, SYSTEM, end, look, usual_days

from opsroom.actions.model import Final
from opsroom.alerts import commands, looking, queries, reactions, store
from opsroom.alerts.errors import AlertMoved, AlertOver, BrokenMute, MuteNotFound
from opsroom.alerts.model import Every, State, Urgency
from opsroom.app.kinds import KINDS
from opsroom.journal import outbox
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.registry import ArtifactDraft, VersionDraft
from opsroom.registry import commands as registry

OPS = Actor("olga", "default", frozenset({"read", "author", "operate"}), ("operator",))


def failing(db: Database, agent: str = "clerk") -> None:
    with db.write(SYSTEM) as tx:
        end(tx, agent, tx.now - HOUR, [*[Final.DONE] * 28, *[Final.FAILED] * 12])


def test_an_alert_opens_once_and_says_why(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk", "steady")
    failing(db)
    with db.write(SYSTEM) as tx:
        end(tx, "steady", tx.now - HOUR, [Final.DONE] * 40)
    found = look(db)
    assert {(one.rule, one.agent) for one in found} == {
        ("errors-high", "clerk"),
        ("failing-unusually", "clerk"),
    }
    assert look(db) == found  # nothing is due
    clock.move(timedelta(minutes=5))
    again = look(db)
    assert {one.id for one in again} == {one.id for one in found}
    high = next(one for one in again if one.rule == "errors-high")
    assert (high.urgency, high.state, high.ref) == (
        Urgency.CRITICAL,
        State.OPEN,
        "shipped/errors-high",
    )
    assert high.because.startswith("more than 1.5 % of turns fail: ")
    assert "of 35 turns failed" in high.because
    unusual = next(one for one in again if one.rule == "failing-unusually")
    assert unusual.because.endswith("is usual")
    with db.read(SYSTEM) as tx:
        opened = [entry for entry, _ in journal.entries(tx, event="alert.opened")]
    assert {entry.subject for entry in opened} == {one.subject for one in found}
    assert {entry.facts["digest"] for entry in opened} == {one.digest for one in found}


def test_it_resolves_by_itself_after_a_while_of_quiet(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    failing(db)
    assert len(look(db)) == 2
    for minutes, there in ((30, True), (50, True), (10, False)):
        clock.move(timedelta(minutes=minutes))
        rules = {one.rule for one in look(db)}
        assert ({"errors-high", "failing-unusually"} <= rules) is there, minutes
        assert ({"errors-high", "failing-unusually"} & rules != set()) is there, minutes
    with db.read(SYSTEM) as tx:
        over = [one for one in queries.alerts(tx, everything=True) if one.resolved_at]
    assert {one.note for one in over} == {"its condition no longer holds"}
    assert {one.resolved_by for one in over} == {looking.SYSTEM}


def test_people_take_it_on_and_end_it(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    failing(db)
    one = look(db)[0]
    with db.write(OPS) as tx:
        taken = commands.acknowledge(tx, one.id)
    assert (taken.state, taken.acknowledged_by) == (State.ACKNOWLEDGED, "olga")
    with db.write(SYSTEM) as tx:
        assert commands.acknowledge(tx, one.id).acknowledged_by == "olga"
    clock.move(timedelta(minutes=5))
    assert next(two for two in look(db) if two.id == one.id).state is State.ACKNOWLEDGED
    with db.write(OPS) as tx:
        assert commands.resolve(tx, one.id, note="the ledger was down").resolved_by == "olga"
    with pytest.raises(AlertOver), db.write(OPS) as tx:
        commands.acknowledge(tx, one.id)
    with pytest.raises(AlertOver), db.write(OPS) as tx:
        commands.resolve(tx, one.id, note="again")
    clock.move(timedelta(minutes=5))
    anew = [two for two in look(db) if two.rule == one.rule]
    assert [two.id == one.id for two in anew] == [False]


def test_who_comes_second_changes_nothing(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    failing(db)
    one = look(db)[0]
    with db.write(OPS) as tx:
        commands.acknowledge(tx, one.id)
    with pytest.raises(AlertMoved), db.write(OPS) as tx:
        store.save(tx, one)


def test_silence_where_much_is_usual_is_told(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    (only,) = look(db)
    assert (only.rule, only.agent) == ("silent", "clerk")
    assert only.because == "no turn has ended where many are usual: 0 turns, about 40 are usual"


def test_a_security_event_is_told_at_once(db: Database, clock: ManualClock) -> None:
    clock.move(NOON - clock.now())
    with db.write(SYSTEM) as tx:
        store.wind(tx)
    assert look(db) == []
    with db.write(SYSTEM) as tx:
        tx.record("release.security_event", "release/rel_1", what="a canary token was seen")
    outbox.pump(db, reactions.REACTIONS)
    (only,) = look(db)
    assert (only.rule, only.agent, only.urgency) == ("security", "", Urgency.CRITICAL)
    assert "a canary token was seen" in only.because
    assert only.facts["events"] == 1


def test_projects_do_not_see_each_other(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    failing(db)
    elsewhere = Actor("system", "elsewhere", human=False)
    with db.write(elsewhere) as tx:
        store.wind(tx)
        tx.record("release.security_event", "release/rel_1", what="theirs")
    assert looking.look(db, None) == 2
    with db.read(elsewhere) as tx:
        assert [one.rule for one in queries.alerts(tx)] == ["security"]
    with db.read(SYSTEM) as tx:
        assert "security" not in {one.rule for one in queries.alerts(tx)}


def store_rule(db: Database, name: str, *, serves: bool = True, **spec: object) -> None:
    with db.write(OPS) as tx:
        draft = ArtifactDraft(kind="alert-rule", name=name)
        of = registry.create_artifact(tx, draft, kinds=KINDS)
        version = VersionDraft(spec={"description": "ours", **spec})
        made = registry.create_version(tx, "alert-rule", name, version, kinds=KINDS)
        if serves:
            registry.move_label(tx, of, "production", made.number, how="merge", reason="")
    outbox.pump(db, reactions.REACTIONS)


def test_a_rule_of_the_project_takes_the_place_of_a_shipped_one(
    db: Database, clock: ManualClock
) -> None:
    usual_days(db, clock, "clerk")
    failing(db)
    assert "errors-high" in {one.rule for one in look(db)}
    store_rule(db, "errors-high", when="now.failed.low > 0.5")
    store_rule(db, "busy", when="now.turns >= 40", urgency="info")
    live = {one.rule: one for one in look(db)}
    assert live["busy"].ref == "alert-rule/busy@1"
    assert live["errors-high"].state is State.OPEN  # until it was quiet for as long as it says
    with db.read(SYSTEM) as tx:
        found = {rule.name: rule.ref for rule in queries.rules(tx)}
    assert found["errors-high"] == "alert-rule/errors-high@1"
    assert found["silent"] == "shipped/silent"


def test_nobody_switches_a_shipped_rule_off_unseen(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    failing(db)
    store_rule(db, "errors-high", serves=False, when="now.failed.low > 0.9", enabled=False)
    store_rule(db, "busy", serves=False, when="now.turns >= 40")
    live = {one.rule: one.ref for one in look(db)}
    assert live["errors-high"] == "shipped/errors-high"
    assert live["busy"] == "alert-rule/busy@1"


def test_a_rule_that_is_switched_off_ends_its_alerts(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    failing(db)
    look(db)
    store_rule(db, "errors-high", when="now.failed.low > 0.015", enabled=False)
    assert "errors-high" not in {one.rule for one in look(db)}


def test_a_rule_that_cannot_be_decided_stops_no_other(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    failing(db)
    store_rule(db, "odd", when="now.turns == 0 || 1 / (now.turns - 40) > 5")
    assert "errors-high" in {one.rule for one in look(db)}
    with db.read(SYSTEM) as tx:
        assert list(queries.problems(tx)) == ["odd"]


def test_an_incident_shows_what_changed_before_it(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    clock.move(-timedelta(hours=3))
    with db.write(SYSTEM) as tx:
        tx.record("label.moved", "agent/clerk", label="production", before=1, after=2)
    clock.move(timedelta(hours=2))
    with db.write(SYSTEM) as tx:
        tx.record("label.moved", "agent/clerk", label="production", before=2, after=3)
        tx.record("label.moved", "agent/other", label="production", before=2, after=3)
        tx.record("label.moved", "agent/clerk", label="staging", before=2, after=3)
        tx.record("turn.begun", "turn/trn_1", agent="clerk", intent="x")
    clock.move(timedelta(hours=1))
    failing(db)
    one = look(db)[0]
    with db.write(SYSTEM) as tx:
        tx.record("label.moved", "agent/clerk", label="production", before=3, after=4)
    with db.read(SYSTEM) as tx:
        found = queries.incident(tx, one.id)
    assert [entry.facts["after"] for entry in found.changes] == [3, 3, 3]
    assert found.suspect is not None
    assert (found.suspect.subject, found.suspect.facts["label"]) == (
        "agent/clerk",
        "production",
    )


def told(db: Database, event: str) -> list[dict[str, object]]:
    with db.read(SYSTEM) as tx:
        return [entry.facts for entry, _ in journal.entries(tx, event=event)]


def test_what_nobody_takes_on_is_told_again(db: Database, clock: ManualClock) -> None:
    usual_days(db, clock, "clerk")
    store_rule(db, "errors-high", when="usual.turns.level >= 0.0", remind_every=600)
    (one,) = [two for two in look(db) if two.rule == "errors-high"]
    assert one.told_at == clock.now()
    for minutes, times in ((5, 0), (5, 1), (5, 1), (5, 2)):
        clock.move(timedelta(minutes=minutes))
        look(db)
        assert len(
            [1 for facts in told(db, "alert.reminded") if facts["rule"] == one.rule]
        ) == (times)
    with db.write(OPS) as tx:
        commands.acknowledge(tx, one.id)
    clock.move(timedelta(hours=1))
    look(db)
    assert len([1 for facts in told(db, "alert.reminded") if facts["rule"] == one.rule]) == 2


def test_what_is_muted_opens_and_is_told_when_that_ends(
    db: Database, clock: ManualClock
) -> None:
    usual_days(db, clock, "clerk")
    store_rule(db, "always", when="usual.turns.level >= 0.0", remind_every=0)
    with db.write(OPS) as tx:
        until = tx.now + timedelta(minutes=12)
        one = commands.mute(tx, rule="always", agent="clerk", until=until, reason="it moves")
        commands.mute(tx, rule="silent", until=until, reason="it moves")
        elsewhere = commands.mute(tx, agent="other", until=until, reason="it moves")
    opened = {two.rule: two for two in look(db)}
    assert opened["always"].told_at is None
    assert {facts["rule"]: facts["muted"] for facts in told(db, "alert.opened")} == {
        "always": True,
        "silent": True,
    }
    clock.move(timedelta(minutes=10))
    look(db)
    assert told(db, "alert.reminded") == []
    with db.write(OPS) as tx:
        assert commands.unmute(tx, one.id).ended_at == tx.now
    with pytest.raises(MuteNotFound), db.write(OPS) as tx:
        commands.unmute(tx, one.id)
    with db.read(OPS) as tx:
        assert elsewhere in queries.mutes(tx)
    clock.move(timedelta(minutes=5))
    look(db)
    assert {facts["rule"] for facts in told(db, "alert.reminded")} == {"always", "silent"}
    clock.move(timedelta(minutes=5))
    look(db)
    assert len(told(db, "alert.reminded")) == 2
    with db.read(OPS) as tx:
        assert queries.mutes(tx) == []


def test_whoever_was_not_told_of_it_is_not_told_of_its_end(
    db: Database, clock: ManualClock
) -> None:
    usual_days(db, clock, "clerk")
    with db.write(OPS) as tx:
        commands.mute(tx, until=tx.now + timedelta(days=1), reason="the office moves")
    (one,) = look(db)
    with db.write(OPS) as tx:
        commands.resolve(tx, one.id, note="moved")
    assert [facts["muted"] for facts in told(db, "alert.resolved")] == [True]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"until": -1}, "ends before"),
        ({"until": 24 * 8}, "longer than seven days"),
        ({"until": 25, "every": Every.DAY}, "after which it returns"),
        ({"until": 1, "rule": "nothing"}, "no rule 'nothing'"),
        ({"until": 1, "reason": " "}, "nobody said why"),
    ],
)
def test_what_no_mute_can_be(sqlite_db: Database, wrong: dict[str, Any], why: str) -> None:
    given = {"reason": "x", **wrong}
    hours = given.pop("until")
    with pytest.raises(BrokenMute, match=why), sqlite_db.write(OPS) as tx:
        commands.mute(tx, until=tx.now + timedelta(hours=hours), **given)
