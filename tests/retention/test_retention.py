"""People are erased for good, what is held stays, what is old goes; and the journal stays whole."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.actions.world import BEN, SYSTEM, Office
from tests.api import Api
from tests.keyring import KEYRING

from opsroom.access import commands as access
from opsroom.access import store as access_store
from opsroom.access.model import permissions_of
from opsroom.actions import executing, proposing, turn_store
from opsroom.actions import store as action_store
from opsroom.actions.model import Proposal
from opsroom.actions.store import actions
from opsroom.approvals.store import approvals
from opsroom.inbox import override_store, overriding
from opsroom.inbox import store as request_store
from opsroom.inbox.model import OverrideDraft, Say
from opsroom.inbox.store import requests
from opsroom.journal import checkpoints, files, proofs, queries
from opsroom.journal import verify_journal as stranger
from opsroom.journal.checkpoints import Notary
from opsroom.kit import shredding
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx, sqlite_module
from opsroom.retention import commands, rounds
from opsroom.retention.errors import HeldBack, HoldNotFound, KeptTooShort, NobodyNamed
from opsroom.retention.model import Rules, Scope, Whom
from opsroom.retention.routes import erased

ROOT = Actor("root", "default", permissions_of(("admin",)), ("admin",))
SECRETS = (b"Quillfeather", b"DE89370400440532013000", b"rheumatism", b"wigwam", b"zeppelin")
ZOE = Whom(user="zoe")


@pytest.fixture
def office(sqlite_api: Api, clock: ManualClock) -> Office:
    with sqlite_api.db.write(SYSTEM) as tx:
        access.first_run(tx)
    return Office(sqlite_api, clock)


def live(office: Office, human: str = "zoe") -> tuple[str, str]:
    """A turn in which an agent pays somebody's invoice, and people say much about it."""
    turn = office.turn(intent="Pay Quillfeather", human=human, subject="case-4711")
    office.clerk.post(
        f"/v1/turns/{turn}/texts", {"pieces": [{"voice": "user", "text": "my rheumatism"}]}
    )
    office.clerk.post(f"/v1/turns/{turn}/plan", {"plan": "pay Quillfeather"})
    asked = office.propose(turn, "pay", invoice="DE89370400440532013000", amount=1500)
    action = str(asked["id"])
    office.approve(
        asked["request"],
        Say.EDIT,
        reason="a wigwam",
        arguments={"invoice": "DE89370400440532013000", "amount": 1200},
    )
    office.grace()
    office.answered(action, "inbox.edited")
    office.begin(action)
    office.report(action, "failed", error="no account of Quillfeather")
    admin = office.api.person("admin")
    admin.post(
        "/v1/feedback", {"subject": f"turn/{turn}", "by": human, "text": "a zeppelin came"}
    )
    office.clerk.post(f"/v1/turns/{turn}/final", {"final": "done", "result": "rheumatism"})
    return turn, action


def stored(db: Database) -> bytes:
    """Everything that lies on the disk, in the database and in its log."""
    path = Path(str(db.engine.url.database))
    return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))


