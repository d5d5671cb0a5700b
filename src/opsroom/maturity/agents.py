"""What is asked of an agent, level by level, each a query over records."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from opsroom.alerts.model import State as Alerted
from opsroom.autonomy import queries as autonomy
from opsroom.cadence import queries as cadence
from opsroom.cadence.model import ENDED, LIVE
from opsroom.corrections import queries as corrections
from opsroom.corrections.model import State as Corrected
from opsroom.evals import queries as evals
from opsroom.evals.gate import Outcome
from opsroom.evidence import Interval, Tally
from opsroom.evidence.rates import clopper_pearson
from opsroom.improvement import queries as improvement
from opsroom.kit.db import Tx
from opsroom.registry import Artifact, Ref, Version
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION, ProposalState
from opsroom.releases import queries as releases
from opsroom.releases.model import State as Released

from .facts import QUARTER, Facts
from .model import MOST_RECORDS, Assessment, Criterion, Record, assess

FEWEST = 20  # turns of a month, below which a rate says nothing
DAY = timedelta(days=1)
FEW = 20


def assessed(tx: Tx, of: Artifact, facts: Facts) -> Assessment:
    """How far an agent has come."""
    version = in_production(tx, of)
    cited = _prompts(version)
    criteria = [
        *known(of, version),
        *_measured(tx, of, version, facts),
        *_controlled(tx, of, version, facts),
        *_watched(of, facts),
        kept_in_time(tx, [of.ref, *cited]),
        *improving(tx, of.name, [of.ref, *cited]),
        _corrected_less(of, facts),
    ]
    return assess(of.ref, f"/agents/{of.name}", criteria)


def in_production(tx: Tx, of: Artifact) -> Version | None:
    if registry.label(tx, of.kind, of.name, PRODUCTION) is None:
        return None
    return registry.version(tx, Ref(of.kind, of.name, PRODUCTION))


def known(of: Artifact, version: Version | None) -> Iterator[Criterion]:
    page = f"/{of.kind}s/{of.name}"
    yield Criterion(
        level=1,
        name="registered, with an owner",
        met=bool(of.owner),
        says=f"owned by {of.owner}" if of.owner else "nobody owns it",
        records=(Record(name=of.ref, page=page),),
        step="name an owner when it is registered",
    )
    yield Criterion(
        level=1,
        name="a version serves",
        met=version is not None,
        says=f"{version.ref} is in production" if version else "no version is in production",
        records=(Record(name=version.ref, page=page),) if version else (),
        step="bring a version into production with a proposal",
    )


def _measured(
    tx: Tx, of: Artifact, version: Version | None, facts: Facts
) -> Iterator[Criterion]:
    yield from measured(tx, of, version, facts)
    turns = facts.turns(of.name)
    yield Criterion(
        level=2,
        name="its work is on record",
        met=turns > 0,
        says=f"{turns} turns ended in 30 days",
        records=(Record(name="turns", page=f"/turns?agent={of.name}"),) if turns else (),
        step="let it report its turns: docs/how-to/act.md",
    )


def measured(
    tx: Tx, of: Artifact, version: Version | None, facts: Facts
) -> Iterator[Criterion]:
    """Whether what is in production was measured, and passed its gate: by itself, or within the
    agents in production that cite it.
    """
    mine = {version.digest, *facts.citing.get(version.ref, ())} if version else set[str]()
    runs = [one for one in facts.runs if one.subject in mine and one.totals.answered]
    yield Criterion(
        level=2,
        name="the version in production was measured",
        met=bool(runs),
        says=f"{len(runs)} of the last {len(facts.runs)} runs measured it",
        records=_records(f"run/{one.id}" for one in runs),
        step=f"measure {of.name} on its cases: opsroom eval run",
    )
    verdicts = [one for each in sorted(mine) for one in evals.verdicts_on(tx, each)]
    passed = [one for one in verdicts if one.outcome is Outcome.PASSED]
    yield Criterion(
        level=2,
        name="the version in production passed its gate",
        met=bool(passed),
        says=f"{len(passed)} of {len(verdicts)} verdicts on it passed",
        records=tuple(
            Record(name=f"verdict/{one.digest[:12]}", page=f"/evals/verdicts/{one.digest}")
            for one in passed[:MOST_RECORDS]
        ),
        step="put the next version to the gate before it serves: opsroom eval gate",
    )


def _controlled(
    tx: Tx, of: Artifact, version: Version | None, facts: Facts
) -> Iterator[Criterion]:
    done = [
        one
        for one in releases.releases(tx, kind="agent", name=of.name, limit=FEW)
        if one.state in {Released.PROMOTED, Released.SUPERSEDED} and one.plan.steps
    ]
    now = [one for one in done if version and one.digest == version.digest]
    yield Criterion(
        level=3,
        name="released through a canary",
        met=bool(now),
        says="its version in production was" if now else "its version in production was not",
        records=_records(f"release/{one.id}" for one in now),
        step="ship the next version by a release: opsroom release start",
    )
    spec = version.spec if version else {}
    contracts = list(spec.get("contracts") or ())
    policies = list(spec.get("policies") or ())
    yield Criterion(
        level=3,
        name="acts only within contracts and policies",
        met=bool(contracts),
        says=f"it cites {len(contracts)} contracts and {len(policies) or 'the shipped'} policies",
        records=tuple(_cited(one) for one in (*contracts, *policies)[:MOST_RECORDS]),
        step="cite the contracts that it acts under in its manifest",
    )
    bound = [one for one in facts.budgets if one.key in {of.name, "*"}]
    yield Criterion(
        level=3,
        name="what it spends is bounded",
        met=bool(bound),
        says=f"{len(bound)} budgets bound it",
        records=tuple(
            Record(name=f"budget/{one.id}", page=f"/budgets/{one.id}")
            for one in bound[:MOST_RECORDS]
        ),
        step="set a budget for it: opsroom budget set",
    )
    stopped = autonomy.stopped(tx, of.name)
    yield Criterion(
        level=3,
        name="people let it act",
        met=stopped is None,
        says="its kill switch is off" if stopped is None else f"it is stopped: {stopped}",
        records=(Record(name="autonomy", page=f"/autonomy/{of.name}"),),
        step="find out why it was stopped, and revive it",
    )


def _watched(of: Artifact, facts: Facts) -> Iterator[Criterion]:
    fresh = [one for one in facts.watches if one.agent == of.name and one.p is not None]
    yield Criterion(
        level=4,
        name="held against its own past",
        met=bool(fresh),
        says=f"{len(fresh)} of its aspects had enough to compare",
        records=(Record(name="drift", page="/drift"),) if fresh else (),
        step="let it send traces: docs/how-to/drift.md",
    )
    late = [
        one
        for one in facts.alerts
        if one.agent == of.name
        and one.state is Alerted.OPEN
        and facts.now - one.opened_at > DAY
    ]
    yield Criterion(
        level=4,
        name="alerts are taken on within a day",
        met=not late,
        says=f"{len(late)} alerts about it wait for longer than a day",
        records=_records(f"alert/{one.id}" for one in late),
        step="acknowledge what is open: opsroom alert list",
    )


def kept_in_time(tx: Tx, subjects: Iterable[str]) -> Criterion:
    """Whether the audits and reviews of these were kept, in the last 90 days."""
    seen = [one for each in subjects for one in cadence.occasions(tx, subject=each, limit=FEW)]
    ended = [one for one in seen if one.state in ENDED and tx.now - one.due_at <= QUARTER]
    missed = [one for one in seen if one.late(tx.now)] + [one for one in ended if not one.kept]
    kept = [one for one in ended if one.kept]
    waiting = sum(one.state in LIVE for one in seen)
    return Criterion(
        level=4,
        name="audits and reviews are kept in time",
        met=bool(kept) and not missed,
        says=f"{len(kept)} kept and {len(missed)} not in 90 days, {waiting} to come",
        records=tuple(
            Record(name=one.ref, page=f"/cadence/{one.id}")
            for one in (*missed, *kept)[:MOST_RECORDS]
        ),
        step="close what is due in time: opsroom cadence due",
    )


def improving(tx: Tx, agent: str, subjects: Iterable[str]) -> Iterator[Criterion]:
    """Whether what people taught `agent` is learned from, and a search found something better."""
    taught = corrections.corrections(
        tx, agent=agent, state=Corrected.ACCEPTED, limit=MOST_RECORDS
    )
    many = corrections.count(tx, Corrected.ACCEPTED, agent=agent)
    yield Criterion(
        level=5,
        name="it learns from people",
        met=many > 0,
        says=f"{many} corrections are accepted",
        records=_records(f"correction/{one.id}" for one in taught),
        step="accept what people taught: opsroom correction list",
    )
    merged = [
        one
        for each in subjects
        for one in improvement.improvements(tx, target=each, limit=FEW)
        if one.proposal and registry.proposal(tx, one.proposal).state is ProposalState.MERGED
    ]
    yield Criterion(
        level=5,
        name="a better version came of a search on held-out cases",
        met=bool(merged),
        says=f"{len(merged)} searches ended in a version that was merged",
        records=_records(f"improvement/{one.id}" for one in merged),
        step="look for something better: opsroom improve, and put it to the gate",
    )


def _corrected_less(of: Artifact, facts: Facts) -> Criterion:
    """Whether people correct it less than a quarter before, with certainty: the upper end of
    this month's share lies below the lower end of that one's (so at most 2 × 2.5 % by chance).
    """
    counted = facts.overridden.get(of.name, {})
    shares: list[Interval] = []
    said: list[str] = []
    for place, when in ((0, "in 30 days"), (1, "a quarter before")):
        n = facts.turns(of.name, place)
        hits = min(counted.get(place, 0), n)
        if n < FEWEST:
            said.append(f"{n} turns {when}, which says nothing")
            continue
        share = clopper_pearson(Tally(n=n, hits=hits))
        shares.append(share)
        said.append(f"{hits / n:.1%} [{share.low:.1%}, {share.high:.1%}] of {n} {when}")
    met = len(shares) == 2 and shares[0].high < shares[1].low
    return Criterion(
        level=5,
        name="people correct it less than a quarter before",
        met=met,
        says="; ".join(said),
        records=(Record(name="corrections", page=f"/corrections?agent={of.name}"),),
        step="see what people correct most: opsroom correction ledger",
    )


def _prompts(version: Version | None) -> list[str]:
    """The prompts that a version of an agent cites."""
    spec: dict[str, Any] = version.spec if version else {}
    refs = [Ref.parse(one, kind="prompt") for one in (spec.get("prompts") or {}).values()]
    return sorted({f"prompt/{one.name}" for one in refs})


def _cited(reference: str) -> Record:
    ref = Ref.parse(reference, kind="contract")
    plural = {"policy": "policies"}.get(ref.kind, f"{ref.kind}s")
    return Record(name=str(ref), page=f"/{plural}/{ref.name}")


PLACES = {
    "run": "/evals/runs",
    "release": "/releases",
    "alert": "/alerts",
    "correction": "/corrections",
    "improvement": "/improvements",
    "proposal": "/proposals",
}


def _records(names: Iterable[str]) -> tuple[Record, ...]:
    found: list[Record] = []
    for name in names:
        noun, _, key = name.partition("/")
        found.append(Record(name=name, page=f"{PLACES[noun]}/{key}"))
        if len(found) == MOST_RECORDS:
            break
    return tuple(found)
