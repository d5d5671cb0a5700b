"""Taking decisions in, examining them, proposing what follows, and narrowing what was lost."""

from opsroom.autonomy import commands as autonomy
from opsroom.autonomy import queries as grants
from opsroom.autonomy.commands import serving
from opsroom.autonomy.model import Envelope, Grant, Level, Widening, WideningDraft
from opsroom.contracts.model import Tier
from opsroom.contracts.queries import contract as contract_of
from opsroom.evidence.model import Tally
from opsroom.evidence.thresholds import labels_needed
from opsroom.evidence.worsening import BLOCK, KEPT, blocks
from opsroom.kit.db import Tx
from opsroom.kit.ids import earliest
from opsroom.kit.wire import plain
from opsroom.registry import queries as registry

from . import reading, store
from .errors import CutoffNotFound, CutoffStale, NeverRated, NothingCertified, NothingNew
from .model import (
    PRODUCTION,
    Certified,
    Decision,
    Examination,
    Holds,
    Lost,
    Settings,
    check_settings,
    confidence_of,
    decide_watch,
    envelope_of,
)
from .model import examine as examined
from .store import Of

WATCHED = KEPT * BLOCK


def take_in(tx: Tx, action_id: str) -> Decision | None:
    """Read anew what became of an action; safe to repeat. What turned out wrong is looked at
    in the same transaction: if that loses what was promised, the agent may do less from here on.
    """
    was, now = store.decision(tx, action_id), reading.decision_of(tx, action_id)
    if now == was:
        return now
    if now is None:
        store.forget(tx, action_id)
        return None
    if was is None:
        store.add(tx, now)
    else:
        store.save(tx, now)
    if now.known_wrong(frozenset(store.load_settings(tx).wrong_outcomes)):
        watch(tx, Of(now.agent, now.contract, now.environment))
    return now


def watch(tx: Tx, of: Of) -> Holds | Lost | None:
    """Look at what an agent does alone above its cut-off, and narrow what it has lost.

    None where nothing runs alone by confidence under this contract. Looking as often as one
    likes keeps the promise of `decide_watch`.
    """
    scope = f"contract/{of.contract}"
    grant = grants.granted(tx, of.agent, scope, environment=of.environment)
    found = standing_of(tx, of, grant)
    if isinstance(found, Lost):
        tx.record(
            "threshold.lost",
            grant.subject,
            agent=of.agent,
            contract=of.contract,
            environment=of.environment,
            grant=grant.id,
            because=found.because,
            evidence=max(found.known.evidence, found.spots.evidence),
        )
        autonomy.narrow(
            tx,
            of.agent,
            scope,
            Level.APPROVE_EACH,
            environment=of.environment,
            reason=found.because,
        )
    return found


def standing_of(tx: Tx, of: Of, grant: Grant) -> Holds | Lost | None:
    """What the watch over a grant says at the moment; None where there is nothing to watch."""
    confidence = grant.envelope.min_confidence
    if grant.level is not Level.BOUNDED or confidence is None:
        return None
    reference = store.reference(tx, of)
    if reference is None:
        return None
    settings = store.load_settings(tx)
    outcomes = frozenset(settings.wrong_outcomes)

    def seen(*, spots: bool) -> list[Tally]:
        many, newest = store.above(
            tx,
            of,
            confidence=confidence,
            since=earliest("act", grant.changed_at),
            spots=spots,
            limit=WATCHED,
        )
        wrong = [one.known_wrong(outcomes) for one in newest]
        return blocks(wrong, before=many - len(wrong))

    target = settings.target(tier_of(tx, reference))
    return decide_watch(seen(spots=False), seen(spots=True), target=target)