def test_an_erased_person_is_not_in_any_byte_and_the_journal_is_whole(
    office: Office, tmp_path: Path
) -> None:
    db, notary = office.db, Notary(tmp_path / "installation")
    turn, action = live(office)
    other = office.turn(intent="Pay another", human="yan")
    before = checkpoints.make(db, notary)
    with db.read(SYSTEM) as tx:
        begun = queries.entries(tx, event="turn.begun", subject=f"turn/{turn}")[0][0]
        wrapped = list(tx.conn.execute(select(shredding.keys.c.sealed)).scalars())
        assert begun.facts["intent"] == "Pay Quillfeather"
    assert office.action(action).arguments["invoice"] == "DE89370400440532013000"

    admin = office.api.person("admin")
    looked = admin.post("/v1/retention/erasures", {"user": "zoe"})
    assert (looked["turns"], looked["actions"], looked["feedback"]) == (1, 1, 1)
    assert not looked["done"]
    assert office.action(action).arguments["invoice"] == "DE89370400440532013000"
    told = admin.post("/v1/retention/erasures", {"user": "zoe", "dry_run": False})
    assert told["done"]
    assert told["keys"] == looked["keys"] > 3

    with db.read(SYSTEM) as tx:
        kept = set(tx.conn.execute(select(shredding.keys.c.sealed)).scalars())
        facts = queries.entries(tx, event="turn.begun", subject=f"turn/{turn}")[0][0].facts
    gone = [one.encode() for one in wrapped if one not in kept]
    lies = stored(db)
    assert len(gone) == told["keys"]
    assert not [one for one in (*gone, *SECRETS) if one in lies]
    assert facts["intent"].startswith("erased; SHA-256 ")
    assert list(office.action(action).arguments) == ["erased"]
    assert office.action(action).digest
    assert office.clerk.get(f"/v1/turns/{other}")["turn"]["intent"] == "Pay another"

    after = checkpoints.make(db, notary)
    with db.read(SYSTEM) as tx:
        lines = [line.encode() for line in files.lines(queries.chain(tx))]
        proof = proofs.entry(tx, begun.seq, size=after.size, note=after.note)
        assert checkpoints.verify(tx, notary).seq == after.size
    newer = stranger.read_checkpoint(after.note, stranger.read_key(after.key))
    older = stranger.read_checkpoint(before.note, stranger.read_key(before.key))
    assert stranger.check_journal(lines, newer, older) == after.size
    shown = {"seq": proof.seq, "size": proof.size, "record": proof.record, "path": proof.path}
    assert stranger.check_entry(json.dumps(shown), newer) == begun.seq


def test_what_a_copy_says_can_still_be_shown_to_be_the_same(office: Office) -> None:
    turn, _ = live(office)
    with office.db.write(ROOT) as tx:
        commands.erase(tx, ZOE)
    intent = office.clerk.get(f"/v1/turns/{turn}")["turn"]["intent"]
    with office.db.write(ROOT) as tx:
        again = shredding.seal(tx, f"turn/{turn}", "Pay Quillfeather")
    assert (
        again == f"p1.{intent.removeprefix(shredding.GONE)}."
    )  # only the hash; no key is made anew


def test_erasing_again_finds_nothing_more(office: Office) -> None:
    live(office)
    with office.db.write(ROOT) as tx:
        assert commands.erase(tx, ZOE)[0].keys > 0
    with office.db.write(ROOT) as tx:
        assert commands.erase(tx, ZOE)[0].keys == 0
        told = tx.events[-1]
    assert "zoe" not in json.dumps(told.facts)


@pytest.mark.parametrize(
    ("scope", "what"),
    [
        (Scope.PROJECT, ""),
        (Scope.AGENT, "clerk"),
        (Scope.SUBJECT, "zoe"),
        (Scope.SUBJECT, "case-4711"),
    ],
)
def test_a_hold_stops_erasing_and_retention(office: Office, scope: Scope, what: str) -> None:
    live(office)
    with office.db.write(ROOT) as tx:
        commands.set_rules(tx, Rules(action_days=183, feedback_days=1))
        held = commands.hold(tx, scope, what, why="a lawsuit")
    with office.db.write(ROOT) as tx, pytest.raises(HeldBack):
        commands.erase(tx, ZOE)
    office.clock.move(timedelta(days=400))
    assert _round(office) == 0
    with office.db.write(ROOT) as tx:
        commands.release(tx, held.id, because="it was settled")
        with pytest.raises(HoldNotFound):
            commands.release(tx, held.id, because="it was settled")
    office.clock.move(timedelta(hours=2))
    assert _round(office) == 2  # the turn with its action, and the words of feedback


def test_a_hold_on_a_case_keeps_what_others_said_of_it(office: Office) -> None:
    turn, _ = live(office)
    said = {"subject": f"turn/{turn}", "by": "bo", "text": "I saw it"}
    office.api.person("admin").post("/v1/feedback", said)
    with office.db.write(ROOT) as tx:
        commands.hold(tx, Scope.SUBJECT, "case-4711", why="a lawsuit")
        with pytest.raises(HeldBack):
            commands.look(tx, Whom(user="bo"))


