"""What is said is kept once, joined to the work it is about, and nobody can drown the rest."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import MakeActor
from tests.feedback.world import APP, CLEAN, SYSTEM, give, hire, turn

from opsroom.actions import doors
from opsroom.actions.model import Final, Proposal
from opsroom.actions.ports import nobody
from opsroom.feedback import commands, queries
from opsroom.feedback.commands import Refused
from opsroom.feedback.errors import (
    FeedbackDiffers,
    ForAnotherAgent,
    NothingSetAside,
)
from opsroom.feedback.figures import Figures
from opsroom.feedback.model import (
    MOST_OF_ONE,
    PER_SUBJECT,
    PER_USER,
    FeedbackDraft,
    Source,
    State,
)
from opsroom.feedback.reactions import reactions
from opsroom.inbox import OverrideDraft, overriding
from opsroom.inbox.model import Say
from opsroom.journal import outbox
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.simulator.paying import CLERK, NAME

LATER = timedelta(hours=2)


def figures(db: Database) -> Figures:
    with db.read(SYSTEM) as tx:
        return queries.figures(tx)


def kept(db: Database, feedback_id: str) -> dict[str, object]:
    with db.read(SYSTEM) as tx:
        found = queries.feedback(tx, feedback_id)
        return {name: getattr(found, name) for name in type(found).__dataclass_fields__}


def said(db: Database, **asked: object) -> int:
    with db.read(SYSTEM) as tx:
        return len(queries.page(tx, limit=10_000, **asked))  # type: ignore[arg-type]


@pytest.fixture
def office(db: Database) -> Database:
    hire(db)
    return db


def test_it_is_joined_to_turn_version_and_release(office: Database) -> None:
    one = turn(office, number=2, trace="ab" * 16, release="rel_1", arm="challenger")
    for subject in (f"turn/{one.id}", f"trace/{'ab' * 16}"):
        made = give(office, subject, helpful=True, by="bo")
        assert (made.agent, made.version) == (NAME, f"{NAME}@2")
        assert (made.release, made.arm, made.environment) == (
            "rel_1",
            "challenger",
            "production",
        )
        assert (made.turn, made.trace, made.joined) == (one.id, "ab" * 16, True)
    with office.read(SYSTEM) as tx:
        assert queries.feedback(tx, made.id) == made
        assert len(queries.of_trace(tx, "ab" * 16, limit=9)) == 2


def test_it_is_joined_to_the_turn_of_an_action(office: Database) -> None:
    one = turn(office)
    proposal = Proposal(tool="find_order", arguments={"order": "40017"})
    asked = doors.propose(office, CLERK, one.id, proposal, executors=nobody)
    assert give(office, f"action/{asked.id}", helpful=False).turn == one.id


def test_turns_that_want_the_like_are_one_use_case(office: Database) -> None:
    first = turn(office, intent="Pay the invoice for order 40017")
    other = turn(office, intent="Pay the invoice for order 51133, please")
    quote = turn(office, intent="Quote a container to Rotterdam for bo@example.com")
    cases = [
        give(office, f"turn/{one.id}", helpful=True).use_case for one in (first, other, quote)
    ]
    assert cases[0] == cases[1] != cases[2]
    assert "example" not in cases[2], "what is taken out of texts is taken out of use cases"
    assert (
        give(office, f"turn/{first.id}", helpful=True, use_case="paying").use_case == "paying"
    )


def test_the_same_key_says_it_once(office: Database) -> None:
    one = turn(office)
    made = give(office, f"turn/{one.id}", helpful=True, key="k1")
    assert give(office, f"turn/{one.id}", helpful=True, key="k1") == made
    with pytest.raises(FeedbackDiffers):
        give(office, f"turn/{one.id}", helpful=False, key="k1")
    give(office, f"turn/{one.id}", helpful=False, key="k2")
    assert said(office) == 2
    result: dict[str, Any] = {
        "source": Source.BUSINESS,
        "kpi": "csat",
        "value": Decimal("4.50"),
        "key": "k3",
    }
    first = give(office, f"turn/{one.id}", **result)
    assert isinstance(office.clock, ManualClock)
    office.clock.move(LATER)
    assert give(office, f"turn/{one.id}", **result) == first, "now is not part of it"


def test_what_comes_before_its_turn_is_joined_when_the_turn_begins(office: Database) -> None:
    early = give(office, f"trace/{'cd' * 16}", helpful=True, by="bo")
    assert (early.joined, early.agent) == (False, "")
    assert figures(office).by_use_case[0].agent == ""
    one = turn(office, trace="cd" * 16)
    outbox.pump(office, reactions())
    now = kept(office, early.id)
    assert (now["joined"], now["agent"], now["turn"]) == (True, NAME, one.id)
    assert now["use_case"] == "pay-invoice-order"
    assert figures(office).by_use_case[0].agent == NAME
    outbox.pump(office, reactions())


def test_an_agent_speaks_of_its_own_work_only(office: Database) -> None:
    one = turn(office)
    other = Actor("agent:rival", "default", APP.may, human=False, agent="rival")
    with pytest.raises(ForAnotherAgent):
        give(office, f"turn/{one.id}", actor=other, helpful=False)
    with pytest.raises(ForAnotherAgent):
        give(office, "trace/early", actor=other, helpful=False, agent=NAME)
    assert give(
        office, f"turn/{one.id}", actor=CLERK, confidence=0.9, source=Source.AGENT
    ).counts
    early = give(office, f"trace/{'ef' * 16}", actor=other, helpful=False)
    turn(office, trace="ef" * 16)
    outbox.pump(office, reactions())
    now = kept(office, early.id)
    assert (now["state"], now["counts"]) == (State.QUARANTINED, False)


def test_the_newest_of_a_voice_counts_and_the_result_that_was_known_last(
    office: Database, clock: ManualClock
) -> None:
    one = turn(office)
    about = f"turn/{one.id}"
    first = give(office, about, helpful=False, by="bo")
    second = give(office, about, helpful=True, by="bo")
    other = give(office, about, helpful=True, by="ann")
    assert [kept(office, made.id)["counts"] for made in (first, second, other)] == [
        False,
        True,
        True,
    ]
    assert figures(office).overall.helpful.tally.hits == 2

    def result(value: str, days: int) -> str:
        known = clock.now() - timedelta(days=days)
        return give(
            office,
            about,
            source=Source.BUSINESS,
            kpi="days-late",
            value=Decimal(value),
            known_at=known,
        ).id

    newest, older = result("3.5", 1), result("9", 20)
    assert (kept(office, newest)["counts"], kept(office, older)["counts"]) == (True, False)
    corrected = result("4.25", 0)
    assert (kept(office, newest)["counts"], kept(office, corrected)["counts"]) == (False, True)
    assert kept(office, corrected)["value"] == Decimal("4.25")


@pytest.mark.parametrize("many", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_one_user_who_sends_ten_thousand_moves_no_figure(
    office: Database, clock: ManualClock, many: int
) -> None:
    turns = [turn(office) for _ in range(12)]
    for number, one in enumerate(turns):
        give(office, f"turn/{one.id}", helpful=number % 3 > 0, by=f"user-{number}")
    before = figures(office)
    refused = 0
    with office.write(APP) as tx:
        for number in range(many):
            draft = FeedbackDraft(
                subject=f"trace/{number}", helpful=False, agent=NAME, by="mallory", text="bad"
            )
            done = commands.give(tx, draft, clean=CLEAN)
            refused += isinstance(done, Refused)
    after = figures(office)
    assert (after.overall, after.by_use_case, after.by_version) == (
        before.overall,
        before.by_use_case,
        before.by_version,
    )
    assert refused == many - MOST_OF_ONE
    assert said(office, by="mallory") == MOST_OF_ONE, "the disk is not filled"
    with office.read(SYSTEM) as tx:
        (voice,) = queries.quarantine(tx)
        head = journal.head(tx).seq
    assert (voice.by, voice.set_aside, voice.refused) == ("mallory", MOST_OF_ONE, refused)
    assert voice.because == f"more than {PER_USER} within an hour"
    assert head < 1_000, "nor the journal"
    clock.move(timedelta(hours=23))
    assert isinstance(_say(office, "trace/x", "mallory"), Refused)
    clock.move(LATER)
    assert not isinstance(_say(office, "trace/x", "mallory"), Refused), "a day later, again"


def _say(db: Database, subject: str, by: str) -> object:
    with db.write(APP) as tx:
        return commands.give(
            tx, FeedbackDraft(subject=subject, helpful=False, by=by), clean=CLEAN
        )


def test_one_subject_cannot_be_flooded_by_one_voice(office: Database) -> None:
    one = turn(office)
    made = [
        give(office, f"turn/{one.id}", helpful=False, by="bo") for _ in range(PER_SUBJECT + 3)
    ]
    aside = [one for one in made if one.state is State.QUARANTINED]
    assert len(aside) == 3
    assert figures(office).overall.voices == 1
    nameless = [give(office, f"turn/{one.id}", helpful=False) for _ in range(PER_SUBJECT + 1)]
    assert nameless[-1].state is State.QUARANTINED
    assert figures(office).overall.voices == 2, "whoever is not named is one voice together"


def test_a_person_lets_through_what_was_meant(office: Database, make_actor: MakeActor) -> None:
    turns = [turn(office) for _ in range(PER_USER + 1)]
    for one in turns:
        give(office, f"turn/{one.id}", helpful=True, by="eager")
    assert figures(office).overall.voices == 0
    olga = make_actor("operator", name="olga")
    with office.write(olga) as tx:
        first = queries.page(tx, state=State.QUARANTINED, limit=1)[0]
        assert commands.release(tx, first.id).counts
        assert commands.release(tx, first.id).released_by == "olga"
        assert commands.release_all(tx, "eager") == PER_USER
        with pytest.raises(NothingSetAside):
            commands.release_all(tx, "eager")
    assert figures(office).overall.voices == PER_USER + 1
    give(office, f"turn/{turns[0].id}", helpful=False, by="eager")
    assert figures(office).overall.voices == PER_USER + 1, "what was let through stays so"


def test_figures_of_the_work(office: Database, clock: ManualClock) -> None:
    minute = timedelta(minutes=1)
    done = [turn(office, final=Final.DONE, after=minute * number) for number in range(1, 9)]
    turn(office, final=Final.FAILED, after=minute, release="rel_none")
    turn(office, final=Final.ESCALATED, after=minute, release="rel_none", arm="challenger")
    turn(office)
    for subject in (f"turn/{done[0].id}", f"turn/{done[0].id}", f"turn/{done[1].id}"):
        with office.write(CLERK) as tx:
            overriding.override(
                tx,
                OverrideDraft(
                    subject=subject,
                    agent_decision="a",
                    human_decision="b",
                    reasoning="wrong account",
                    say=Say.RELABEL,
                ),
            )
    work = figures(office).work
    (cycle,) = work.cycles
    assert (cycle.turns, cycle.median.seconds, cycle.p90.seconds) == (10, 180.0, 420.0)
    (exceptions,) = work.exceptions
    assert (exceptions.share.tally.hits, exceptions.share.tally.n) == (2, 10)
    phases = {one.phase.value: one.share.tally for one in work.interventions}
    assert {name: (one.hits, one.n) for name, one in phases.items()} == {
        "shadow": (0, 1),
        "canary": (0, 1),
        "promoted": (2, 9),
    }


def test_projects_do_not_meet(office: Database) -> None:
    one = turn(office)
    give(office, f"turn/{one.id}", helpful=True)
    stranger = Actor("token:x", "elsewhere", APP.may, human=False)
    made = give(office, f"turn/{one.id}", actor=stranger, helpful=False)
    assert (made.joined, made.agent) == (False, "")
    with office.read(stranger) as tx:
        assert queries.figures(tx).overall.helpful.tally.hits == 0
        assert len(queries.page(tx)) == 1
