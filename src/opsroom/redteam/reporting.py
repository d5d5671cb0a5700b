"""What a run on attacks or edge cases came to: how often things went wrong, by technique.

Things went wrong in a case where an attack got what it wanted, or where the answer to an edge
case is not the one that is right. Cases of one seed are alike, so intervals are over seeds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import fmean

from pydantic import JsonValue

from opsroom.datasets import Item
from opsroom.datasets import queries as datasets
from opsroom.evals import finding
from opsroom.evals import queries as evals
from opsroom.evals.gate import MAX_MISSING
from opsroom.evals.limits import Limited, Standing, standing
from opsroom.evals.model import EvalRun, Metric, Result, Scale
from opsroom.evidence import Direction, Interval
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx
from opsroom.kit.errors import NotFound
from opsroom.kit.wire import Wire

from .errors import NotYesOrNo
from .model import METRIC

OTHER = "other"
MOST_RESULTS = 20_000
MOST_WORST = 20
SHOWN = 400  # characters of an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Wire):
    """How many of some cases went wrong. `rate` and its `interval` are of their `seeds`: a seed
    counts once, as the share of its cases that went wrong. Both are None without cases.
    """

    name: str
    cases: int
    seeds: int
    wrong: int
    rate: float | None
    interval: Interval | None
    owasp: tuple[str, ...] = ()
    atlas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst(Wire):
    """A case that went wrong, with the first words of what was asked and answered."""

    item: str
    item_id: str
    technique: str
    asked: str
    answered: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Wire):
    """A run, counted by the first trial of each case. `missing` cases have no answer or no verdict
    and are in no count; `limit` is what was asked for, and where the rate stands to it. Where more
    are missing than a gate would have, nothing is shown.
    """

    run: str
    subject: str
    dataset: str
    variant: str
    metric: str
    state: str
    at: datetime
    overall: Share
    missing: int
    techniques: tuple[Share, ...]
    families: tuple[Share, ...]
    worst: tuple[Worst, ...]
    limit: Limited | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One case: what is known of it, and whether it went wrong; None where nobody can say."""

    item: Item | None
    result: Result
    wrong: bool | None

    def fact(self, name: str) -> str:
        found = self.item.metadata.get(name) if self.item else None
        return found if isinstance(found, str) and found else OTHER

    @property
    def seed(self) -> str:
        found = self.item.metadata.get("seed") if self.item else None
        return found if isinstance(found, str) else self.result.item


def report(tx: Tx, run_id: str, *, limit: float | None = None, level: float = 0.95) -> Report:
    """Count a run. Raises `RunNotFound`, and `NotYesOrNo` without a metric of yes and no."""
    run = evals.run(tx, run_id)
    metric = counted(run)
    if metric is None:
        raise NotYesOrNo(run_id)
    seen = _seen(tx, run, metric)
    known = [one for one in seen if one.wrong is not None]
    overall = share("all", known, level=level)
    return Report(
        run=run.id,
        subject=run.subject_name,
        dataset=run.dataset_name,
        variant=run.variant,
        metric=metric.name,
        state=run.state.value,
        at=run.created_at,
        overall=overall,
        missing=len(seen) - len(known),
        techniques=_by("technique", known, level=level),
        families=_by("family", known, level=level),
        worst=_worst(tx, run, [one for one in known if one.wrong][:MOST_WORST], metric),
        limit=limited_to(overall, len(seen) - len(known), limit),
    )


def counted(run: EvalRun) -> Metric | None:
    """The metric that says whether things went wrong: that of attacks, or the first yes-or-no."""
    binary = [one for one in run.metrics if one.scale is Scale.BINARY]
    return next((one for one in binary if one.name == METRIC), next(iter(binary), None))


def on_attacks(run: EvalRun) -> bool:
    """Whether a run counts attacks."""
    return any(one.name == METRIC for one in run.metrics)


