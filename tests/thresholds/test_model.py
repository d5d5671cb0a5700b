"""What counts as right and wrong, what is certified, and what is proposed from it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.traffic import calm
from tests.thresholds.world import sure_when_right

from opsroom.autonomy.model import Envelope
from opsroom.contracts.model import Tier
from opsroom.evidence.calibration import calibrate
from opsroom.evidence.model import Tally
from opsroom.thresholds.errors import BrokenSettings
from opsroom.thresholds.model import (
    OUTCOMES,
    Certified,
    Decision,
    Holds,
    Lost,
    Settings,
    Source,
    Uncertified,
    check_settings,
    confidence_of,
    decide_cutoff,
    decide_watch,
    envelope_of,
    meaning,
)

ONE = Decision(
    action="act_1",
    agent="clerk",
    environment="production",
    contract="book",
    reference="contract/book@1",
    manifest="0" * 64,
    confidence=0.9,
    source=Source.ASKED,
)
ENVELOPES = st.builds(
    Envelope,
    max_amount=st.none() | st.decimals(0, 1000, places=2),
    max_per_day=st.none() | st.integers(0, 20),
    min_confidence=st.none() | st.floats(0, 1),
    spot_share=st.none() | st.floats(0, 1),
)


@pytest.mark.parametrize(
    ("known", "wrong", "known_wrong"),
    [
        ({"right": True}, False, False),
        ({"right": False}, True, True),
        ({}, None, False),
        ({"right": True, "overridden": True}, True, True),
        ({"right": True, "outcome": "failed"}, False, False),  # people had approved it
        ({"source": Source.SPOT, "right": True}, False, False),
        ({"source": Source.SPOT, "right": False}, True, True),
        ({"source": Source.ALONE}, None, False),  # nobody complained
        ({"source": Source.ALONE, "overridden": True}, None, True),
        ({"source": Source.ALONE, "outcome": "failed"}, None, True),
        ({"source": Source.ALONE, "outcome": "unknown"}, None, True),
        ({"source": Source.ALONE, "outcome": "compensated"}, None, True),
    ],
)
def test_what_counts(known: dict[str, Any], wrong: bool | None, known_wrong: bool) -> None:
    one = replace(ONE, **known)
    assert one.wrong is wrong
    assert one.known_wrong(OUTCOMES) is known_wrong


def test_which_outcomes_count_is_up_to_the_project() -> None:
    one = replace(ONE, source=Source.ALONE, outcome="failed")
    assert not one.known_wrong(frozenset({"unknown"}))


def test_a_cut_off_says_what_it_rests_on() -> None:
    labels = sure_when_right(2_000)
    found = decide_cutoff([c for c, _ in labels], [w for _, w in labels], target=0.05)
    assert isinstance(found, Certified)
    assert 0 < found.cutoff.value < 1
    assert found.cutoff.error_bound <= 0.05
    assert f"{found.cutoff.errors} of {found.cutoff.decided} were wrong" in found.because


def test_why_there_is_none() -> None:
    few = decide_cutoff([1.0] * 88, [False] * 88, target=0.05)
    assert few == Uncertified(
        "88 labelled decisions, and it takes at least 89 that are all right to show 5.0%"
    )
    assert isinstance(decide_cutoff([1.0] * 89, [False] * 89, target=0.05), Certified)
    bad = decide_cutoff([1.0] * 200, [True] * 20 + [False] * 180, target=0.05)
    assert bad == Uncertified(
        "of its 200 surest decisions 20 were wrong, which does not show 5.0%"
    )


def test_all_looks_share_one_confidence() -> None:
    spent = sum(1 - confidence_of(look) for look in range(1, 5_000))
    assert 0.03 < spent < 0.05
    assert confidence_of(2) > confidence_of(1) > 0.95


def says(labels: list[tuple[float, bool]]) -> tuple[str, str]:
    found = meaning(calibrate([c for c, _ in labels], [w for _, w in labels]))
    return found.kind, found.says


def test_what_a_confidence_means() -> None:
    assert says(sure_when_right(2_000))[0] == "useful"
    same = [(0.9, number % 5 == 0) for number in range(200)]
    assert says(same)[0] == "nothing"
    assert "50% of the time" in says(same)[1]
    assert says([(0.9, True)] * 40 + [(0.2, False)] * 40)[0] == "backwards"
    assert says([(0.9, False)] * 200 + [(0.1, True)] * 9)[0] == "too_little"
    boast = [(0.99, number % 4 == 0) for number in range(200)] + [(0.9, True)] * 40
    assert "over-confident, it says 98%" in says(boast)[1]


def test_the_watch() -> None:
    quiet = [Tally(n=50, hits=1)] * 10
    bad = [*quiet, Tally(n=50, hits=12), Tally(n=50, hits=12)]
    assert isinstance(decide_watch(quiet, [], target=0.05), Holds)
    lost = decide_watch(bad, [], target=0.05)
    assert isinstance(lost, Lost)
    assert lost.because == (
        "24 of the last 100 decisions above its cut-off were wrong, where 5.0% were promised"
    )
    spots = decide_watch(quiet, bad, target=0.05)
    assert isinstance(spots, Lost)
    assert "100 spot checks" in spots.because


@calm
@given(was=ENVELOPES, asked=ENVELOPES, cutoff=st.floats(0, 1))
def test_a_proposal_is_never_wider_in_other_respects(
    was: Envelope, asked: Envelope, cutoff: float
) -> None:
    """C11: an agent's word moves nothing but the bar on its own confidence."""
    found = envelope_of(cutoff, was, asked, Settings())
    assert found.min_confidence == cutoff
    assert replace(found, min_confidence=1.0).within(replace(was, min_confidence=None))
    assert replace(found, min_confidence=1.0).within(replace(asked, min_confidence=None))
    assert (found.spot_share or 0) >= 0.1


def test_a_lower_cut_off_is_wider_and_a_higher_one_narrower() -> None:
    was = Envelope(max_amount=Decimal(250), min_confidence=0.8, spot_share=0.2)
    assert not envelope_of(0.7, was, Envelope(), Settings()).within(was)
    assert envelope_of(0.9, was, Envelope(), Settings()).within(was)


@pytest.mark.parametrize(
    "wrong",
    [
        Settings(targets={Tier.WRITE: 0.0}),
        Settings(targets={Tier.WRITE: 0.6}),
        Settings(wrong_outcomes=("succeeded",)),
        Settings(spot_share=1.1),
        Settings(spot_share=float("nan")),
    ],
)
def test_settings_that_are_none(wrong: Settings) -> None:
    with pytest.raises(BrokenSettings):
        check_settings(wrong)
