"""Looking at judges: what their calibrations say, and where they may gate."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.registry import Ref, Version, VersionNotFound
from opsroom.registry import queries as registry

from . import store
from .calibration import Calibration, DomainReport, Report, domain_report, report
from .errors import CalibrationNotFound
from .trust import trust_in

PAGE = 50
CALIBRATIONS = 100  # newest ones of a judge that are looked at
TYPES = frozenset({"llm-judge", "preference-judge"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeInDomain(Wire):
    """Where one judge stands in one domain; `domain` is empty while it was never calibrated.

    `report` is that of the newest calibration of exactly this version, if there is one.
    """

    evaluator: str
    model: str
    domain: str
    may_gate: bool
    reason: str
    report: DomainReport | None
    calibration: str
    dataset: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePage(Wire):
    """Some judges, by name; go on with `next` as `after`."""

    items: tuple[JudgeInDomain, ...]
    next: str


def calibration(tx: Tx, digest: str) -> Report:
    """One calibration with everything that follows from it, or `CalibrationNotFound`."""
    found = store.calibration(tx, digest)
    if found is None:
        raise CalibrationNotFound(digest)
    return report(found)


def calibrations(tx: Tx, evaluator: str = "", *, limit: int = PAGE) -> list[Report]:
    """Calibrations, newest first, of all judges or of one (by name, whatever its version)."""
    name = Ref.parse(evaluator, kind="evaluator").name if evaluator else ""
    return [report(one) for one in store.calibrations_of(tx, name=name, limit=limit)]


def judges(tx: Tx, *, after: str = "", limit: int = PAGE) -> JudgePage:
    """Where every judge stands in every domain: the version in force, by name.

    Evaluators are looked through in pages, so a page may hold few judges, or none.
    """
    page = registry.artifacts(tx, "evaluator", after=after, limit=limit)
    found: list[JudgeInDomain] = []
    for artifact, _, _ in page:
        try:
            version = registry.in_force(tx, "evaluator", artifact.name)
        except VersionNotFound:
            continue
        if is_judge(version.spec):
            found += in_domains(tx, version)
    return JudgePage(items=tuple(found), next=page[-1][0].name if len(page) == limit else "")


def is_judge(spec: Any) -> bool:
    return spec.get("type") in TYPES


def in_domains(tx: Tx, version: Version) -> list[JudgeInDomain]:
    """Where a version of a judge stands, in every domain that any version was calibrated in."""
    known = store.calibrations_of(
        tx, name=version.name, evaluator=version.digest, limit=CALIBRATIONS
    )
    domains = sorted({some.domain for one in known for some in one.domains})
    if not domains:
        return [_stands(version, "", "it was never calibrated", None)]
    found: list[JudgeInDomain] = []
    for domain in domains:
        trust = trust_in(domain, version.digest, known)
        mine = next((one for one in known if one.digest == trust.calibration), None)
        found.append(_stands(version, domain, trust.why, mine))
    return found


def _stands(
    version: Version, domain: str, why: str, found: Calibration | None
) -> JudgeInDomain:
    seen = None
    if found is not None:
        seen = domain_report(next(one for one in found.domains if one.domain == domain))
    return JudgeInDomain(
        evaluator=version.ref,
        model=version.spec.get("model", ""),
        domain=domain,
        may_gate=not why,
        reason=why or (seen.standing.reason if seen else ""),
        report=seen,
        calibration=found.digest if found else "",
        dataset=found.dataset if found else "",
        at=found.at if found else None,
    )
