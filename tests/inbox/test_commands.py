"""An answer is for exactly what was shown, by people who may, and an approval is used once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.inbox.world import (
    ADA,
    AGENT,
    ARGUMENTS,
    BEN,
    CAT,
    EVE,
    RIA,
    asked,
    draft,
    look,
    person,
    say,
    use,
)

from opsroom.access import commands as access
from opsroom.approvals import ApproverIsRequester, NotAPerson
from opsroom.approvals.errors import AlreadyAnswered
from opsroom.inbox import (
    OverrideDraft,
    Request,
    Risk,
    Say,
    State,
    commands,
    overriding,
    queries,
)
from opsroom.inbox.errors import (
    BadRequestDraft,
    BadSnooze,
    NobodyThere,
    NotApproved,
    NothingEdited,
    NotReleased,
    NotYours,
    OtherBinding,
    RequestClosed,
    RequestExpired,
    RequestMoved,
    RequestNotFound,
    TooLate,
)
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import Invalid
from opsroom.kit.reasons import ReasonMissing

GRACE = timedelta(seconds=5)
EDITED = {**ARGUMENTS, "amount": 2000}


def events(db: Database, subject: str = "action/act_1") -> list[str]:
    with db.read(ADA) as tx:
        return [one.event for one, _ in journal.entries(tx, subject=subject)][::-1]


def expire(db: Database, project: str = "") -> int:
    with db.write(Actor("system", project, human=False)) as tx:
        return commands.expire(tx)


def test_an_approval_is_used_once(db: Database, clock: ManualClock) -> None:
    request = asked(db)
    done = say(db, BEN, request, reason="matches the order")
    assert (done.state, done.answered_by) == (State.APPROVED, "ben")
    clock.move(GRACE)
    used = use(db, request)
    assert (used.by, used.edited, used.reason) == (("ben",), False, "matches the order")
    assert dict(used.arguments) == ARGUMENTS
    with pytest.raises(NotApproved, match="consumed"):
        use(db, request)
    assert events(db) == ["inbox.asked", "inbox.approved", "inbox.consumed"]


def test_nothing_is_released_while_it_can_be_taken_back(
    db: Database, clock: ManualClock
) -> None:
    request = asked(db)
    done = say(db, BEN, request)
    assert done.release_at == clock.now() + GRACE
    with pytest.raises(NotReleased):
        use(db, request)
    with db.write(BEN) as tx:
        again = commands.undo(tx, request.id)
    assert again.state is State.PENDING
    clock.move(GRACE)
    with pytest.raises(NotApproved, match="pending"):
        use(db, request)
    with pytest.raises(RequestMoved):  # what was shown before is void
        say(db, BEN, request)
    say(db, BEN, again)
    clock.move(GRACE)
    use(db, request)
    with db.write(BEN) as tx, pytest.raises(TooLate, match="consumed"):
        commands.undo(tx, request.id)


def test_only_in_time_and_only_ones_own_answer_is_taken_back(
    db: Database, clock: ManualClock
) -> None:
    request = asked(db)
    say(db, BEN, request)
    with db.write(CAT) as tx, pytest.raises(TooLate, match="not yours"):
        commands.undo(tx, request.id)
    clock.move(GRACE)
    with db.write(BEN) as tx, pytest.raises(TooLate, match="released"):
        commands.undo(tx, request.id)


def test_an_answer_to_something_else_is_refused(db: Database) -> None:
    request = asked(db)
    with pytest.raises(RequestMoved):
        say(db, BEN, request, binding="0" * 64)
    assert look(db, request).state is State.PENDING


def test_an_approval_is_for_its_binding(db: Database, clock: ManualClock) -> None:
    """C1, C2: another version, environment, subject or argument has another binding."""
    request = asked(db)
    say(db, BEN, request)
    clock.move(GRACE)
    with pytest.raises(OtherBinding):
        use(db, request, binding="0" * 64)
    assert look(db, request).state is State.APPROVED


def test_in_another_project_there_is_no_such_request(db: Database) -> None:
    request = asked(db)
    stranger = person("ben", "reviewer", "admin", project="elsewhere")
    for run in (
        lambda tx: commands.answer(tx, request.id, Say.APPROVE, binding=request.binding),
        lambda tx: commands.consume(tx, request.id, binding=request.binding),
        lambda tx: commands.undo(tx, request.id),
        lambda tx: commands.hand_over(tx, request.id, "risk"),
        lambda tx: commands.cancel(tx, request.id, "x"),
        lambda tx: commands.opened(tx, request.id),
        lambda tx: queries.request(tx, request.id),
    ):
        with db.write(stranger) as tx, pytest.raises(RequestNotFound):
            run(tx)
    assert expire(db, "elsewhere") == 0


@pytest.mark.parametrize("say_", [Say.APPROVE, Say.EDIT])
def test_the_requester_does_not_approve(db: Database, say_: Say) -> None:
    """C3. They may refuse, since that lets nothing happen."""
    request = asked(db)
    with pytest.raises(ApproverIsRequester):
        say(db, ADA, request, say_, arguments=EDITED, reason="x")
    done = say(db, ADA, request, Say.REJECT, reason="I meant another one")
    assert done.state is State.REJECTED


def test_programs_and_agents_do_not_answer(db: Database) -> None:
    """C3: also not with the token of somebody who could."""
    request = asked(db)
    token = Actor("token:mine", "default", BEN.may, BEN.roles, human=False, owner="ben")
    for who in (AGENT, token):
        for what in (Say.APPROVE, Say.EDIT, Say.REJECT, Say.RESPOND):
            with pytest.raises(NotAPerson):
                say(db, who, request, what, reason="x", text="x", arguments=EDITED)
    assert look(db, request).state is State.PENDING


def test_it_takes_the_permission_and_the_role(db: Database) -> None:
    request = asked(db, roles=("risk",))
    with pytest.raises(NotYours, match="permission"):
        say(db, EVE, request)
    with pytest.raises(NotYours, match="role risk"):
        say(db, BEN, request)
    assert say(db, RIA, request).state is State.APPROVED


def test_a_quorum_counts_people(db: Database, clock: ManualClock) -> None:
    request = asked(db, quorum=2)
    once = say(db, BEN, request)
    assert once.state is State.PENDING
    with pytest.raises(AlreadyAnswered):
        say(db, BEN, request)
    assert say(db, CAT, request).state is State.APPROVED
    clock.move(GRACE)
    assert use(db, request).by == ("ben", "cat")


def test_one_refusal_outweighs_approvals(db: Database, clock: ManualClock) -> None:
    request = asked(db, quorum=2)
    say(db, BEN, request)
    say(db, CAT, request, Say.REJECT, reason="wrong supplier")
    clock.move(GRACE)
    with pytest.raises(NotApproved, match="rejected"):
        use(db, request)


def test_an_approval_falls_with_the_role_of_its_giver(db: Database, clock: ManualClock) -> None:
    """C1, C3: the group that approves changes in between."""
    root = Actor("root", "default")
    with db.write(root) as tx:
        access.create_user(tx, "ben", ("reviewer",))
    request = asked(db)
    say(db, BEN, request)
    with db.write(root) as tx:
        access.set_roles(tx, "ben", ("viewer",))
    clock.move(GRACE)
    with pytest.raises(NotApproved, match="0 of 1"):
        use(db, request)
    assert expire(db) == 1
    again = look(db, request)
    assert (again.state, again.round) == (State.PENDING, 1)
    assert events(db)[-1] == "inbox.lapsed"
    say(db, CAT, again)
    clock.move(GRACE)
    assert use(db, request).by == ("cat",)


def test_an_edit_approves_other_arguments_and_says_why(
    db: Database, clock: ManualClock
) -> None:
    request = asked(db)
    done = say(db, BEN, request, Say.EDIT, arguments=EDITED, reason="the order says 2,000")
    assert done.state is State.EDITED
    assert done.shown != request.shown
    clock.move(GRACE)
    used = use(db, request)
    assert used.edited
    assert dict(used.arguments) == EDITED
    with db.read(BEN) as tx:
        (kept,) = queries.overrides(tx)
    assert (kept.say, kept.reasoning, kept.by) == (Say.EDIT, "the order says 2,000", "ben")
    assert kept.agent_decision["arguments"] == ARGUMENTS
    assert kept.human_decision["arguments"] == EDITED


def test_the_second_person_approves_what_the_first_one_made_of_it(db: Database) -> None:
    request = asked(db, quorum=2)
    say(db, CAT, request)
    edited = say(db, BEN, request, Say.EDIT, arguments=EDITED, reason="too much")
    assert edited.state is State.PENDING  # what cat approved is something else
    with pytest.raises(RequestMoved):
        say(db, CAT, request)
    done = say(db, CAT, edited)
    assert done.state is State.EDITED
    assert dict(done.proposed) == EDITED


@pytest.mark.parametrize(
    "arguments",
    [{"supplier": "x"}, {**ARGUMENTS, "iban": "DE1"}, {**ARGUMENTS, "amount": "much"}, {}],
)
def test_an_edit_has_to_fit_the_contract(db: Database, arguments: dict[str, object]) -> None:
    request = asked(db)
    with pytest.raises(Invalid) as refused:
        say(db, BEN, request, Say.EDIT, arguments=arguments, reason="x")
    assert refused.value.code == "contract_broken"
    assert look(db, request).edited is None


def test_an_edit_changes_something(db: Database) -> None:
    request = asked(db)
    with pytest.raises(NothingEdited):
        say(db, BEN, request, Say.EDIT, arguments=ARGUMENTS, reason="x")


@pytest.mark.parametrize("what", [Say.EDIT, Say.REJECT, Say.RESPOND])
def test_whoever_disagrees_says_why(db: Database, what: Say) -> None:
    request = asked(db)
    with pytest.raises(ReasonMissing):
        say(db, BEN, request, what, arguments=EDITED, reason=" ", text=" ")
    assert look(db, request).state is State.PENDING


def test_a_message_is_an_answer_and_an_override(db: Database) -> None:
    request = asked(db)
    done = say(db, BEN, request, Say.RESPOND, text="ask the supplier for the order number")
    assert (done.state, done.text) == (
        State.RESPONDED,
        "ask the supplier for the order number",
    )
    with db.read(BEN) as tx:
        (kept,) = queries.overrides(tx)
    assert kept.human_decision == {"say": "respond", "text": done.text}


def test_an_edit_that_is_taken_back_teaches_nothing(db: Database) -> None:
    request = asked(db)
    say(db, BEN, request, Say.EDIT, arguments=EDITED, reason="too much")
    with db.write(BEN) as tx:
        again = commands.undo(tx, request.id)
    assert again.edited is None
    with db.read(BEN) as tx:
        assert queries.overrides(tx) == []


def test_relabelling_is_no_answer(db: Database) -> None:
    request = asked(db)
    with pytest.raises(NotYours, match="relabelling"):
        say(db, BEN, request, Say.RELABEL, reason="x")


def test_what_was_not_asked_about_can_be_overridden_too(db: Database) -> None:
    given = OverrideDraft(
        subject="turn/trn_1",
        agent="customs",
        agent_decision="HS 8504.40",
        human_decision="HS 8471.30",
        reasoning="CPU board, not transformer",
        trace="t1",
    )
    with db.write(BEN) as tx:
        first = overriding.override(tx, given)
        like = overriding.override(tx, replace(given, reasoning="a CPU board, no transformer"))
        other = overriding.override(tx, replace(given, reasoning="country code was missing"))
        with pytest.raises(ReasonMissing):
            overriding.override(tx, replace(given, reasoning=" "))
    assert first.category == "cpu-board-transformer"
    assert like.category == first.category != other.category
    with db.write(BEN) as tx:
        sorted_ = overriding.recategorise(tx, other.id, "Missing data")
        assert (sorted_.category, sorted_.sorted_by) == ("missing-data", "ben")
        assert queries.override_categories(tx) == [
            ("cpu-board-transformer", 2),
            ("missing-data", 1),
        ]


def test_what_nobody_answers_climbs_and_then_expires(db: Database, clock: ManualClock) -> None:
    request = asked(db, roles=("reviewer",), escalate_to=("risk", "boss"))
    with pytest.raises(NotYours):
        say(db, RIA, request)
    clock.move(timedelta(hours=1))
    assert expire(db) == 1
    assert expire(db) == 0
    climbed = look(db, request)
    assert climbed.roles == ("reviewer", "risk")
    assert climbed.due_at == clock.now() + timedelta(hours=1)
    clock.move(timedelta(hours=1))
    assert expire(db) == 1
    assert look(db, request).assignee == "boss"
    boss = person("boss", "operator")
    clock.move(timedelta(hours=5, minutes=59))
    assert expire(db) == 0
    clock.move(timedelta(minutes=1))
    with pytest.raises(RequestExpired):
        say(db, boss, request)
    assert expire(db) == 1
    assert look(db, request).state is State.EXPIRED
    with pytest.raises(RequestClosed):
        say(db, boss, request)
    assert events(db) == [
        "inbox.asked",
        "inbox.escalated",
        "inbox.escalated",
        "inbox.expired",
    ]


def test_whoever_it_climbs_to_may_approve_it(db: Database, clock: ManualClock) -> None:
    request = asked(db, roles=("risk",), escalate_to=("boss",))
    boss = person("boss", "operator")
    with pytest.raises(NotYours):
        say(db, boss, request)
    clock.move(timedelta(hours=1))
    expire(db)
    say(db, boss, request)
    clock.move(GRACE)
    assert use(db, request).by == ("boss",)


def test_an_approval_that_comes_too_late_to_be_used_is_a_no(
    db: Database, clock: ManualClock
) -> None:
    request = asked(db)
    say(db, BEN, request)
    clock.move(timedelta(hours=8))
    with pytest.raises(RequestExpired):
        use(db, request)
    assert expire(db) == 1
    assert look(db, request).state is State.EXPIRED


def test_handing_over_never_widens_who_may_answer(db: Database) -> None:
    with db.write(Actor("root", "default")) as tx:
        for name, role in (("ria", "risk"), ("cat", "operator"), ("ada", "operator")):
            access.create_user(tx, name, (role,))
    request = asked(db, roles=("risk",))
    with db.write(BEN) as tx:
        for to in ("cat", "operator", "ada", "nobody", "viewer"):
            with pytest.raises(NobodyThere):
                commands.hand_over(tx, request.id, to)
        given = commands.hand_over(tx, request.id, "ria", "she knows them")
        assert given.assignee == "ria"
        assert queries.count_mine(tx) == 0
    with db.read(RIA) as tx:
        assert queries.count_mine(tx) == 1
    with db.write(EVE) as tx, pytest.raises(NotYours):
        commands.hand_over(tx, request.id, "risk")


def test_what_is_put_off_is_out_of_sight_but_not_out_of_time(
    db: Database, clock: ManualClock
) -> None:
    request = asked(db, escalate_to=("risk",))
    with db.write(BEN) as tx:
        commands.snooze(tx, request.id, clock.now() + timedelta(hours=3))
        assert queries.count_mine(tx) == 0
        for until in (clock.now(), clock.now() + timedelta(hours=8)):
            with pytest.raises(BadSnooze):
                commands.snooze(tx, request.id, until)
    clock.move(timedelta(hours=1))
    expire(db)
    with db.read(BEN) as tx:
        assert queries.count_mine(tx) == 1  # it climbed, so it is in sight again


def test_what_is_withdrawn_gives_nothing(db: Database, clock: ManualClock) -> None:
    request = asked(db)
    say(db, BEN, request)
    with db.write(AGENT) as tx:
        commands.cancel(tx, request.id, "the turn is over")
    clock.move(GRACE)
    with pytest.raises(NotApproved, match="cancelled"):
        use(db, request)
    with db.write(AGENT) as tx, pytest.raises(RequestClosed):
        commands.cancel(tx, request.id, "again")


@pytest.mark.parametrize(
    "given",
    [
        {"title": " "},
        {"why": ""},
        {"binding": ""},
        {"quorum": 0},
        {"quorum": 11},
        {"expires_at": draft().due_at - timedelta(hours=2)},
        {"due_at": draft().expires_at + timedelta(hours=2)},
    ],
)
def test_what_nobody_could_answer_is_not_asked(db: Database, given: dict[str, object]) -> None:
    with pytest.raises(BadRequestDraft):
        asked(db, **given)


def flooded(db: Database, count: int, **given: object) -> list[Request]:
    return [asked(db, subject=f"action/act_{n}", **given) for n in range(count)]


def test_requests_that_differ_only_in_numbers_stand_together(db: Database) -> None:
    first, *rest = [
        asked(db, subject=f"action/act_{n}", why=f"the amount is over {n},500")
        for n in range(5)
    ]
    with db.read(BEN) as tx:
        (entry,) = queries.waiting(tx)
        assert (entry.request.id, entry.more) == (first.id, 4)
        under = queries.waiting(tx, under=first.id)
        assert [one.request.id for one in under] == [one.id for one in rest]
    say(db, BEN, rest[2], Say.REJECT, reason="no")
    say(db, BEN, first)
    with db.read(BEN) as tx:
        (entry,) = queries.waiting(tx)
    assert (entry.request.id, entry.more) == (rest[0].id, 2)


def test_a_flood_is_kept_whole_and_out_of_the_way(db: Database) -> None:
    """C14: nothing is lost, nothing approves itself, and one agent cannot bury the others."""
    for n in range(30):
        asked(db, subject=f"action/act_{n}", why=f"reason {chr(97 + n % 26)}{n // 26 * 'x'}")
    quiet = asked(db, agent="quiet", subject="action/quiet")
    with db.read(BEN) as tx:
        entries = queries.waiting(tx, limit=100)
        loud = [one for one in entries if one.request.agent == "clerk"]
        assert len(loud) == 21
        assert sum(1 + one.more for one in loud) == 30
        assert [one.request.flood for one in loud].count(True) == 1
        assert quiet.id in {one.request.id for one in entries}
        assert len(queries.requests(tx, state=State.PENDING, limit=100)) == 31
        assert len(journal.entries(tx, event="inbox.flooded")) == 1


def test_the_list_is_paged_by_when_things_are_due(db: Database, clock: ManualClock) -> None:
    for n in range(7):
        asked(
            db,
            subject=f"action/act_{n}",
            why=f"reason {chr(97 + n)}",
            due_at=clock.now() + timedelta(minutes=60 - n // 2),
        )
    seen: list[str] = []
    after = None
    with db.read(BEN) as tx:
        while page := queries.waiting(tx, after=after, limit=2):
            seen += [one.request.subject for one in page]
            after = queries.cursor(page[-1].request, State.PENDING)
    assert seen == [f"action/act_{n}" for n in (6, 4, 5, 2, 3, 0, 1)]


def test_only_what_waits_on_you_counts(db: Database) -> None:
    request = asked(db, roles=("risk",))
    asked(db, subject="action/act_2", requester="ben", why="another reason")
    asked(db, subject="action/act_3", quorum=2, why="two people")
    counts = {}
    for who in (ADA, BEN, RIA, EVE, AGENT):
        with db.read(who) as tx:
            counts[who.name] = queries.count_mine(tx)
    assert counts == {"ada": 1, "ben": 1, "ria": 3, "eve": 0, "agent:clerk": 0}
    assert request.risk is Risk.LOW
