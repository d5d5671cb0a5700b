"""Comparisons and verdicts as pages show them: the same words and colours everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from opsroom.evidence import BinaryComparison, Direction, Verdict
from opsroom.kit.db import Tx
from opsroom.registry import Check, Proposal, Ref, Version
from opsroom.registry import queries as registry
from opsroom.registry.drawing import Action, KindPage, Panel
from opsroom.web.charts import Effect, Tone
from opsroom.web.formats import number, percent

from . import judges, queries
from .calibration import STANDARDS
from .comparison import AnyComparison, MetricComparison, Role
from .gate import GateVerdict, Outcome
from .gating import uncalibrated
from .kind import text as evaluator_text

VERDICTS: dict[Verdict, tuple[str, Tone]] = {
    Verdict.BETTER: ("better", "good"),
    Verdict.NOT_WORSE: ("not worse", "info"),
    Verdict.WORSE: ("worse", "bad"),
    Verdict.UNDECIDED: ("undecided", "warn"),
}
OUTCOMES: dict[Outcome, tuple[str, Tone]] = {
    Outcome.PASSED: ("passed", "good"),
    Outcome.FAILED: ("failed", "bad"),
    Outcome.INCONCLUSIVE: ("inconclusive", "warn"),
    Outcome.ERROR: ("could not be computed", "bad"),
}
UNITS = {"latency": "s", "cost": "USD", "input-tokens": "tokens", "output-tokens": "tokens"}
MOST_DIGITS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """How the numbers of one metric are written: as points of a rate, or in their own unit."""

    factor: float
    unit: str
    digits: int

    def value(self, found: float | None) -> str:
        """One value of the metric, not a difference."""
        if found is None:
            return "–"
        if self.unit == "pt":
            return percent(found)
        return f"{number(found, self.digits)}{' ' + self.unit if self.unit else ''}"


def scaled(metric: str, found: AnyComparison) -> Scaled:
    """The writing of one metric: as many digits as its interval has something to say in."""
    if isinstance(found, BinaryComparison):
        return Scaled(factor=100, unit="pt", digits=1)
    width = found.interval.high - found.interval.low
    size = max(width, abs(found.difference)) or 1.0
    digits = min(max(1 - floor(log10(size)), 0), MOST_DIGITS)
    return Scaled(factor=1, unit=UNITS.get(metric, ""), digits=digits)


def effects(
    metrics: Sequence[MetricComparison], *, hrefs: dict[str, str] | None = None
) -> list[Effect]:
    """A row of the forest plot for each metric that could be computed."""
    links = hrefs or {}
    return [
        _effect(one, found, links.get(one.metric, ""))
        for one in metrics
        if (found := one.comparison) is not None
    ]


def _effect(one: MetricComparison, found: AnyComparison, href: str) -> Effect:
    scale = scaled(one.metric, found)
    word, tone = VERDICTS[found.verdict]
    if isinstance(found, BinaryComparison):
        before, after = scale.value(found.rate_a), scale.value(found.rate_b)
    else:
        before, after = scale.value(found.mean_a), scale.value(found.mean_b)
    worse = -1 if found.direction is Direction.HIGHER else 1
    return Effect(
        label=one.metric + ("" if one.role is Role.PRIMARY else " (guardrail)"),
        estimate=found.difference * scale.factor,
        low=found.interval.low * scale.factor,
        high=found.interval.high * scale.factor,
        verdict=word,
        tone=tone,
        unit=scale.unit,
        digits=scale.digits,
        limit=worse * found.margin * scale.factor if found.margin else None,
        n=found.pairs,
        href=href,
        before=before,
        after=after,
    )


def uncomputed(metrics: Sequence[MetricComparison]) -> list[MetricComparison]:
    """Metrics with too few pairs to compute anything."""
    return [one for one in metrics if one.comparison is None]


def level(metrics: Sequence[MetricComparison]) -> str:
    """The interval of a forest, named by its confidence where all rows share one."""
    levels = {one.comparison.interval.level for one in metrics if one.comparison}
    return f"{percent(levels.pop(), 0)} interval" if len(levels) == 1 else "interval"


def draw_gate(tx: Tx, proposal: Proposal, check: Check | None) -> Panel | None:
    """The gate beside a proposal: its verdict, or how to get one."""
    verdict = None
    if check is not None and check.evidence:
        verdict = queries.stored_verdict(tx, check.evidence)
    if proposal.base is None or (check is not None and verdict is None):
        return None
    at = [Ref(proposal.kind, proposal.name, str(n)) for n in (proposal.base, proposal.number)]
    stale = verdict is not None and verdict.evidence.candidate.version != proposal.digest
    return Panel(
        template="evals/gate_panel.html",
        facts={
            "proposal": proposal,
            "baseline": registry.version(tx, at[0]).ref,
            "candidate": registry.version(tx, at[1]).ref,
            "may": "author" in tx.actor.may,
            "stale": stale,
            **({"verdict": None} if verdict is None else verdict_facts(verdict)),
        },
    )


def verdict_facts(verdict: GateVerdict) -> dict[str, Any]:
    """What templates need of a verdict."""
    word, tone = OUTCOMES[verdict.outcome]
    return {
        "verdict": verdict,
        "digest": verdict.digest,
        "judged": [one for one in verdict.metrics if one.judge is not None],
        "uncalibrated": uncalibrated(verdict),
        "word": word,
        "tone": tone,
        "effects": effects(verdict.metrics),
        "uncomputed": uncomputed(verdict.metrics),
        "interval": level(verdict.metrics),
    }


def draw_evaluator(tx: Tx, version: Version) -> Panel:
    """The evaluator as it is written down and, of a judge, what it is worth."""
    judge = judges.is_judge(version.spec)
    return Panel(
        template="evals/evaluator_panel.html",
        facts={
            "version": version,
            "type": version.spec.get("type", ""),
            "text": evaluator_text(version.spec),
            "judge": judge,
            "may": "author" in tx.actor.may,
            "domains": judges.in_domains(tx, version) if judge else (),
            "standards": STANDARDS,
        },
    )


def compare_action(before: Version, after: Version) -> Sequence[Action]:
    """From a difference in text to the difference in what comes out."""
    return (
        Action(title="Compare answers", href=f"/evals/compare?a={before.ref}&b={after.ref}"),
    )


EVALUATOR = KindPage(
    kind="evaluator",
    path="/evaluators",
    plural="evaluators",
    question="What counts as a good answer?",
    absent="An evaluator says how an answer is judged: equality, a pattern, a schema, a judge.",
    command="opsroom import FORMAT PATH",
    draw=draw_evaluator,
    served=False,
)
