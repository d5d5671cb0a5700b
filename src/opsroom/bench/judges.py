"""Which judge is worth its cost: recorded verdicts against the truth, through the code of `evals`.

judges        one prompt in one domain, pass or fail; "read as pass" takes words that approve as
              pass too, as a lenient reader would
preferences   both orders of every pair; accuracy is the mean over the orders, `same` the share
              with one verdict in both, `first` the share where the first one won both times
raters        Cohen's κ between people, and between people's majority and judges
choices       per domain and set: the judge to take, and whether it may gate
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from opsroom.evals.calibration import (
    DomainReport,
    Judged,
    Share,
    Standing,
    below,
    counted,
    domain_report,
    share,
)
from opsroom.evals.choosing import Choice, choose
from opsroom.evidence.agreement import Agreement, agreement
from opsroom.kit.wire import Wire

from .verdicts import FIRST, PassOrFail, Preferring, Voting, passing, preferring, voting

APPROVING = frozenset({"pass", "satisfied", "satisfactory", "compliant", "correct"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRow(Wire):
    """One judge prompt in one domain, as it is judged, and as a lenient reader would."""

    domain: str
    judge: str
    report: DomainReport
    agreement_read_as_pass: float
    kappa_read_as_pass: float
    cost_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceRow(Wire):
    """One judge and strategy on one set of pairs, in both orders."""

    set: str
    judge: str
    strategy: str
    n: int
    accuracy: float
    same: Share
    first: Share
    unreadable: int
    report: DomainReport


@dataclass(frozen=True, slots=True, kw_only=True)
class RaterRow(Wire):
    """Two raters on the same items; `unreadable` counts where one of them said nothing."""

    raters: tuple[str, str]
    agreement: Agreement
    unreadable: int
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Wire):
    judges: tuple[JudgeRow, ...]
    preferences: tuple[PreferenceRow, ...]
    raters: tuple[RaterRow, ...]
    choices: tuple[Choice, ...]


def report(folder: Path) -> Report:
    """Everything that the verdicts recorded in `folder` say about their judges."""
    passed, preferred = list(passing(folder)), list(preferring(folder))
    return Report(
        judges=tuple(_judge(one) for one in passed),
        preferences=tuple(_preference(one) for one in preferred),
        raters=tuple(_raters(voting(folder))),
        choices=(
            *_choices((one.domain, one.judge, one.judged) for one in passed),
            *_choices(
                (one.set, f"{one.judge} {one.strategy}", one.judged) for one in preferred
            ),
        ),
    )


def _choices(some: Iterable[tuple[str, str, Sequence[Judged]]]) -> list[Choice]:
    by_domain: dict[str, dict[str, Sequence[Judged]]] = {}
    for domain, judge, judged in some:
        by_domain.setdefault(domain, {})[judge] = judged
    return [choose(domain, judges) for domain, judges in by_domain.items()]


def _judge(one: PassOrFail) -> JudgeRow:
    [counts] = counted(one.judged)
    read = [
        replace(judged, said=word in APPROVING)
        for judged, word in zip(one.judged, one.words, strict=True)
    ]
    [lenient] = (domain_report(counts) for counts in counted(read))
    assert lenient.agreement.rate is not None
    return JudgeRow(
        domain=one.domain,
        judge=one.judge,
        report=domain_report(counts),
        agreement_read_as_pass=lenient.agreement.rate,
        kappa_read_as_pass=lenient.kappa,
        cost_usd=counts.cost,
    )


def _preference(one: Preferring) -> PreferenceRow:
    n = len(one.judged)
    right = sum(
        (winner == FIRST) is judged.good
        for judged, winners in zip(one.judged, one.winners, strict=True)
        for winner in winners
        if winner is not None
    )
    [counts] = counted(one.judged)
    return PreferenceRow(
        set=one.set,
        judge=one.judge,
        strategy=one.strategy,
        n=n,
        accuracy=right / 2 / n,
        same=share(sum(straight == swapped for straight, swapped in one.winners), n),
        first=share(counts.turned_first, n),
        unreadable=sum(winner is None for winners in one.winners for winner in winners),
        report=domain_report(counts),
    )


def _raters(found: Voting) -> Iterable[RaterRow]:
    judges = [name for name in found.raters if not name.startswith(("people", "human"))]
    pairs = [("people", judge) for judge in judges]
    pairs += [("human1", "human2"), ("human1", "human3"), ("human2", "human3")]
    for one, other in pairs:
        left, right = found.raters[one], found.raters[other]
        seen = agreement(left, right)
        why = below(seen.kappa, seen.kappa_interval, seen.items)
        yield RaterRow(
            raters=(one, other),
            agreement=seen,
            unreadable=sum("" in pair for pair in zip(left, right, strict=True)),
            standing=Standing(may_gate=not why, reason=why or "κ is high enough"),
        )
