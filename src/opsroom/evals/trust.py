"""What a gate may make of a metric that a judge gives, and how far its error widens the rest.

A judge gates only where it was calibrated as it is now, in the domain of the items at hand,
and well enough. Elsewhere the gate stays shut, unless its rules say in so many words that an
uncalibrated judge is allowed; then what it says is taken at its word, and that is shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsroom.evidence import Interval
from opsroom.evidence.judged import KnownError, Seen, combined, corrected
from opsroom.kit.wire import Wire

from .calibration import STANDARDS, Calibration, Standards, domain_report


class Uncalibrated(StrEnum):
    """What a gate does with a judge that may not gate."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainTrust(Wire):
    """How far one judge is to be trusted in one domain: its known error, or `why` it may not gate.

    `calibration` is the digest of the calibration that this rests on, if there is one.
    """

    domain: str
    calibration: str
    error: KnownError | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOf:
    """The judge behind a metric, the domain of every item, and the trust in each domain."""

    evaluator: str
    domains: Mapping[str, str]
    trust: Mapping[str, DomainTrust]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPairs(Wire):
    """One domain of a judged comparison and how many pairs it has there."""

    pairs: int
    trust: DomainTrust


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeEvidence(Wire):
    """What a comparison owes to a judge.

    `seen` is the difference as the judge saw it, before its known error was taken out; None
    where nothing was taken out, because the judge may not gate or there were too few pairs.
    """

    evaluator: str
    domains: tuple[DomainPairs, ...]
    seen: Seen | None

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why the judge may not gate, for each domain where it may not."""
        name = cited(self.evaluator)
        return tuple(
            f"{name} in {one.trust.domain}: {one.trust.why}"
            for one in self.domains
            if one.trust.error is None
        )


def trust_in(
    domain: str,
    digest: str,
    known: Sequence[Calibration],
    standards: Standards = STANDARDS,
) -> DomainTrust:
    """How far to trust the judge with that digest in `domain`, from calibrations, newest first."""
    here = [one for one in known if any(some.domain == domain for some in one.domains)]
    mine = next((one for one in here if one.evaluator_digest == digest), None)
    if mine is None:
        return DomainTrust(domain=domain, calibration="", error=None, why=_not_calibrated(here))
    counts = next(some for some in mine.domains if some.domain == domain)
    found = domain_report(counts, standards).standing
    return DomainTrust(
        domain=domain,
        calibration=mine.digest,
        error=counts.known_error if found.may_gate else None,
        why="" if found.may_gate else found.reason,
    )


def _not_calibrated(others: Sequence[Calibration]) -> str:
    if not others:
        return "it has no calibration there"
    old = others[0]
    return (
        f"it was calibrated as {cited(old.evaluator)} (with {old.model}) and has changed since; "
        "calibrate it again"
    )


def cited(evaluator: str) -> str:
    """`evaluator/polite@2` as people say it."""
    return evaluator.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Split:
    """The pairs of one metric, domain by domain: what a judge's known error is taken out of."""

    judge: JudgeOf
    groups: Mapping[str, tuple[Sequence[float], Sequence[float]]]

    @property
    def trusted(self) -> bool:
        return bool(self.groups) and all(
            self.judge.trust[domain].error is not None for domain in self.groups
        )

    @property
    def informedness(self) -> float:
        """How much of a difference the judge sees, over all domains."""
        items = sum(len(a) for a, _ in self.groups.values())
        shrunk = sum(
            len(a) / items / self._error(domain).informedness
            for domain, (a, _) in self.groups.items()
        )
        return 1 / shrunk

    def corrected(
        self, see: Callable[[Sequence[float], Sequence[float]], Seen | None], level: float
    ) -> Seen:
        """The true difference, from what the judge saw in each domain.

        Of a domain with too few pairs to see anything, nothing is known.
        """
        nothing = Seen(
            difference=0.0, interval=Interval(low=-1, high=1, level=level, method="judged")
        )
        parts: list[tuple[int, Seen]] = []
        for domain, (a, b) in self.groups.items():
            seen = see(a, b)
            found = nothing if seen is None else corrected(seen, self._error(domain))
            parts.append((len(a), found))
        return combined(parts)

    def evidence(self, seen: Seen | None) -> JudgeEvidence:
        return JudgeEvidence(
            evaluator=self.judge.evaluator,
            domains=tuple(
                DomainPairs(pairs=len(a), trust=self.judge.trust[domain])
                for domain, (a, _) in self.groups.items()
            ),
            seen=seen,
        )

    def _error(self, domain: str) -> KnownError:
        error = self.judge.trust[domain].error
        assert error is not None
        return error


def split(
    judge: JudgeOf, items: Sequence[str], a: Sequence[float], b: Sequence[float]
) -> Split:
    """The pairs by the domain of their item, in the order of the domains' names."""
    groups: dict[str, tuple[list[float], list[float]]] = {}
    for item, left, right in zip(items, a, b, strict=True):
        some = groups.setdefault(judge.domains[item], ([], []))
        some[0].append(left)
        some[1].append(right)
    return Split(judge, {domain: groups[domain] for domain in sorted(groups)})
