"""How often does a release roll back a candidate that is fine, and how often one that is not?

    python benchmarks/aa_releases.py [RELEASES] [--out FILE]

Thousands of releases go through the real `decide`, on counts in memory. Traffic arrives in
small batches, and every batch is decided, as it would be live. Each release has the default
plan (success as primary with a margin of 2 points, error as guardrail, alpha 5 %); rows that
name a weight have a single step of 2,000 requests at that weight instead. Rows of bad
candidates run half as many releases as the A/A rows.

"Stopped" means rolled back or aborted, nothing softer, before the candidate has answered
2,000 live requests (4,000 in A/A, where a stop is a mistake). Shadow pairs come before that;
"pairs counted" counts them as requests, too. Intervals are exact (Clopper–Pearson, 95 %).

With both arms at 50 % a single test of 2,000 + 2,000 requests at level 5 % notices 94 % of
doublings from 1.5 %; no rule that also looks earlier can do better there. The default steps
do, because at small weights the champion is known much better.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np

from opsroom.evidence import Tally
from opsroom.evidence.rates import clopper_pearson
from opsroom.releases.decide import decide
from opsroom.releases.evidence import (
    ArmCounts,
    Counts,
    Evidence,
    LegCounts,
    PairCounts,
    ShadowCounts,
)
from opsroom.releases.looks import look_due
from opsroom.releases.model import (
    Abort,
    Advance,
    Hold,
    Promote,
    Release,
    RollBack,
    State,
    next_leg,
)
from opsroom.releases.plan import CanaryStep, Plan, SamplePlan

START = datetime(2026, 11, 20, tzinfo=UTC)
LATER = START + timedelta(days=365)  # every minimum time is over; requests alone decide
BATCH = 50  # requests to the candidate between two decisions
HORIZON = 2_000
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How often champion and candidate fail, through which canary, after how many pairs.

    `shared` is the part of the champion's failures that are the candidate's too when both
    answer the same request; `counted` counts the pairs into the horizon.
    """

    name: str
    champion: float
    candidate: float
    steps: tuple[CanaryStep, ...] = Plan().steps
    pairs: int = 0
    shared: float = 0.5
    counted: bool = False
    until: int = HORIZON

    @property
    def plan(self) -> Plan:
        return Plan(steps=self.steps, sample=SamplePlan(size=0))


def single(weight: float) -> tuple[CanaryStep, ...]:
    return (CanaryStep(weight=weight, min_n=HORIZON),)


