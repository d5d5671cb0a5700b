"""Conditions are decided, whatever somebody wrote; they never run away."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.alerts.conditions import LONGEST, holds
from opsroom.alerts.errors import BadCondition
from opsroom.alerts.figures import Counts, figures

NOTHING = figures({}, {})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("now.failed.rate >= 0.1", True),
        ("now.failed.rate > 0.1", False),
        ("now.turns == 50 && before.turns == 0", True),
        ("now.failed.low < 0.1 && 0.1 < now.failed.high", True),
        ("now.automated.rate == 0.5", True),
        ("usual.failed.windows == 0 && usual.failed.chance == 1.0", True),
        ("!usual.failed.worse", True),
        ("week_ago.turns > 0 || events > 0", False),
        ("now.turns > 10 ? now.escalated.hits == 20 : false", True),
    ],
)
def test_what_a_condition_can_say(condition: str, *, expected: bool) -> None:
    facts = figures({0: Counts(turns=50, failed=5, escalated=20)}, {})
    assert holds(condition, facts) is expected


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("", ""),
        ("now.", "yntax"),
        ("now.turns", "neither true nor false"),
        ("now.nothing > 1", "no figure 'nothing'"),
        ("later.turns > 1", "later"),
        ("now.turns > 'a'", "overload"),
        ("now.turns / 0 > 1", ""),
        ("[1, 2].exists(x, x > 1)", "exists()"),
        ("[1].map(x, [1].map(y, x)) == []", "map()"),
        ("open('/etc/passwd') == ''", ""),
        ("true || " * 1000 + "true", f"{LONGEST:,}"),
        ("(" * 900 + "true" + ")" * 900, ""),
    ],
)
def test_what_it_cannot_say_is_told(condition: str, why: str) -> None:
    with pytest.raises(BadCondition) as refused:
        holds(condition, NOTHING)
    assert why in refused.value.why
    assert refused.value.status == 422
    assert refused.value.hint


@given(
    st.text(max_size=80) | st.text(alphabet="now.turns&|!()<>=01[]{}'\"?:+-*/% ", max_size=80)
)
def test_any_text_is_true_false_or_told(text: str) -> None:
    try:
        answer: Any = holds(text, NOTHING)
    except BadCondition:
        return
    assert answer in {True, False}
