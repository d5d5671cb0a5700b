"""What a judge is worth: its verdicts against people's, per domain, and whether it may gate.

Only counts are kept; rates, κ and the verdict on the judge follow from them, so they can be
computed again, and under other standards. A word outside the agreed form is a disagreement,
not a pass and not a fail: for κ, which asks "did it say pass?", it counts as not pass.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil

from opsroom.evidence import Interval, Tally
from opsroom.evidence.judged import KnownError
from opsroom.evidence.rates import clopper_pearson
from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire

OVERALL = "all domains"
PASS, FAIL = "pass", "fail"
_MOST_LABELS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Standards(Wire):
    """What a judge must show before it may gate.

    `kappa` is what the lower end of the 95 % interval of κ must reach. `labels` are the
    labelled answers a domain needs, `each` those of either class. `outside` is the share of
    verdicts outside the agreed form that is tolerable, the same that a gate tolerates missing.
    """

    kappa: float = 0.4
    labels: int = 30
    each: int = 10
    outside: float = 0.05


STANDARDS = Standards()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(Wire):
    """One labelled answer and what the judge said: `said` is None outside the agreed form.

    `place` is where the winner stood in both orders, where that is why there is no verdict;
    `unsteady` says that repeats disagreed. A `cost` of None is not known.
    """

    item: str
    domain: str
    good: bool
    said: bool | None
    cost: Decimal | None = None
    place: str = ""
    unsteady: bool = False

    @property
    def right(self) -> bool:
        return self.said is self.good


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts(Wire):
    """Truth against verdict in one domain: `good_failed` are good answers that it failed.

    `turned` are preferences that changed with the order (`turned_first` of them for whichever
    answer came first) and are among those outside; `unsteady` items got different verdicts in
    the repeats. `cost` is in US dollars, over the items whose cost is known.
    """

    domain: str
    good_passed: int = 0
    good_failed: int = 0
    good_outside: int = 0
    bad_passed: int = 0
    bad_failed: int = 0
    bad_outside: int = 0
    turned: int = 0
    turned_first: int = 0
    unsteady: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0

    @property
    def n(self) -> int:
        return self.good + self.bad

    @property
    def good(self) -> int:
        return self.good_passed + self.good_failed + self.good_outside

    @property
    def bad(self) -> int:
        return self.bad_passed + self.bad_failed + self.bad_outside

    @property
    def outside(self) -> int:
        return self.good_outside + self.bad_outside

    @property
    def known_error(self) -> KnownError:
        """How it errs where it gives a verdict at all; where it gives none, a gate has a hole."""
        return KnownError(
            good=Tally(n=self.good_passed + self.good_failed, hits=self.good_passed),
            bad=Tally(n=self.bad_passed + self.bad_failed, hits=self.bad_failed),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Wire):
    """Some of many, with the exact 95 % interval; of none there is no rate."""

    count: int
    of: int
    rate: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Wire):
    """Whether a judge may gate in one domain, and if not, why, in words."""

    may_gate: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainReport(Wire):
    """One domain of a calibration with everything that follows from its counts.

    κ is Cohen's, between "the verdict is pass" and "the answer is good". `turned` is the share
    of preferences that changed with the order.
    """

    counts: Counts
    n: int
    agreement: Share
    kappa: float
    kappa_interval: Interval
    sensitivity: Share
    specificity: Share
    outside: Share
    turned: Share
    cost_per_item: Decimal | None
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration(Wire):
    """One judge against the labels of one dataset, kept under `digest` and never changed.

    `evaluator` and `dataset` are citations (`polite@2`); the digests say exactly what was tried.
    """

    evaluator: str
    evaluator_digest: str
    model: str
    dataset: str
    dataset_digest: str
    domains: tuple[Counts, ...]
    at: datetime
    by: str = ""

    @property
    def digest(self) -> str:
        return calibration_digest(self.evaluator_digest, self.model, self.dataset_digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Wire):
    """A calibration as people and programs read it; `overall` only informs, it lets nothing gate."""

    digest: str
    calibration: Calibration
    domains: tuple[DomainReport, ...]
    overall: DomainReport


def calibration_digest(evaluator: str, model: str, dataset: str) -> str:
    """What a calibration is kept under: judge, model and labels, all by digest."""
    return digest({"evaluator": evaluator, "model": model, "dataset": dataset})


def counted(judged: Iterable[Judged]) -> tuple[Counts, ...]:
    """Verdicts by domain, in the order of the domains' names."""
    domains: dict[str, list[Judged]] = {}
    for one in judged:
        domains.setdefault(one.domain, []).append(one)
    return tuple(_count(domain, domains[domain]) for domain in sorted(domains))


def _count(domain: str, some: Sequence[Judged]) -> Counts:
    def of(good: bool, said: bool | None) -> int:
        return sum(one.good is good and one.said is said for one in some)

    costs = [one.cost for one in some if one.cost is not None]
    return Counts(
        domain=domain,
        good_passed=of(True, True),
        good_failed=of(True, False),
        good_outside=of(True, None),
        bad_passed=of(False, True),
        bad_failed=of(False, False),
        bad_outside=of(False, None),
        turned=sum(bool(one.place) for one in some),
        turned_first=sum(one.place == "first" for one in some),
        unsteady=sum(one.unsteady for one in some),
        cost=sum(costs, Decimal(0)),
        unpriced=len(some) - len(costs),
    )