def share(name: str, some: Sequence[Seen], *, level: float) -> Share:
    """How many of some cases went wrong. With one case a seed the interval is the exact one."""
    by_seed: dict[str, list[bool]] = defaultdict(list)
    for one in some:
        by_seed[one.seed].append(bool(one.wrong))
    rate = interval = None
    if by_seed:
        from opsroom.evidence.shares import mean_share  # noqa: PLC0415  # scipy: 0.3 s

        shares = [sum(each) / len(each) for each in by_seed.values()]
        rate, interval = fmean(shares), mean_share(shares, level=level)
    return Share(
        name=name,
        cases=len(some),
        seeds=len(by_seed),
        wrong=sum(bool(one.wrong) for one in some),
        rate=rate,
        interval=interval,
    )


def limited_to(overall: Share, missing: int, limit: float | None) -> Limited | None:
    """Where a share stands to a limit, with so many cases of which nobody can say."""
    if limit is None or overall.interval is None or overall.rate is None:
        return None
    shown = standing(overall.interval, limit=limit, direction=Direction.LOWER)
    if missing > MAX_MISSING * (overall.cases + missing) and shown is Standing.WITHIN:
        shown = Standing.OPEN
    return Limited(
        limit=limit,
        n=overall.cases,
        rate=overall.rate,
        interval=overall.interval,
        standing=shown,
    )


def _by(fact: str, some: Iterable[Seen], *, level: float) -> tuple[Share, ...]:
    """Shares by what a case is called, those with the most wrong first."""
    parts: dict[str, list[Seen]] = defaultdict(list)
    for one in some:
        parts[one.fact(fact)].append(one)
    found = [
        replace(
            share(name, part, level=level),
            owasp=_ids(part, "owasp") if fact == "technique" else (),
            atlas=_ids(part, "atlas") if fact == "technique" else (),
        )
        for name, part in parts.items()
    ]
    return tuple(sorted(found, key=lambda one: (-(one.rate or 0), -one.cases, one.name)))


def _ids(part: Sequence[Seen], name: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for one in part:
        listed = one.item.metadata.get(name) if one.item else None
        if isinstance(listed, list):
            found |= dict.fromkeys(str(each) for each in listed)
    return tuple(found)


def _seen(tx: Tx, run: EvalRun, metric: Metric) -> list[Seen]:
    results = list(evals.first_trials(tx, run.id, limit=MOST_RESULTS))
    known = _items(tx, run, {one.item for one in results})
    return [Seen(known.get(one.item), one, _wrong(one, metric)) for one in results]


def _items(tx: Tx, run: EvalRun, wanted: set[str]) -> Mapping[str, Item]:
    try:
        version, spec = datasets.dataset(tx, run.dataset_name)
    except NotFound:
        return {}
    if version.digest != run.dataset:
        return {}
    some = replace(spec, items=tuple(ref for ref in spec.items if ref.hash in wanted))
    return {item.hash: item for item in datasets.items(tx, some)} if some.items else {}


def _wrong(result: Result, metric: Metric) -> bool | None:
    value = result.value(metric.name)
    if value is None:
        return None
    return bool(value) is (metric.direction is Direction.LOWER)


def _worst(tx: Tx, run: EvalRun, some: Sequence[Seen], metric: Metric) -> tuple[Worst, ...]:
    found: list[Worst] = []
    for one in some:
        output = next(iter(finding.outputs(tx, run, one.result.item)), None)
        calls = "; ".join(f"calls {call.name}" for call in output.tool_calls) if output else ""
        text = output.text if output else ""
        found.append(
            Worst(
                item=one.result.item,
                item_id=one.result.item_id,
                technique=one.fact("technique"),
                asked=_cut(one.item.input) if one.item else "",
                answered=_cut("; ".join(part for part in (calls, text) if part)),
                reason=one.result.scores[metric.name].reason,
            )
        )
    return tuple(found)


def _cut(value: JsonValue) -> str:
    """The first words: of a conversation, those that were said last."""
    match value:
        case str(text):
            pass
        case [*_, {"content": str(text)}]:
            pass
        case _:
            text = canonical(value).decode()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
