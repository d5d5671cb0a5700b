"""Releases and evidence for tests that need no database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.releases.world import GATE

from opsroom.evals.gate import Outcome
from opsroom.releases.evidence import (
    ArmCounts,
    Counts,
    Evidence,
    GateResult,
    LegCounts,
    PairCounts,
    SampleCounts,
    ShadowCounts,
)
from opsroom.releases.model import Because, Release, State, next_leg
from opsroom.releases.plan import Plan

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAN = Plan(gate=GATE)
PASSED = GateResult(outcome=Outcome.PASSED, digest="9" * 64, because="it holds")


def release(
    state: State, *, hours: float = 0.0, plan: Plan = PLAN, step: int = 0, legs: int = 0
) -> Release:
    """A release that came into `state` so many hours ago."""
    entered = NOW - timedelta(hours=hours)
    made = Release(
        id="rel_1",
        kind="agent",
        name="clerk",
        number=2,
        digest="2" * 64,
        baseline=1,
        baseline_digest="1" * 64,
        author="ada",
        version_author="ada",
        plan=plan,
        created_at=NOW - timedelta(days=9),
        entered_at=entered,
        state=state,
        step=step,
    )
    if state is State.PAUSED:
        made = replace(
            made, paused_from=State.SHADOWING, paused_at=entered, code=Because.PERSON
        )
    if state in {State.CANARYING, State.PROMOTED, State.ROLLED_BACK} or legs:
        for number in range(max(legs, step + 1)):
            made = replace(made, legs=next_leg(made.legs, plan, min(number, step), entered))
    return made


def evidence(**changes: object) -> Evidence:
    """What is known of a release about which nothing bad is known."""
    return replace(
        Evidence(champion=1, gate=PASSED, approvals_missing=()),
        **changes,  # type: ignore[arg-type]
    )


def shadow(pairs: int, *, only_champion: int = 0, only_candidate: int = 0) -> ShadowCounts:
    """Pairs without a hole, some of which were bad on one side only."""
    rest = pairs - only_champion - only_candidate
    error = PairCounts(
        n=pairs,
        only_champion=only_champion,
        only_challenger=only_candidate,
        neither=rest,
        mean=(only_candidate - only_champion) / pairs if pairs else 0.0,
    )
    success = PairCounts(
        n=pairs,
        both=rest,
        only_champion=only_candidate,
        only_challenger=only_champion,
        mean=-error.mean,
    )
    return ShadowCounts(pairs=pairs, metrics={"error": error, "success": success})


def arm(n: int, failed: int) -> ArmCounts:
    return ArmCounts(
        n=n,
        metrics={"error": Counts(n=n, hits=failed), "success": Counts(n=n, hits=n - failed)},
    )


def leg(
    number: int,
    weight: float,
    champion: tuple[int, int],
    challenger: tuple[int, int],
    *,
    step: int = 0,
) -> LegCounts:
    """A leg by (requests, failures) of either arm."""
    return LegCounts(
        leg=number,
        step=step,
        weight=weight,
        champion=arm(*champion),
        challenger=arm(*challenger),
    )


REVIEWED = SampleCounts(drawn=50, judged=50, good=50)