def overall(domains: Sequence[Counts]) -> Counts:
    """All domains together."""
    summed = [name for name in Counts.__dataclass_fields__ if name not in {"domain", "cost"}]
    return Counts(
        domain=OVERALL,
        cost=sum((one.cost for one in domains), Decimal(0)),
        **{name: sum(getattr(one, name) for one in domains) for name in summed},
    )


def report(found: Calibration, standards: Standards = STANDARDS) -> Report:
    return Report(
        digest=found.digest,
        calibration=found,
        domains=tuple(domain_report(one, standards) for one in found.domains),
        overall=domain_report(overall(found.domains), standards),
    )


def domain_report(counts: Counts, standards: Standards = STANDARDS) -> DomainReport:
    """Everything that follows from the counts of one domain (there is at least one label)."""
    from opsroom.evidence.agreement import agreement  # noqa: PLC0415  # numpy: 0.3 s

    found = agreement(*_said_pass(counts))
    error = counts.known_error
    priced = counts.n - counts.unpriced
    return DomainReport(
        counts=counts,
        n=counts.n,
        agreement=share(counts.good_passed + counts.bad_failed, counts.n),
        kappa=found.kappa,
        kappa_interval=found.kappa_interval,
        sensitivity=share(error.good.hits, error.good.n),
        specificity=share(error.bad.hits, error.bad.n),
        outside=share(counts.outside, counts.n),
        turned=share(counts.turned, counts.n),
        cost_per_item=counts.cost / priced if priced else None,
        standing=standing(counts, found.kappa, found.kappa_interval, standards),
    )


def standing(
    counts: Counts, kappa: float, interval: Interval, standards: Standards = STANDARDS
) -> Standing:
    """The rulebook: may this judge gate in this domain?

    Too few labels come first, since nothing else can be said of them.
    """
    reason = _refusal(counts, kappa, interval, standards)
    if reason:
        return Standing(may_gate=False, reason=reason)
    said = f"its κ is {_kappa(kappa, interval)} on {counts.n} labels"
    enough = f"the lower end is at least {standards.kappa:g}"
    return Standing(may_gate=True, reason=f"{said}, and {enough}")


def _refusal(counts: Counts, kappa: float, interval: Interval, standards: Standards) -> str:
    if too_few := _too_few(counts, standards):
        return too_few
    if counts.outside / counts.n > standards.outside:
        turned = (
            f", {counts.turned} because they change with the order" if counts.turned else ""
        )
        return (
            f"{counts.outside} of {counts.n} verdicts ({counts.outside / counts.n:.0%}) are "
            f"outside the agreed form{turned}; at most {standards.outside:.0%} may be"
        )
    if too_low := below(kappa, interval, counts.n, standards):
        return too_low
    if counts.known_error.interval().low <= 0:
        return "it may be no better than a coin; more labels of both kinds are needed"
    return ""


def _too_few(counts: Counts, standards: Standards) -> str:
    if not (counts.good and counts.bad):
        only, other = (PASS, FAIL) if counts.good else (FAIL, PASS)
        return (
            f"all {counts.n} labels are {only}, so how it errs on the others is not known; "
            f"at least {standards.each} labelled {other} are needed"
        )
    if counts.n < standards.labels:
        return f"{counts.n} labels are too few; at least {standards.labels} are needed"
    fewest, word = min((counts.good, PASS), (counts.bad, FAIL))
    if fewest < standards.each:
        return (
            f"{fewest} labels are {word}, which is too few; "
            f"at least {standards.each} of each are needed"
        )
    return ""


def below(
    kappa: float, interval: Interval, labels: int, standards: Standards = STANDARDS
) -> str:
    """Why such a κ is not enough, and what would help; empty where it is enough."""
    if interval.low >= standards.kappa:
        return ""
    needed = labels_needed(kappa, interval, labels, standards)
    if kappa <= 0:
        then = "it agrees no more than chance would"
    elif needed is not None:
        then = f"if it is as good as that, about {needed} labels would show it"
    elif interval.high < standards.kappa:
        then = "more labels would not help, a better judge would"
    else:
        then = "so is the estimate, and a better judge is likelier to help than more labels"
    said = _kappa(kappa, interval)
    return f"its κ is {said}, and the lower end is below {standards.kappa:g}; {then}"


def labels_needed(
    kappa: float, interval: Interval, labels: int, standards: Standards = STANDARDS
) -> int | None:
    """About how many labels would lift κ's lower end to the standard; None where none would.

    The width of the interval shrinks with the root of their number.
    """
    if kappa <= standards.kappa:
        return None
    needed = ceil(labels * ((kappa - interval.low) / (kappa - standards.kappa)) ** 2)
    return needed if needed <= _MOST_LABELS else None


def share(count: int, of: int) -> Share:
    if not of:
        return Share(count=count, of=of)
    interval = clopper_pearson(Tally(n=of, hits=count))
    return Share(count=count, of=of, rate=count / of, interval=interval)


def _said_pass(counts: Counts) -> tuple[list[str], list[str]]:
    """Verdicts and truth as two raters' labels: pass, and everything else."""
    pairs = (
        (PASS, PASS, counts.good_passed),
        (FAIL, PASS, counts.good_failed + counts.good_outside),
        (PASS, FAIL, counts.bad_passed),
        (FAIL, FAIL, counts.bad_failed + counts.bad_outside),
    )
    said = [one for one, _, times in pairs for _ in range(times)]
    truth = [other for _, other, times in pairs for _ in range(times)]
    return said, truth


def _kappa(kappa: float, interval: Interval) -> str:
    return f"{kappa:.2f} ({interval.low:.2f} to {interval.high:.2f})"
