"""Which of several judges is the best in one domain: pure, on verdicts about the same items.

Agreement alone misleads where most answers are good: a judge that passes everything agrees
often. Judges are ranked by what they see, Youden's J: the share of the good answers they
call good plus that of the bad ones they call bad, less one. Two judges are told apart only
where the interval of the paired difference is clear of 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from opsroom.evidence.judged import Seen, informedness_difference
from opsroom.kit.wire import Wire

from .calibration import STANDARDS, DomainReport, Judged, Standards, counted, domain_report

_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Wire):
    """One judge in one domain, and how far the best one is ahead of it."""

    judge: str
    report: DomainReport
    sees: float
    behind: Seen | None = None

    @property
    def as_good(self) -> bool:
        """Whether it cannot be told apart from the one that is ahead."""
        return self.behind is None or self.behind.interval.low <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Wire):
    """The judges of one domain, best first, which one to take, and why."""

    domain: str
    candidates: tuple[Candidate, ...]
    chosen: str
    may_gate: bool
    because: str


def choose(
    domain: str, judges: Mapping[str, Sequence[Judged]], standards: Standards = STANDARDS
) -> Choice:
    """Pick a judge for `domain` from those that judged the same items.

    Of judges that may gate and cannot be told apart from the best of them, the cheapest is
    taken. Where none may gate, the best is named, and gates nothing. Raises
    `NothingToCompare` where all answers are good, or all bad.
    """
    ranked = sorted(
        (_candidate(name, domain, some, standards) for name, some in judges.items()),
        key=lambda one: (-one.sees, _cost(one) or Decimal(0), one.judge),
    )
    allowed = [one for one in ranked if one.report.standing.may_gate] or ranked
    best = allowed[0]
    candidates = [
        Candidate(
            judge=one.judge,
            report=one.report,
            sees=one.sees,
            behind=None if one is best else _behind(judges[one.judge], judges[best.judge]),
        )
        for one in ranked
    ]
    known = {one.judge: one for one in candidates}
    equal = [known[one.judge] for one in allowed if known[one.judge].as_good]
    if not best.report.standing.may_gate:
        return Choice(
            domain=domain,
            candidates=tuple(candidates),
            chosen=best.judge,
            may_gate=False,
            because=f"the best here{_not_told_apart(equal, best.judge)}, and may not gate",
        )
    priced = [one for one in equal if _cost(one) is not None]
    chosen = min(priced, key=_price) if len(priced) == len(equal) else known[best.judge]
    if chosen.judge == best.judge:
        because = f"the best that may gate{_not_told_apart(equal, best.judge)}"
    else:
        because = f"as good as {best.judge} by all that can be told, and cheaper"
    return Choice(
        domain=domain,
        candidates=tuple(candidates),
        chosen=chosen.judge,
        may_gate=True,
        because=because,
    )


def _candidate(
    name: str, domain: str, some: Sequence[Judged], standards: Standards
) -> Candidate:
    good = [one.right for one in some if one.good]
    bad = [one.right for one in some if not one.good]
    sees = sum(good) / max(len(good), 1) + sum(bad) / max(len(bad), 1) - 1
    [counts] = counted([replace(one, domain=domain) for one in some])
    return Candidate(judge=name, report=domain_report(counts, standards), sees=sees)


def _behind(judge: Sequence[Judged], best: Sequence[Judged]) -> Seen:
    """How much more the best one sees, on the items that both judged."""
    theirs = {one.item: one for one in best}
    both = [(one, theirs[one.item]) for one in judge if one.item in theirs]
    return informedness_difference(
        [(a.right, b.right) for a, b in both if a.good],
        [(a.right, b.right) for a, b in both if not a.good],
    )


def _not_told_apart(equal: Sequence[Candidate], best: str) -> str:
    names = [one.judge for one in equal if one.judge != best]
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} others" if len(names) > _NAMED else ""
    return f" (it cannot be told apart from {', '.join(names[:_NAMED])}{more})"


def _cost(one: Candidate) -> Decimal | None:
    return None if one.report.counts.unpriced else one.report.counts.cost


def _price(one: Candidate) -> Decimal:
    return _cost(one) or Decimal(0)
