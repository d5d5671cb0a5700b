"""What a judge is worth, and where it may gate: pure decisions over counts."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evals.judging import counts, judged

from opsroom.evals.calibration import (
    STANDARDS,
    Counts,
    Standards,
    counted,
    domain_report,
    overall,
)
from opsroom.evals.choosing import choose

SOUND = counts((45, 5), (4, 46))


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (
            counts((50,), (0,)),
            "all 50 labels are pass, so how it errs on the others is not known",
        ),
        (counts((0,), (5, 45)), "all 50 labels are fail"),
        (counts((12, 1), (1, 12)), "26 labels are too few; at least 30 are needed"),
        (counts((60, 2), (0, 7)), "7 labels are fail, which is too few; at least 10 of each"),
        (
            counts((40, 2, 4), (2, 40, 3), turned=5),
            "7 of 91 verdicts (8%) are outside the agreed form, 5 because they change with the order",
        ),
        (counts((22, 1), (24, 3)), "the lower end is below 0.4; more labels would not help"),
        (counts((14, 9), (21, 6)), "it agrees no more than chance would"),
        (counts((18, 5), (11, 16)), "so is the estimate, and a better judge is likelier"),
        (counts((30, 8), (4, 18)), "about 90 labels would show it"),
    ],
)
def test_who_may_not_gate_is_told_why(found: Counts, says: str) -> None:
    standing = domain_report(found).standing
    assert not standing.may_gate
    assert says in standing.reason


def test_a_sound_judge_may_gate() -> None:
    found = domain_report(SOUND)
    assert found.standing.may_gate
    assert "its κ is 0.82 (0.69 to 0.92) on 100 labels" in found.standing.reason
    assert (found.sensitivity.rate, found.specificity.rate) == (0.9, 0.92)
    assert found.sensitivity.interval is not None
    strict = Standards(kappa=0.8)
    assert not domain_report(SOUND, strict).standing.may_gate


def test_so_many_labels_as_are_asked_for_are_enough() -> None:
    """The promise in words holds where the further labels are like those that are there."""
    few = counts((30, 8), (4, 18))
    assert not domain_report(few).standing.may_gate
    more = counts((60, 16), (8, 36))  # 120, where 90 are asked for, in the same shares
    assert domain_report(more).standing.may_gate


def test_verdicts_are_counted_by_domain() -> None:
    some = judged([(True, True), (True, False), (False, None), (False, False)])
    some[2] = replace(some[2], place="first", unsteady=True, cost=None)
    some[3] = replace(some[3], domain="airline")
    found = counted(some)
    assert [one.domain for one in found] == ["airline", "desk"]
    desk = found[1]
    assert (desk.good_passed, desk.good_failed, desk.bad_outside) == (1, 1, 1)
    assert (desk.turned, desk.turned_first, desk.unsteady) == (1, 1, 1)
    assert (desk.cost, desk.unpriced) == (Decimal("0.02"), 1)
    whole = overall(found)
    assert (whole.n, whole.bad_failed, whole.cost) == (4, 1, Decimal("0.03"))
    assert domain_report(desk).cost_per_item == Decimal("0.01")


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([True, False, None])), min_size=1, max_size=80
    )
)
def test_no_judge_gates_without_labels_of_both_kinds_and_a_high_kappa(
    verdicts: list[tuple[bool, bool | None]],
) -> None:
    [found] = counted(judged(verdicts))
    one = domain_report(found)
    assert one.n == len(verdicts)
    if one.standing.may_gate:
        assert one.kappa_interval.low >= STANDARDS.kappa
        assert min(found.good, found.bad) >= STANDARDS.each
        assert found.known_error.interval().low > 0
    else:
        assert one.standing.reason


def verdicts(good: int, good_wrong: int, bad: int, bad_wrong: int) -> list[tuple[bool, bool]]:
    return [
        *[(True, n >= good_wrong) for n in range(good)],
        *[(False, n < bad_wrong) for n in range(bad)],
    ]


def test_the_cheaper_of_two_that_cannot_be_told_apart_is_taken() -> None:
    found = choose(
        "desk",
        {
            "dear": judged(verdicts(60, 4, 40, 2), "0.05"),
            "cheap": judged(verdicts(60, 5, 40, 2), "0.01"),
            "poor": judged(verdicts(60, 20, 40, 15), "0.001"),
        },
    )
    assert (found.chosen, found.may_gate) == ("cheap", True)
    assert "as good as dear by all that can be told, and cheaper" in found.because
    assert [one.judge for one in found.candidates] == ["dear", "cheap", "poor"]


def test_the_better_one_is_taken_whatever_it_costs_where_it_can_be_told() -> None:
    found = choose(
        "desk",
        {
            "dear": judged(verdicts(150, 4, 150, 2), "0.05"),
            "cheap": judged(verdicts(150, 30, 150, 25), "0.01"),
        },
    )
    assert (found.chosen, found.because) == ("dear", "the best that may gate")


def test_a_judge_that_passes_everything_is_never_the_best() -> None:
    lenient = judged(verdicts(90, 0, 10, 10))
    careful = judged(verdicts(90, 20, 10, 2))
    found = choose("desk", {"lenient": lenient, "careful": careful})
    assert found.chosen == "careful"
    assert found.candidates[1].sees == 0