def examine(tx: Tx, agent: str, contract: str, *, environment: str = PRODUCTION) -> Examination:
    """Look at what is known of an agent under a contract, and keep what was found.

    Every look uses up some of the confidence that all looks share, so one at the same labels is
    refused: raises `NothingNew`; `NeverRated` where there is nothing to look at.
    """
    registry.artifact(tx, "agent", agent)
    of = Of(agent, contract.removeprefix("contract/"), environment)
    manifests = reading.lineage(tx, agent, environment)
    found = store.newest(tx, of, manifests)
    labelled = [one for one in found if one.wrong is not None]
    if not labelled:
        raise NeverRated(agent, of.contract)
    labels = [(one.confidence, bool(one.wrong)) for one in labelled]
    newest = labelled[0].action
    last = _last(tx, of)
    if last and (last.newest, last.calibration.n) == (newest, len(labels)):
        raise NothingNew(agent, of.contract, len(labels), last.id)
    reference = found[0].reference
    tier = tier_of(tx, reference)
    target = store.load_settings(tx).target(tier)
    look = store.looks(tx, of, manifests) + 1
    calibration, decision = examined(labels, target=target, look=look)
    cutoff = decision.cutoff if isinstance(decision, Certified) else None
    one = Examination(
        id=tx.ids.new("cut"),
        agent=agent,
        environment=environment,
        contract=of.contract,
        reference=reference,
        manifest=manifests[0],
        tier=tier,
        target=target,
        look=look,
        needed=labels_needed(target=target, confidence=confidence_of(look)),
        calibration=calibration,
        cutoff=cutoff,
        alone=Tally(
            n=len(found),
            hits=0 if cutoff is None else sum(d.confidence >= cutoff.value for d in found),
        ),
        newest=newest,
        because=decision.because,
        at=tx.now,
        by=tx.actor.name,
    )
    store.add_examination(tx, one)
    tx.record(
        "threshold.examined",
        f"agent/{agent}",
        cutoff=one.id,
        contract=of.contract,
        environment=environment,
        value=None if cutoff is None else cutoff.value,
        look=look,
        target=target,
        because=one.because,
    )
    return one


def propose(tx: Tx, examination_id: str, *, reason: str, bounds: Envelope) -> Widening:
    """Ask that an agent may act alone from its certified cut-off on. Somebody else decides.

    In every other respect what is proposed is no wider than what people granted for the
    contract or, before that, for its tier; `bounds` may tighten it. Raises `NothingCertified`,
    `CutoffStale`, and what autonomy raises: `NotEarned` and `NotWider`.
    """
    one, value = _certified(tx, examination_id)
    was = _granted(tx, one)
    asked = autonomy.propose_widening(
        tx,
        WideningDraft(
            agent=one.agent,
            scope=one.scope,
            level=Level.BOUNDED,
            environment=one.environment,
            envelope=envelope_of(value, was.envelope, bounds, store.load_settings(tx)),
            reason=f"{reason.strip()} ({one.id}: {one.because})".strip(),
        ),
    )
    tx.record(
        "threshold.proposed",
        f"agent/{one.agent}",
        cutoff=one.id,
        contract=one.contract,
        widening=asked.id,
        value=value,
    )
    return asked


def tighten(tx: Tx, examination_id: str, *, reason: str) -> Grant:
    """Let an agent act alone from its certified cut-off on only, at once.

    Raises `NothingCertified`, `CutoffStale`, and `NotNarrower` where the cut-off is no stricter
    than what is in force.
    """
    one, value = _certified(tx, examination_id)
    was = grants.granted(tx, one.agent, one.scope, environment=one.environment)
    bounds = envelope_of(value, was.envelope, Envelope(), store.load_settings(tx))
    return autonomy.narrow(
        tx,
        one.agent,
        one.scope,
        Level.BOUNDED,
        environment=one.environment,
        envelope=bounds,
        reason=f"{reason.strip()} ({one.id}: {one.because})".strip(),
    )


def set_settings(tx: Tx, settings: Settings) -> Settings:
    """Say what this project asks of acting alone."""
    check_settings(settings)
    was = store.load_settings(tx)
    store.save_settings(tx, settings)
    tx.record(
        "threshold.settings_set",
        "thresholds/settings",
        before=plain(was),
        after=plain(settings),
    )
    return settings


def tier_of(tx: Tx, reference: str) -> Tier:
    return contract_of(tx, reference)[1].risk


def _certified(tx: Tx, examination_id: str) -> tuple[Examination, float]:
    """An examination that still counts, and its cut-off."""
    one = store.examination(tx, examination_id)
    if one is None:
        raise CutoffNotFound(examination_id)
    if one.cutoff is None:
        raise NothingCertified(one.id, one.because)
    if serving(tx, one.agent, one.environment) != one.manifest:
        raise CutoffStale(one.id, "another manifest serves since")
    last = _last(tx, Of(one.agent, one.contract, one.environment))
    if last and last.id != one.id:
        raise CutoffStale(one.id, f"{last.id} came after it")
    return one, one.cutoff.value


def _granted(tx: Tx, one: Examination) -> Grant:
    """What people granted for the contract; where they have not, for its tier."""
    mine = grants.granted(tx, one.agent, one.scope, environment=one.environment)
    if mine.revision:
        return mine
    tier = f"tier/{one.tier.value}"
    return grants.granted(tx, one.agent, tier, environment=one.environment)


def _last(tx: Tx, of: Of) -> Examination | None:
    found = store.page(
        tx, agent=of.agent, environment=of.environment, contract=of.contract, limit=1
    )
    return found[0] if found else None