def test_old_actions_go_with_requests_and_approvals_and_young_ones_stay(office: Office) -> None:
    live(office)
    with office.db.write(ROOT) as tx:
        commands.set_rules(tx, Rules(action_days=183))
    office.clock.move(timedelta(days=182))
    live(office)
    assert _round(office) == 0
    office.clock.move(timedelta(days=2))
    assert _round(office) == 1
    with office.db.read(SYSTEM) as tx:
        counts = [
            tx.conn.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (actions, requests, approvals)
        ]
        told = queries.entries(tx, event="retention.applied")[0][0].facts
        checkpoints.verify(tx, None)
    assert counts == [1, 1, 1]
    assert (told["turns"], told["actions"]) == (1, 1)


@pytest.mark.parametrize("days", [0, 1, 182, 40_000])
def test_actions_are_kept_for_half_a_year_at_least(office: Office, days: int) -> None:
    with office.db.write(ROOT) as tx, pytest.raises(KeptTooShort):
        commands.set_rules(tx, Rules(action_days=days))


@pytest.mark.parametrize("whom", [Whom(), Whom(user="a", subject="b")])
def test_erasing_names_exactly_one(office: Office, whom: Whom) -> None:
    with office.db.read(ROOT) as tx, pytest.raises(NobodyNamed):
        commands.look(tx, whom)


def test_a_value_survives_sealing_on_every_engine(db: Database) -> None:
    values: list[Any] = ["ä\u20ac", {"a": [1, None]}, 0.5, True]
    with db.write(BEN) as tx:
        sealed = [{"v": shredding.seal(tx, "turn/1", one)} for one in values]
    with db.read(BEN) as tx:
        assert shredding.sealed_by(tx) == {KEYRING.keys[0].id}
        assert [row["v"] for row in shredding.opened(tx, sealed)] == values
    with db.write(BEN) as tx:
        assert shredding.shred(tx, ["turn/1", "turn/2"]) == 1
    shredding.scrub(db.engine)
    with db.read(BEN) as tx:
        assert all(row["v"].startswith(shredding.GONE) for row in shredding.opened(tx, sealed))
        assert KEYRING.keys[0].secret.hex() not in repr(tx)


def _round(office: Office) -> int:
    """What the clock does, as often as it takes."""
    done = 0
    while rounds.overdue(office.db):
        done += rounds.look(office.db)
    return done


