"""Watching the reviewers: probes that must be refused, second looks, and what is known of both."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.inbox.world import ADA, BEN, CAT, RIA, asked, look, person, say, use

from opsroom.inbox import Request, Say, Settings, State, commands, probing, queries
from opsroom.inbox.errors import NoProbe, NotApproved, NotYours
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import plain

ROOT = Actor("root", "default", frozenset({"administer"}), ("admin",))


def settings(db: Database, **given: float) -> None:
    with db.write(ROOT) as tx:
        probing.set_settings(tx, replace(Settings(), **given))  # type: ignore[arg-type]  # a test


def known_bad(db: Database) -> Request:
    """Something ria refused, which anybody should refuse."""
    bad = asked(
        db,
        subject="action/act_bad",
        title="Pay to a new account",
        tool="pay",
        why="the account is new",
    )
    say(db, RIA, bad, Say.REJECT, reason="the account belongs to nobody we know")
    with db.write(RIA) as tx:
        probing.keep_as_probe(tx, bad.id)
        probing.keep_as_probe(tx, bad.id)
    return bad


def probed(db: Database) -> Request:
    """The first copy of the known-bad request that turns up."""
    settings(db, probe_share=0.02)
    for n in range(1200):
        asked(db, subject=f"action/act_{n}", why=f"reason {n}", agent="busy")
        with db.read(BEN) as tx:
            found = [
                one.request
                for one in queries.waiting(tx, mine=True)
                if one.request.tool == "pay"
            ]
        if found:
            return found[0]
    raise AssertionError("no probe turned up")


def test_a_probe_looks_like_any_request_and_is_never_executed(
    sqlite_db: Database, clock: ManualClock
) -> None:
    db = sqlite_db
    bad = known_bad(db)
    probe = probed(db)
    assert "probe" not in str(plain(probe)).lower()
    differs = {name for name in plain(bad) if plain(bad)[name] != plain(probe)[name]}
    assert differs <= {
        "id", "state", "asked_at", "due_at", "expires_at", "answers", "answered_at",
        "answered_by", "reason", "revision",
    }  # fmt: skip
    with pytest.raises(NotYours, match="second person"):  # she knows it
        say(db, RIA, probe, Say.REJECT, reason="again")
    done = say(db, BEN, probe)
    assert done.state is State.APPROVED
    clock.move(timedelta(seconds=5))
    with pytest.raises(NotApproved, match="watch over reviewers"):
        use(db, probe)
    with db.read(BEN) as tx:
        # Nothing of it is filed under the action it copies, and it teaches nothing.
        told = [one.event for one, _ in journal.entries(tx, subject="action/act_bad")]
        assert told == ["inbox.rejected", "override.recorded", "inbox.asked"]
        assert len(queries.overrides(tx)) == 1
        (checked, _), *_ = journal.entries(tx, event="inbox.checked")
        found = queries.watched(tx)
    assert checked.facts["passed"] is False
    ben = next(one for one in found.people if one.name == "ben")
    assert (ben.missed.hits, ben.missed.n, ben.answers) == (1, 1, 0)
    pay = next(one for one in found.tools if one.name == "pay")
    assert pay.missed.hits == 1


def test_a_probe_that_is_refused_is_caught_and_no_override(sqlite_db: Database) -> None:
    known_bad(sqlite_db)
    probe = probed(sqlite_db)
    say(sqlite_db, BEN, probe, Say.REJECT, reason="who is that?")
    with sqlite_db.read(BEN) as tx:
        found = queries.watched(tx)
        assert len(queries.overrides(tx)) == 1  # the one of the original
    assert (found.everybody.missed.hits, found.everybody.missed.n) == (0, 1)


def test_without_a_bank_or_a_share_there_are_no_probes(sqlite_db: Database) -> None:
    settings(sqlite_db, probe_share=0.02)
    for n in range(200):
        asked(sqlite_db, subject=f"action/act_{n}")
    settings(sqlite_db, probe_share=0.0)
    known_bad(sqlite_db)
    for n in range(100):
        asked(sqlite_db, subject=f"action/act_x{n}")
    with sqlite_db.read(BEN) as tx:
        assert len(queries.requests(tx, limit=1000)) == 301


def test_only_what_was_rejected_becomes_a_probe(db: Database) -> None:
    request = asked(db)
    with db.write(RIA) as tx, pytest.raises(NoProbe, match="pending"):
        probing.keep_as_probe(tx, request.id)
    say(db, BEN, request)
    with db.write(RIA) as tx, pytest.raises(NoProbe, match="approved"):
        probing.keep_as_probe(tx, request.id)


def test_a_second_person_looks_without_seeing_the_answer(
    sqlite_db: Database, clock: ManualClock
) -> None:
    db = sqlite_db
    settings(db, second_share=0.2)
    copies: list[Request] = []
    for n in range(60):
        request = asked(db, subject=f"action/act_{n}", why=f"reason {n}")
        say(db, BEN, request)
        with db.read(CAT) as tx:
            copies = [one.request for one in queries.waiting(tx, mine=True)]
        if copies:
            break
    (copy,) = copies
    assert copy.answers == ()
    assert copy.answered_by == ""
    with pytest.raises(NotYours):
        say(db, BEN, copy)
    say(db, CAT, copy, Say.REJECT, reason="I would not")
    clock.move(timedelta(seconds=5))
    use(db, request)  # what was decided stays decided
    with db.read(CAT) as tx:
        found = queries.watched(tx)
    assert (found.everybody.disagreed.hits, found.everybody.disagreed.n) == (1, 1)


def test_how_long_it_lay_open_is_measured_by_our_clock(
    db: Database, clock: ManualClock
) -> None:
    request = asked(db)
    with db.write(BEN) as tx:
        commands.opened(tx, request.id)
    clock.move(timedelta(seconds=30))
    with db.write(BEN) as tx:
        commands.opened(tx, request.id)  # the first time counts
    with db.write(CAT) as tx:
        commands.opened(tx, request.id, evidence=True)
    clock.move(timedelta(seconds=12))
    say(db, BEN, request)
    (said,) = look(db, request).answers
    assert said.seconds == 42
    with db.read(BEN) as tx:
        assert not queries.evidence_opened(tx, request.id)
        found = queries.watched(tx)
    assert found.everybody.seconds == {"low": 42}


def test_looking_without_the_right_to_answer_leaves_no_trace(db: Database) -> None:
    request = asked(db)
    for who in (person("eve", "viewer"), ADA):
        with db.write(who) as tx:
            commands.opened(tx, request.id, evidence=True)
    with db.read(person("eve", "viewer")) as tx:
        assert not queries.opened(tx, request.id)
