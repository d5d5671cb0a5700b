"""Which plans can be carried out, and which candidate is proposed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.improvement.world import plan

from opsroom.evals.comparison import MetricComparison, Role
from opsroom.evals.model import Scale
from opsroom.evidence import Verdict
from opsroom.evidence.model import Pairs
from opsroom.evidence.paired import compare_binary
from opsroom.improvement.errors import BadPlan
from opsroom.improvement.model import (
    Budget,
    Candidate,
    Method,
    Score,
    Standing,
    check_plan,
    choose,
)
from opsroom.improvement.options import read_grid

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"target": "dataset/customs"}, "prompt/NAME or agent/NAME"),
        ({"target": "prompt/customs@3"}, "as the base"),
        ({"target": "agent/customs"}, "changes a prompt"),
        ({"method": Method.REFLECT, "target": "agent/customs"}, "changes a prompt"),
        ({"method": Method.PARAMETERS}, "needs a grid"),
        ({"method": Method.PARAMETERS, "grid": {"temperature": ()}}, "needs a grid"),
        ({"method": Method.VERSIONS}, "needs the versions"),
        ({"model": "recorded"}, "name a model"),
        ({"budget": Budget(max_calls=0)}, "max_calls"),
        ({"step": 0}, "step"),
        ({"margin": 0.9}, "margin"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(BadPlan, match=why):
        check_plan(plan(**changed))


def test_a_grid_reads_numbers_as_numbers_and_names_as_text() -> None:
    assert read_grid(["temperature=0,0.5", "model=small,large", "logprobs=true"]) == {
        "temperature": (0, 0.5),
        "model": ("small", "large"),
        "logprobs": (True,),
    }
    with pytest.raises(BadPlan, match="NAME=VALUE"):
        read_grid(["temperature"])


def candidate(
    number: int, only_a: int = 0, only_b: int = 0, *, cost: float = 1.0, both: int = 40
) -> Candidate:
    """One that the base beats on `only_a` items, and that beats the base on `only_b`."""
    found = compare_binary(
        Pairs(both=both, only_a=only_a, only_b=only_b, neither=10), margin=0.05
    )
    compared = MetricComparison(
        metric="correct",
        role=Role.PRIMARY,
        scale=Scale.BINARY,
        pairs=found.pairs,
        missing_a=0,
        missing_b=0,
        missing_share=0.0,
        verdict=found.verdict,
        comparison=found,
        power=None,
        needed=None,
    )
    return Candidate(
        improvement="imp_1",
        number=number,
        parent=None if number == 0 else 0,
        change="changed",
        spec={},
        digest=str(number),
        standing=Standing.TRIED,
        created_at=NOW,
        model="m",
        score=Score(metric="correct", value=found.rate_b, n=found.pairs, interval=None),
        compared=compared if number else None,
        cost=cost,
    )


@pytest.mark.parametrize(
    ("tried", "chosen", "because"),
    [
        ([], None, "nothing could be tried"),
        ([candidate(1, 2, 4)], None, "nothing is shown to be better"),
        ([candidate(1, 0, 9), candidate(2, 0, 12)], 2, "better than the base"),
        ([candidate(1, 0, 12), candidate(2, 0, 12)], 1, "better than the base"),
        ([candidate(1, 0, 0, both=400, cost=0.5)], 1, "not worse than the base, and cheaper"),
        ([candidate(1, 0, 0, both=400, cost=1.0)], None, "nothing is shown"),
        ([candidate(1, 9, 0, cost=0.1)], None, "nothing is shown"),
        ([candidate(1, 0, 9, cost=9), candidate(2, both=400, cost=0.1)], 1, "better"),
    ],
)
def test_choose(tried: list[Candidate], chosen: int | None, because: str) -> None:
    found = choose([candidate(0), *tried])
    assert (None if found.candidate is None else found.candidate.number) == chosen
    assert because in found.because


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=6))
def test_nothing_worse_or_undecided_and_no_cheaper_is_proposed(
    pairs: list[tuple[int, int]],
) -> None:
    tried = [candidate(n + 1, a, b) for n, (a, b) in enumerate(pairs)]
    found = choose([candidate(0), *tried]).candidate
    if found is not None:
        assert found.compared is not None
        assert found.compared.verdict is Verdict.BETTER
    else:
        assert all(one.compared.verdict is not Verdict.BETTER for one in tried if one.compared)