AA = (
    Scenario(name="A/A 1.5 %", champion=0.015, candidate=0.015, pairs=200, until=4_000),
    Scenario(name="A/A 10 %", champion=0.1, candidate=0.1, pairs=200, until=4_000),
)
DOUBLED = (
    Scenario(name="1.5 → 3 %, default steps", champion=0.015, candidate=0.03),
    Scenario(name="… after 200 shadow pairs", champion=0.015, candidate=0.03, pairs=200),
    Scenario(
        name="… 200 pairs counted", champion=0.015, candidate=0.03, pairs=200, counted=True
    ),
    Scenario(name="… after 2,000 shadow pairs", champion=0.015, candidate=0.03, pairs=2_000),
    Scenario(name="… weight 10 %", champion=0.015, candidate=0.03, steps=single(0.1)),
    Scenario(name="… weight 25 %", champion=0.015, candidate=0.03, steps=single(0.25)),
    Scenario(name="… weight 50 %", champion=0.015, candidate=0.03, steps=single(0.5)),
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How one release came out, and after how many requests to the candidate."""

    how: str
    requests: int


def run(scenario: Scenario, seed: int) -> Ending:
    """One release, from its first shadow pair to its end or to the horizon."""
    rng = np.random.default_rng(seed)
    release = _release(scenario.plan)
    evidence = Evidence(champion=1, approvals_missing=())
    if scenario.pairs:
        evidence = replace(evidence, shadow=_shadow(scenario, rng))
        decision = decide(release, evidence, now=LATER)
        if isinstance(decision, Abort):
            return Ending("stopped", 0)
    release = _canarying(release)
    requests = before = scenario.pairs if scenario.counted else 0
    while requests < scenario.until:
        legs = _observed(scenario, release, evidence.legs, rng)
        requests = before + sum(leg.challenger.n for leg in legs)
        looks = evidence.looks
        if look_due(release.plan, looks[-1] if looks else (), legs):
            looks = (*looks, legs)
        evidence = replace(evidence, legs=legs, looks=looks)
        match decision := decide(release, evidence, now=LATER):
            case RollBack():
                return Ending("stopped", requests)
            case Promote():
                return Ending("promoted", requests)
            case Advance():
                release = replace(release.after(decision, now=START), entered_at=START)
            case Hold():
                pass
            case _:
                return Ending(decision.kind, requests)
    return Ending("open", requests)


def _release(plan: Plan) -> Release:
    return Release(
        id="rel_simulated",
        kind="agent",
        name="simulated",
        number=2,
        digest="2" * 64,
        baseline=1,
        baseline_digest="1" * 64,
        author="ada",
        version_author="ada",
        plan=plan,
        created_at=START,
        entered_at=START,
        state=State.SHADOWING,
    )


def _canarying(release: Release) -> Release:
    legs = next_leg((), release.plan, 0, START)
    return replace(release, state=State.CANARYING, legs=legs)


def _shadow(scenario: Scenario, rng: np.random.Generator) -> ShadowCounts:
    both = scenario.champion * scenario.shared
    only_a, only_b = scenario.champion - both, scenario.candidate - both
    bad, a, b, good = rng.multinomial(
        scenario.pairs, [both, only_a, only_b, 1 - both - only_a - only_b]
    ).tolist()
    errors = PairCounts(
        n=scenario.pairs, both=bad, only_champion=a, only_challenger=b, neither=good
    )
    success = PairCounts(
        n=scenario.pairs, both=good, only_champion=b, only_challenger=a, neither=bad
    )
    return ShadowCounts(pairs=scenario.pairs, metrics={"error": errors, "success": success})


def _observed(
    scenario: Scenario,
    release: Release,
    legs: tuple[LegCounts, ...],
    rng: np.random.Generator,
) -> tuple[LegCounts, ...]:
    leg = release.legs[-1]
    requests = round(BATCH / leg.weight)
    to_candidate = int(rng.binomial(requests, leg.weight))
    here = LegCounts(leg=leg.number, step=leg.step, weight=leg.weight)
    if legs and legs[-1].leg == leg.number:
        *before, here = legs
    else:
        before = list(legs)
    champion = _more(here.champion, requests - to_candidate, scenario.champion, rng)
    challenger = _more(here.challenger, to_candidate, scenario.candidate, rng)
    return (*before, replace(here, champion=champion, challenger=challenger))


def _more(arm: ArmCounts, n: int, rate: float, rng: np.random.Generator) -> ArmCounts:
    failed = int(rng.binomial(n, rate))
    errors, successes = arm.metric("error").hits, arm.metric("success").hits
    total = arm.n + n
    return ArmCounts(
        n=total,
        metrics={
            "error": Counts(n=total, hits=errors + failed),
            "success": Counts(n=total, hits=successes + n - failed),
        },
    )


def _run(job: tuple[Scenario, int]) -> Ending:
    return run(*job)


def simulate(scenario: Scenario, releases: int, *, workers: int = 2) -> list[Ending]:
    """The endings of so many releases; the same ones every time."""
    jobs = [(scenario, seed) for seed in range(releases)]
    if workers == 1:
        return [_run(job) for job in jobs]
    with get_context("fork").Pool(workers) as pool:
        return pool.map(_run, jobs, chunksize=20)


def summary(scenario: Scenario, endings: Sequence[Ending]) -> dict[str, object]:
    stopped = [one.requests for one in endings if one.how == "stopped"]
    share = clopper_pearson(Tally(n=len(endings), hits=len(stopped)))
    others = {how: sum(one.how == how for one in endings) for how in ("promoted", "open")}
    return {
        "scenario": scenario.name,
        "champion": scenario.champion,
        "candidate": scenario.candidate,
        "steps": [[step.weight, step.min_n] for step in scenario.steps],
        "pairs": scenario.pairs,
        "pairs_counted": scenario.counted,
        "releases": len(endings),
        "stopped": len(stopped) / len(endings),
        "low": share.low,
        "high": share.high,
        "median_requests": median(stopped) if stopped else None,
        "promoted": others["promoted"] / len(endings),
        "undecided": others["open"] / len(endings),
    }


def main(arguments: Sequence[str]) -> int:
    """Print the table; exit 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("releases", nargs="?", type=int, default=2_000)
    parser.add_argument("--out", type=Path, default=RESULTS / "aa_releases.json")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    print(
        f"{'scenario':30} {'stopped':>8} {'95 % interval':>16} {'median n':>9} {'promoted':>9}"
    )
    rows: list[dict[str, object]] = []
    for scenario in (*AA, *DOUBLED):
        share = 1 if scenario in AA else 2
        found = summary(scenario, simulate(scenario, options.releases // share))
        rows.append(found)
        interval = f"{found['low']:.1%} – {found['high']:.1%}"
        middle = "–" if found["median_requests"] is None else f"{found['median_requests']:,.0f}"
        print(
            f"{scenario.name:30} {found['stopped']:8.1%} {interval:>16} {middle:>9} "
            f"{found['promoted']:9.1%}",
            flush=True,
        )
    goals = {
        "false rollback ≤ 5 %": all(float(str(row["stopped"])) <= 0.05 for row in rows[:2]),
        "1.5 → 3 % caught ≥ 95 %": float(str(rows[2]["stopped"])) >= 0.95,
    }
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'} {goal}")
    seconds = time.monotonic() - began
    print(f"{options.releases:,} releases per A/A row, {seconds:.0f} s, {os.cpu_count()} cores")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "batch": BATCH,
        "horizon": HORIZON,
        "seconds": round(seconds, 1),
        "python": platform.python_version(),
        "rows": rows,
        "goals": goals,
    }
    options.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 0 if all(goals.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
