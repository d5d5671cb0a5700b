"""Cut-offs with a guarantee."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.traffic import calm, noise

from opsroom.evidence import NotFinite, OutOfRange, UnequalSamples
from opsroom.evidence.thresholds import CUTOFFS, certify, labels_needed


def labelled(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """An agent whose errors grow as its confidence falls: 0.5 % at 1, 30 % at 0."""
    scores = rng.random(n)
    return scores, rng.random(n) < 0.005 + 0.295 * (1 - scores) ** 2


def true_error(cutoff: float) -> float:
    """Its error rate over all decisions at this confidence or above."""
    return 0.005 + 0.295 * (1 - cutoff) ** 2 / 3


def picked_by_eye(scores: np.ndarray, wrong: np.ndarray, target: float) -> float:
    """The lowest cut-off at which the labelled sample happens to meet the target."""
    return min(
        cutoff
        for cutoff in CUTOFFS
        if (scores >= cutoff).any() and wrong[scores >= cutoff].mean() <= target
    )


def test_a_certified_cutoff_says_what_it_rests_on() -> None:
    scores, wrong = labelled(np.random.default_rng(1), 2_000)
    found = certify(scores.tolist(), wrong.tolist(), target=0.05)
    assert found is not None
    assert found.decided == (scores >= found.value).sum()
    assert found.errors == wrong[scores >= found.value].sum()
    assert found.errors / found.decided < found.error_bound <= 0.05
    assert found.decided / found.labelled > 0.3


def test_two_hundred_labels_can_hardly_certify_two_percent() -> None:
    rng = np.random.default_rng(2)
    samples = [labelled(rng, 200) for _ in range(100)]
    found = [certify(s.tolist(), w.tolist(), target=0.02) for s, w in samples]
    assert sum(cutoff is not None for cutoff in found) <= 10


def test_the_least_number_of_labels() -> None:
    assert labels_needed(target=0.05) == 59
    assert labels_needed(target=0.02) == 149
    all_right = [1.0] * 58
    assert certify(all_right, [False] * 58, target=0.05) is None
    assert certify([*all_right, 1.0], [False] * 59, target=0.05) is not None


@pytest.mark.parametrize(("n", "target"), [(500, 0.05), (2_000, 0.02)])
def test_the_promise_is_seldom_broken(n: int, target: float) -> None:
    """Nominal 5 %. Picking by eye breaks its target in about half of the runs."""
    rng = np.random.default_rng(n)
    broken = by_eye = 0
    for _ in range(400):
        scores, wrong = labelled(rng, n)
        found = certify(scores.tolist(), wrong.tolist(), target=target)
        broken += found is not None and true_error(found.value) > target
        by_eye += true_error(picked_by_eye(scores, wrong, target)) > target
    assert broken / 400 <= 0.05 + noise(0.05, 400)
    assert by_eye / 400 > 0.35


@calm
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=300), st.floats(0.01, 0.5))
def test_what_is_certified_keeps_its_target_on_the_sample(
    items: list[tuple[float, bool]], target: float
) -> None:
    found = certify([score for score, _ in items], [error for _, error in items], target=target)
    if found is not None:
        above = [error for score, error in items if score >= found.value]
        assert (found.decided, found.errors) == (len(above), sum(above))
        assert found.errors / found.decided < found.error_bound <= target + 1e-9
        assert found.decided >= labels_needed(target=target)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: certify([0.5], [], target=0.05), UnequalSamples),
        (lambda: certify([float("nan")], [True], target=0.05), NotFinite),
        (lambda: certify([0.5], [True], target=0.0), OutOfRange),
        (lambda: certify([0.5], [True], target=0.1, confidence=1.0), OutOfRange),
        (lambda: labels_needed(target=1.0), OutOfRange),
    ],
)
def test_bad_questions_are_refused(call: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        call()