def test_a_project_where_nothing_can_be_removed_keeps_no_other_from_it(
    office: Office, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _round(office)
    clock.move(rounds.EVERY)
    looked: list[str] = []

    def breaks(tx: Tx, *, limit: int) -> int:
        looked.append(tx.project)
        raise RuntimeError

    with office.db.write(BEN) as tx:
        access_store.add_project(tx, "other")
    monkeypatch.setattr(commands, "remove_old", breaks)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            rounds.look(office.db)
    assert sorted(looked) == ["default", "other"]


def test_what_is_written_after_an_erasure_leaves_the_hashes_as_they_were(
    office: Office,
) -> None:
    """Somebody saves a row that was shredded: the hash of the placeholder stands for nothing."""
    turn, action = live(office)
    with office.db.write(SYSTEM) as tx:
        keys = tx.conn.execute(select(shredding.keys.c.of)).scalars().all()
        shredding.shred(tx, keys)
    before = _hashes(office.db)
    assert len(before) > 8
    with office.db.write(SYSTEM) as tx:
        for of_turn in turn_store.turn_page(tx, agent=None, session=None, before=None, limit=9):
            turn_store.save_turn(tx, of_turn, was=of_turn)
        for one in action_store.page(tx, turn_id=turn, limit=9):
            action_store.save(tx, one, was=one)
        for request in request_store.page(tx, over=True, limit=9):
            request_store.save(tx, request, was=request)
        for override in override_store.page(tx, limit=9):
            override_store.save(tx, override)
    assert office.action(action).revision > 0
    assert _hashes(office.db) == before


@pytest.mark.parametrize("begun", [False, True])
def test_what_was_erased_is_not_sent_to_anybody(office: Office, *, begun: bool) -> None:
    turn = office.turn(human="zoe")
    with office.db.write(SYSTEM) as tx:
        sent = Proposal(tool="send", arguments={"order": "4711"})
        action = proposing.propose(tx, turn, sent).id
        if begun:
            executing.start(tx, action, servable=lambda _: True)
        shredding.shred(tx, [f"turn/{turn}"])
    with office.db.write(SYSTEM) as tx:
        if begun:
            assert executing.again(tx, action) is None
        else:
            said = executing.start(tx, action, servable=lambda _: True)
            assert not isinstance(said, tuple)
    assert office.state(action).value == ("executing" if begun else "denied")


def test_erasing_goes_on_past_what_one_transaction_takes(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "AT_ONCE", 2)
    turns = [office.turn(intent="Pay Quillfeather", human="zoe") for _ in range(5)]
    for turn in turns:
        said = {"subject": f"turn/{turn}", "by": "zoe", "text": "a zeppelin"}
        office.api.person("admin").post("/v1/feedback", said)
    looked = erased(office.db, ROOT, ZOE, dry_run=True)
    told = erased(office.db, ROOT, ZOE, dry_run=False)
    assert (told.turns, told.feedback, told.keys) == (5, 5, 10)
    assert (looked.turns, looked.feedback, looked.keys) == (5, 5, 10)
    assert erased(office.db, ROOT, ZOE, dry_run=False).keys == 0


def test_what_is_under_way_stays_until_it_is_over(office: Office) -> None:
    turn = office.turn(human="zoe")
    action = str(office.propose(turn, "pay", invoice="i-1", amount=1500)["id"])
    told = erased(office.db, ROOT, ZOE, dry_run=False)
    assert (told.turns, told.actions, told.under_way, told.keys) == (0, 0, 1, 0)
    assert office.action(action).arguments["invoice"] == "i-1"


@pytest.mark.parametrize("whom", [ZOE, Whom(subject="trace/abc")])
def test_what_people_said_instead_in_a_trace_goes_too(office: Office, whom: Whom) -> None:
    if whom.user:
        office.turn(human="zoe", trace="abc")
    draft = OverrideDraft(
        subject="trace/abc",
        agent_decision={"text": "Quillfeather"},
        human_decision={"text": "nobody"},
        reasoning="a wigwam",
        agent="clerk",
        trace="abc",
    )
    with office.db.write(ROOT) as tx:
        made = overriding.override(tx, draft)
    assert erased(office.db, ROOT, whom, dry_run=False).keys
    with office.db.read(ROOT) as tx:
        kept = override_store.override(tx, made.id)
    assert kept is not None
    assert kept.reasoning.startswith(shredding.GONE)


def test_it_says_when_the_files_could_not_be_scrubbed(office: Office) -> None:
    office.turn(human="zoe")
    binding = sqlite_module()
    reader = binding.connect(str(office.db.engine.url.database))
    reader.isolation_level = None
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM turns").fetchall()
        with office.db.engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA busy_timeout=50")
        told = erased(office.db, ROOT, ZOE, dry_run=False)
        assert told.done
        assert not told.scrubbed
    finally:
        reader.close()
    assert erased(office.db, ROOT, ZOE, dry_run=False).scrubbed


def _hashes(db: Database) -> set[str]:
    """Whatever was sealed and lies in a table of what agents did and people said to it."""
    with db.read(SYSTEM) as tx:
        rows = [
            row
            for table in (actions, turn_store.turns, requests, override_store.overrides)
            for row in tx.conn.execute(select(table)).all()
        ]
    return {one for row in rows for one in re.findall(r"p1\.[0-9a-f]{64}", str(row))}
