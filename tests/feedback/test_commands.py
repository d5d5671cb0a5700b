"""What is said is kept once, joined to the work it is about, and nobody can drown the rest."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import MakeActor
from tests.feedback.world import APP, CLEAN, SYSTEM, give, hire, turn

from opsroom.access import store as access
from opsroom.actions import doors
from opsroom.actions.model import Final, Proposal
from opsroom.actions.ports import nobody
from opsroom.feedback import commands, joining, model, queries, store
from opsroom.feedback.commands import Refused
from opsroom.feedback.errors import (
    AgentSpeaksForOthers,
    FeedbackDiffers,
    ForAnotherAgent,
    LinkRefused,
    NothingSetAside,
)
from opsroom.feedback.figures import Figures
from opsroom.feedback.model import (
    MOST_OF_ONE,
    PER_SUBJECT,
    PER_USER,
    Feedback,
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
RIVAL = Actor("agent:rival", "default", APP.may, human=False, agent="rival")


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
    sure: dict[str, Any] = {"confidence": 0.9, "source": Source.AGENT}
    with pytest.raises(ForAnotherAgent):
        give(office, f"turn/{one.id}", actor=RIVAL, **sure)
    with pytest.raises(ForAnotherAgent):
        give(office, "trace/early", actor=RIVAL, agent=NAME, **sure)
    made = give(office, f"turn/{one.id}", actor=CLERK, by="another", **sure)
    assert (made.counts, made.by) == (True, CLERK.name)
    early = give(office, f"trace/{'ef' * 16}", actor=RIVAL, **sure)
    turn(office, trace="ef" * 16)
    outbox.pump(office, reactions())
    now = kept(office, early.id)
    assert (now["state"], now["counts"]) == (State.QUARANTINED, False)


@pytest.mark.parametrize("source", [Source.USER, Source.BUSINESS])
def test_an_agent_is_no_user_and_no_business(office: Database, source: Source) -> None:
    one = turn(office)
    said: dict[str, Any] = {"helpful": True}
    if source is Source.BUSINESS:
        said = {"kpi": "csat", "value": Decimal(5)}
    with pytest.raises(AgentSpeaksForOthers):
        give(office, f"turn/{one.id}", actor=CLERK, by="happy", source=source, **said)


def linked(db: Database, subject: str, actor: Actor, by: str = "") -> str:
    with db.write(actor) as tx:
        return commands.link(
            tx, subject, by=by, use_case="", lasting=timedelta(days=1), clean=CLEAN
        )


def by_link(db: Database, token: str, **said: Any) -> Feedback:
    with db.write(Actor("system:feedback-link", "default", human=False)) as tx:
        permits = commands.permitted(tx, token)
        draft = FeedbackDraft(subject=permits.subject, by=permits.by, **said)
        done = commands.give(tx, draft, clean=CLEAN, link=permits)
    assert isinstance(done, Feedback)
    return done


def test_an_agent_makes_links_to_its_own_work_and_names_nobody(office: Database) -> None:
    one = turn(office, trace="ab" * 16)
    for subject in (f"turn/{one.id}", f"trace/{'ab' * 16}"):
        with pytest.raises(ForAnotherAgent):
            linked(office, subject, RIVAL)
    with pytest.raises(AgentSpeaksForOthers):
        linked(office, f"turn/{one.id}", CLERK, by="an invented customer")
    made = by_link(office, linked(office, f"turn/{one.id}", CLERK), helpful=True)
    assert made.reported_by == f"link:{CLERK.name}", "who made the link answers for it"
    by_link(office, linked(office, f"trace/{'ab' * 16}", CLERK), helpful=True)
    assert figures(office).overall.voices == 1, "however many links it makes"
    with office.read(SYSTEM) as tx:
        entries = journal.entries(tx, event="feedback.linked")
    assert [(one.actor, one.facts["about"]) for one, _ in entries] == [
        (CLERK.name, f"trace/{'ab' * 16}"),
        (CLERK.name, f"turn/{one.id}"),
    ]


def test_a_link_to_what_turns_out_to_be_anothers_work_counts_for_nothing(
    office: Database,
) -> None:
    early = by_link(office, linked(office, "trace/early", RIVAL), helpful=False)
    turn(office, trace="early")
    outbox.pump(office, reactions())
    assert kept(office, early.id)["state"] is State.QUARANTINED


def test_links_that_were_revoked_permit_nothing(office: Database) -> None:
    with office.write(SYSTEM) as tx:
        commands.revoke_links(tx)  # there is none yet, and nothing to tell of
    old, other = linked(office, "trace/a", APP, by="bo@example.com"), Actor("x", "elsewhere")
    elsewhere = linked(office, "trace/a", other)
    with office.write(SYSTEM) as tx:
        assert "example" not in commands.permitted(tx, old).by
        commands.revoke_links(tx)
        assert len(journal.entries(tx, event="feedback.links_revoked")) == 0
        with pytest.raises(LinkRefused):
            commands.permitted(tx, old)
    assert by_link(office, linked(office, "trace/a", APP), helpful=True).counts
    with office.read(other) as tx:
        assert commands.permitted(tx, elsewhere).subject == "trace/a"
    with office.read(SYSTEM) as tx:
        assert len(journal.entries(tx, event="feedback.links_revoked")) == 1


def test_a_user_who_speaks_of_a_turn_its_trace_and_its_actions_is_one_voice(
    office: Database,
) -> None:
    one = turn(office, trace="ab" * 16)
    proposal = Proposal(tool="find_order", arguments={"order": "40017"})
    asked = doors.propose(office, CLERK, one.id, proposal, executors=nobody)
    about = (f"trace/{'AB' * 16}", f"turn/{one.id}", f"action/{asked.id}")
    for by in ("bo", "", "ann"):
        for subject in about:
            give(office, subject, by=by, helpful=by != "ann")
    overall = figures(office).overall
    assert (overall.voices, overall.helpful.tally.hits) == (3, 2)
    early = give(office, "trace/early", by="bo", helpful=True)
    late = turn(office, trace="early")
    give(office, f"turn/{late.id}", by="bo", helpful=False)
    outbox.pump(office, reactions())
    assert figures(office).overall.voices == 4
    assert kept(office, early.id)["counts"] is False, "the newer one does"


def test_what_was_set_aside_meanwhile_stays_so_when_it_is_joined(office: Database) -> None:
    early = give(office, "trace/early", by="eager", helpful=True)
    with office.read(SYSTEM) as tx:
        waiting = store.waiting(tx, limit=9)
    for number in range(PER_USER):
        give(office, f"trace/{number}", by="eager", helpful=True)
    turn(office, trace="early")
    with office.write(SYSTEM) as tx:
        assert commands.join_waiting(tx, waiting, {}, clean=CLEAN) == 1
    now = kept(office, early.id)
    assert (now["joined"], now["state"], now["counts"]) == (True, State.QUARANTINED, False)


def test_whatever_waits_for_its_turn_is_joined(office: Database) -> None:
    many = commands.ABOUT_ONE + 5
    for number in range(many):
        give(office, "trace/early", by=f"user-{number}", helpful=True)
    turn(office, trace="early")
    with office.write(SYSTEM) as tx:
        access.add_project(tx, "default")
    outbox.pump(office, reactions())
    assert joining.join(office, None) == many - commands.ABOUT_ONE
    assert joining.join(office, None) == 0
    assert figures(office).by_use_case[0].voices == many


def test_one_project_keeps_no_other_waiting(office: Database, clock: ManualClock) -> None:
    with office.write(SYSTEM) as tx:
        access.add_project(tx, "elsewhere")
        access.add_project(tx, "default")
    stranger = Actor("token:x", "elsewhere", APP.may, human=False)
    mine = give(office, "trace/mine", helpful=True)
    for number in range(joining.AT_ONCE + 1):
        give(office, f"trace/{number}", actor=stranger, by=f"user-{number}", helpful=True)
    with office.write(SYSTEM) as tx:
        store.look_again(tx, mine.id, clock.now())
    turn(office, trace="mine")
    assert joining.join(office, None) == 1
    with office.read(stranger) as tx:
        assert len(store.waiting(tx, limit=500)) == 1, "the rest is looked for later"
    clock.move(timedelta(days=3))
    joining.join(office, None)
    joining.join(office, None)
    clock.move(timedelta(days=3))
    with office.read(stranger) as tx:
        assert store.waiting(tx, limit=1) == [], "and at last no more"


def test_what_counts_for_nothing_names_no_use_case(office: Database) -> None:
    one = turn(office)
    for _ in range(PER_SUBJECT + 1):
        last = give(office, f"turn/{one.id}", by="bo", helpful=True, use_case="bad name")
    assert last.state is State.QUARANTINED
    with office.write(SYSTEM) as tx:
        store.set_aside(tx, "bo", because="it is a test", limit=99)
    assert give(office, f"turn/{one.id}", by="ann", helpful=True).use_case != "bad name"


def test_a_reporter_that_says_too_much_is_set_aside_and_at_last_refused(
    office: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "PER_REPORTER", 3)
    monkeypatch.setattr(model, "MOST_OF_REPORTER", 5)
    sure = FeedbackDraft(subject="trace/x", source=Source.AGENT, confidence=0.9)
    states: list[object] = []
    for number in range(6):
        with office.write(CLERK) as tx:
            draft = replace(sure, subject=f"trace/{number}", by=f"invented-{number}")
            done = commands.give(tx, draft, clean=CLEAN)
        states.append(done.state if isinstance(done, Feedback) else Refused)
    aside = State.QUARANTINED
    assert states == [*[State.ACCEPTED] * 3, aside, aside, Refused]


def test_the_sum_over_all_leaves_no_group_out(
    office: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST_GROUPS", 2)
    for number in range(4):
        give(office, f"trace/{number}", by="bo", helpful=True, use_case=f"case-{number}")
    found = figures(office)
    assert (found.overall.voices, len(found.by_use_case)) == (4, 2)


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
