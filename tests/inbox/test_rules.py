"""Who may answer, with how much care, how fast, and what the clock does: as tables."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.inbox.world import ADA, AGENT, BEN, CAT, EVE, NOW, RIA, draft, person

from opsroom.access.model import permissions_of
from opsroom.inbox import Request, Risk, Said, Say, Settings, State
from opsroom.inbox import categories as sorting
from opsroom.inbox.errors import BadSettings, CareNeeded, TooFast
from opsroom.inbox.model import Care
from opsroom.inbox.rules import (
    GLANCE,
    RUN,
    approvers,
    chance,
    check_care,
    check_pace,
    check_settings,
    climb,
    flood_of,
    group_of,
    waits_on,
    why_not,
    why_not_hand_over,
    word_to_type,
)
from opsroom.inbox.watching import Check, oversight
from opsroom.kit.db import Actor


def request(**given_: Any) -> Request:
    base = draft()
    fields = {name: getattr(base, name) for name in base.__dataclass_fields__}
    return Request(**{**fields, "id": "inb_1", "asked_at": NOW, **given_})


@pytest.mark.parametrize(
    ("given_", "who", "say", "because"),
    [
        ({}, BEN, Say.APPROVE, ""),
        ({}, CAT, Say.EDIT, ""),
        ({}, ADA, Say.APPROVE, "the agent acts for you"),
        ({}, ADA, Say.EDIT, "the agent acts for you"),
        ({}, ADA, Say.REJECT, ""),
        ({}, ADA, Say.RESPOND, ""),
        ({}, EVE, Say.REJECT, "permission"),
        ({}, AGENT, Say.APPROVE, "only people"),
        ({}, replace(BEN, agent="clerk"), Say.APPROVE, "only people"),
        ({"roles": ("risk",)}, BEN, Say.APPROVE, "the role risk"),
        ({"roles": ("risk",)}, RIA, Say.APPROVE, ""),
        ({"roles": ("risk", "operator")}, CAT, Say.APPROVE, ""),
        ({"roles": ("risk",), "assignee": "ben"}, BEN, Say.APPROVE, "the role risk"),
        ({"roles": ("risk",), "escalate_to": ("ben",)}, BEN, Say.APPROVE, "the role risk"),
        ({"roles": ("risk",), "escalate_to": ("ben",), "climbed": 1}, BEN, Say.APPROVE, ""),
        ({"roles": ("risk",), "escalate_to": ("eve",), "climbed": 1}, EVE, Say.APPROVE, "perm"),
    ],
)
def test_who_may_say_what(given_: dict[str, Any], who: Actor, say: Say, because: str) -> None:
    found = why_not(request(**given_), who, say)
    assert because in found
    assert bool(because) == bool(found)


@given(
    confidence=st.none() | st.floats(0, 1),
    risk=st.sampled_from(Risk),
    say=st.sampled_from(Say),
    who=st.sampled_from([ADA, BEN, CAT, RIA, EVE, AGENT]),
)
def test_what_an_agent_says_of_its_confidence_changes_nothing(
    confidence: float | None, risk: Risk, say: Say, who: Actor
) -> None:
    """C11."""
    sure, unsure = request(risk=risk, confidence=confidence), request(risk=risk)
    assert why_not(sure, who, say) == why_not(unsure, who, say)
    assert waits_on(sure, who, NOW, ()) == waits_on(unsure, who, NOW, ())
    for care in (Care(), Care(held_ms=800)):
        for opened in (False, True):
            assert careful(sure, care, opened=opened) == careful(unsure, care, opened=opened)


def careful(of: Request, care: Care, *, opened: bool) -> bool:
    try:
        check_care(of, care, evidence_opened=opened)
    except CareNeeded:
        return False
    return True


@pytest.mark.parametrize(
    ("risk", "care", "opened", "enough"),
    [
        (Risk.LOW, Care(), False, True),
        (Risk.MEDIUM, Care(), False, True),
        (Risk.HIGH, Care(), True, False),
        (Risk.HIGH, Care(held_ms=799), True, False),
        (Risk.HIGH, Care(held_ms=800), True, True),
        (Risk.HIGH, Care(held_ms=800), False, False),
        (Risk.HIGH, Care(typed="210"), True, True),
        (Risk.HIGH, Care(typed="210"), False, False),
        (Risk.HIGH, Care(typed="48210"), True, False),
    ],
)
def test_risk_asks_for_care(risk: Risk, care: Care, *, opened: bool, enough: bool) -> None:
    of = request(risk=risk, amount=Decimal("482.10"))
    assert careful(of, care, opened=opened) is enough


@pytest.mark.parametrize(
    ("amount", "word"),
    [
        ("48210.00", "000"),
        ("48210.5", "050"),
        ("7", "700"),
        ("0.5", "050"),
        (None, "post_invoice"),
    ],
)
def test_the_word_is_the_end_of_the_amount(amount: str | None, word: str) -> None:
    assert word_to_type(request(amount=None if amount is None else Decimal(amount))) == word


def said(count: int, seconds: float | None = 0.5, say: Say = Say.APPROVE) -> list[Said]:
    """So many answers, two seconds apart, the newest of them now."""
    return [
        Said(by="ben", say=say, at=NOW - timedelta(seconds=2 * n), seconds=seconds)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("recent", "after", "wait"),
    [
        (said(RUN - 1), 0, None),
        (said(RUN), 0, 5.0),
        (said(RUN), 4, 1.0),
        (said(RUN), 5, None),
        (said(RUN + 10), 0, 10.0),
        (said(RUN + 39), 0, 20.0),
        (said(RUN, seconds=GLANCE), 0, None),
        (said(RUN, seconds=None), 0, None),
        (said(RUN, say=Say.REJECT), 0, None),
        (said(5) + said(1, seconds=9) + said(RUN), 0, None),
    ],
)
def test_forty_at_a_glance_slow_down(
    recent: list[Said], after: float, wait: float | None
) -> None:
    now = NOW + timedelta(seconds=after)
    if wait is None:
        check_pace(recent, now=now)
    else:
        with pytest.raises(TooFast) as held:
            check_pace(recent, now=now)
        assert held.value.wait == wait


@given(st.lists(st.tuples(st.sampled_from(Say), st.none() | st.floats(0, 60)), max_size=60))
def test_nobody_is_held_up_for_ever(answers: list[tuple[Say, float | None]]) -> None:
    recent = [
        Said(by="ben", say=say, at=NOW - timedelta(seconds=n), seconds=seconds)
        for n, (say, seconds) in enumerate(answers)
    ]
    check_pace(recent, now=NOW + timedelta(seconds=20))


def test_groups_differ_in_more_than_numbers() -> None:
    one = draft(why="the amount 48,210.00 is over 25,000")
    assert group_of(one) == group_of(draft(why="the amount 7.5  is over 25,000"))
    assert group_of(one) != group_of(draft(why="the amount 48,210.00 is under 25,000"))
    assert group_of(one) != group_of(draft(why=one.why, tool="other"))
    assert flood_of(one) == flood_of(draft(why="anything", tool="other"))
    assert flood_of(one) != flood_of(draft(agent="other"))


def test_it_climbs_link_by_link_and_never_past_its_end() -> None:
    now = NOW + timedelta(hours=1)
    of = request(roles=("reviewer",), escalate_to=("risk", "boss"))
    assert climb(of, now=NOW) is None
    first = climb(of, now=now)
    assert first is not None
    assert (first.roles, first.assignee, first.due_at) == (
        ("reviewer", "risk"),
        "",
        now + timedelta(hours=1),
    )
    second = climb(first, now=first.due_at)
    assert second is not None
    assert second.assignee == "boss"
    assert climb(second, now=NOW + timedelta(days=9)) is None
    anybody = climb(request(escalate_to=("risk",)), now=now)
    assert anybody is not None
    assert anybody.roles == ()  # a role more would shut the others out


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ada", "ben", "cat", "eve"]),
            st.sets(st.sampled_from(["viewer", "reviewer", "operator", "risk"])),
        )
    ),
    st.sets(st.sampled_from(["reviewer", "risk"])),
)
def test_a_quorum_is_of_people_who_may(
    standing: list[tuple[str, set[str]]], roles: set[str]
) -> None:
    of = request(roles=tuple(sorted(roles)))
    may = [(name, tuple(held)) for name, held in standing if "answer" in permissions_of(held)]
    found = approvers(of, may)
    assert len(set(found)) == len(found)
    assert "ada" not in found
    for name in found:
        assert any(
            who == name
            and held & {"reviewer", "operator", "risk"}
            and (not roles or held & roles)
            for who, held in standing
        )


@pytest.mark.parametrize(
    ("roles", "to", "held", "goes"),
    [
        ((), "operator", None, True),
        ((), "viewer", None, False),
        (("risk",), "operator", None, False),
        (("risk",), "risk", None, True),
        (("risk",), "ria", ("risk",), True),
        (("risk",), "cat", ("operator",), False),
        ((), "ada", ("operator",), False),
        ((), "nobody", None, False),
    ],
)
def test_handing_over_widens_nothing(
    roles: tuple[str, ...], to: str, held: tuple[str, ...] | None, *, goes: bool
) -> None:
    may = permissions_of(held or ())
    assert (why_not_hand_over(request(roles=roles), to, held, may) == "") is goes


@pytest.mark.parametrize(
    ("change", "mine"),
    [
        ({}, True),
        ({"state": State.APPROVED}, False),
        ({"snoozed_until": NOW + timedelta(minutes=1)}, False),
        ({"snoozed_until": NOW}, True),
        ({"assignee": "cat"}, False),
        ({"assignee": "ben"}, True),
        ({"answers": (Said(by="ben", say=Say.APPROVE, at=NOW),)}, False),
        ({"answers": (Said(by="ben", say=Say.APPROVE, at=NOW, undone_at=NOW),)}, True),
        ({"requester": "ben"}, False),
    ],
)
def test_whose_turn_it_is(change: dict[str, Any], *, mine: bool) -> None:
    assert waits_on(request(**change), BEN, NOW, ()) is mine
    assert not waits_on(request(**change), BEN, NOW, ("ben",))


@pytest.mark.parametrize(
    "wrong",
    [
        {"probe_share": 0.021},
        {"probe_share": -0.1},
        {"second_share": 0.3},
        {"crowd": 0},
        {"grace": -1},
        {"probe_share": float("nan")},
    ],
)
def test_settings_have_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSettings):
        check_settings(Settings(**wrong))


def test_chance_is_even_enough() -> None:
    drawn = [chance(f"die_{n}") for n in range(4000)]
    assert all(0 <= one < 1 for one in drawn)
    assert 0.017 < sum(one < 0.02 for one in drawn) / 4000 < 0.028


def test_what_a_person_sees_has_a_digest_of_its_own() -> None:
    of = request()
    assert of.shown == of.binding
    seen = {
        of.shown,
        replace(of, round=1).shown,
        replace(of, edited={"amount": 1}).shown,
        replace(of, edited={"amount": 2}).shown,
        replace(of, edited={"amount": 2}, round=1).shown,
    }
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("sort", "expected", "say", "passed"),
    [
        ("probe", Say.REJECT, Say.APPROVE, False),
        ("probe", Say.REJECT, Say.REJECT, True),
        ("probe", Say.REJECT, Say.EDIT, True),
        ("probe", Say.REJECT, Say.RESPOND, True),
        ("second", Say.APPROVE, Say.APPROVE, True),
        ("second", Say.APPROVE, Say.EDIT, True),
        ("second", Say.APPROVE, Say.REJECT, False),
        ("second", Say.REJECT, Say.RESPOND, True),
        ("second", Say.REJECT, Say.APPROVE, False),
    ],
)
def test_what_a_check_finds(sort: Any, expected: Say, say: Say, *, passed: bool) -> None:
    assert Check(sort=sort, of="inb_0", expected=expected).passed(say) is passed


def row(by: str, say: Say, **given_: Any) -> dict[str, Any]:
    base = {"at": NOW, "seconds": 3.0, "tool": "t", "risk": "low", "check": "", "passed": None}
    return {"by": by, "say": say.value, "undone_at": None, **base, **given_}


def test_oversight_counts_what_stands() -> None:
    rows = [
        row("ben", Say.APPROVE, seconds=1.0),
        row("ben", Say.APPROVE, seconds=5.0, risk="high"),
        row("ben", Say.REJECT),
        row("ben", Say.APPROVE, undone_at=NOW),
        row("ben", Say.APPROVE, check="probe", passed=False),
        row("ben", Say.REJECT, check="probe", passed=True),
        row("cat", Say.APPROVE, check="second", passed=True, tool="u"),
    ]
    found = oversight(rows, days=7)
    ben, cat = found.people
    assert (ben.answers, ben.says, ben.taken_back) == (3, {"approve": 2, "reject": 1}, 1)
    assert (ben.missed.hits, ben.missed.n) == (1, 2)
    assert ben.missed.interval is not None
    assert ben.missed.interval.low == pytest.approx(0.0126, abs=1e-3)
    assert ben.missed.interval.high == pytest.approx(0.9874, abs=1e-3)
    assert ben.seconds == {"high": 5.0, "low": 3.0}
    assert (cat.answers, cat.disagreed.n, cat.missed.n) == (0, 1, 0)
    assert [one.name for one in found.tools] == ["t", "u"]
    assert found.everybody.by_hour == {"00": (2, 3)}


@given(
    st.lists(st.tuples(st.text(max_size=40), st.text(max_size=10)), max_size=20),
    st.text(max_size=60),
)
def test_every_reason_gets_some_category(earlier: list[tuple[str, str]], reason: str) -> None:
    found = sorting.suggest(reason, earlier)
    assert found in {category for _, category in earlier} or (
        found and sorting.slug(found) == found
    )


@pytest.mark.parametrize(
    ("reason", "category"),
    [
        ("the supplier's bank account differs from the contract", "wrong-account"),
        ("bank account is another one than in the contract", "wrong-account"),
        ("the price does not include tolls", "price"),
        ("weather", "weather"),
        ("12 34", "12-34"),
        ("!!!", "other"),
    ],
)
def test_likeness_sorts_reasons(reason: str, category: str) -> None:
    earlier = [
        ("bank account differs from the one in the contract", "wrong-account"),
        ("price without tolls and insurance", "price"),
    ]
    assert sorting.suggest(reason, earlier) == category
    assert person("x").roles == ()
