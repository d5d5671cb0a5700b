"""Narrowing at once, widening with evidence and a person, and the kill switch."""

from collections.abc import Collection
from dataclasses import replace
from hashlib import sha256

from opsroom.access import ruling
from opsroom.access.rules import Action, Thing
from opsroom.approvals import Answer
from opsroom.approvals import commands as approvals
from opsroom.contracts.model import Tier
from opsroom.kit.db import Tx
from opsroom.kit.faults import boundary
from opsroom.kit.reasons import reason as reason_of
from opsroom.kit.wire import plain
from opsroom.registry import Ref, VersionNotFound, environments
from opsroom.registry import queries as registry

from . import store
from .decide import (
    Narrow,
    NotYet,
    Ready,
    decide_narrowing,
    decide_widening,
    present,
    rules_for,
)
from .errors import (
    NotEarned,
    NotNarrower,
    NotWider,
    RevivedByProgram,
    WideningMoved,
    WideningNotFound,
)
from .model import (
    ALL,
    SPOT_CHECK,
    Allowance,
    Envelope,
    Grant,
    Level,
    Widening,
    WideningDraft,
    WideningState,
    check_envelope,
    check_scope,
    scopes,
    ungranted,
    wider,
)

SYSTEM = "system:autonomy"


def kill(tx: Tx, agent: str, reason: str) -> bool:
    """Stop an agent, or all with `*`, from the next decision of the gate on; False when it was
    stopped already. What is under way ends within its lease of two seconds.
    """
    reason = reason_of(reason, to="stop an agent")
    if agent != ALL:
        registry.artifact(tx, "agent", agent)
    if not store.turn_on(tx, agent, reason):
        return False
    boundary("autonomy.killed")
    tx.record("autonomy.killed", _subject(agent), agent=agent, reason=reason)
    return True


def revive(tx: Tx, agent: str, reason: str) -> bool:
    """Let an agent, or all with `*`, act again as far as their grants go; False when nothing
    was stopped. Raises `RevivedByProgram`: all are revived by a person.
    """
    reason = reason_of(reason, to="let an agent act again")
    if agent == ALL and not tx.actor.human:
        raise RevivedByProgram(tx.actor.name)
    environments.check_within(tx, "")  # it would act again everywhere
    ruling.check(tx, Action.OPERATE, thing(tx, agent))
    if not store.turn_off(tx, agent):
        return False
    tx.record("autonomy.revived", _subject(agent), agent=agent, reason=reason)
    return True


def thing(tx: Tx, agent: str, environment: str = "") -> Thing:
    """What access rules call what an agent may do alone; `*` is all agents. Stopping and narrowing
    are no business of theirs: nobody is kept from the safe side.
    """
    of = None if agent == ALL else registry.artifact(tx, "agent", agent)
    criticality = "" if of is None else of.criticality.value
    return Thing(kind="autonomy", name=agent, label=environment, criticality=criticality)


def narrow(
    tx: Tx,
    agent: str,
    scope: str,
    level: Level,
    *,
    environment: str = "production",
    envelope: Envelope | None = None,
    reason: str,
) -> Grant:
    """Let an agent do less, at once. Evidence for acting alone begins anew below that.

    Raises `NotNarrower` where it would allow anything that is not allowed now.
    """
    reason = reason_of(reason, to="narrow what an agent may do")
    check_scope(scope, environment)
    registry.artifact(tx, "agent", agent)
    was = _granted(tx, agent, environment, scope)
    bounds = envelope if envelope is not None else was.envelope
    check_envelope(bounds)
    same = was.revision and (level, bounds) == (was.level, was.envelope)
    if same or wider(level, bounds, was):
        raise NotNarrower(agent, scope, _said(was.level), _said(level))
    return _narrow(tx, was, level, bounds, reason=reason)


def propose_widening(tx: Tx, draft: WideningDraft) -> Widening:
    """Ask for more, with the evidence as it is now. A person answers; until then nothing changes.

    Whoever answers for the proposal cannot approve it. An earlier one for the same scope is
    void. Raises `NotWider` or `NotEarned`.
    """
    reason_of(draft.reason, to="ask for more")
    check_scope(draft.scope, draft.environment)
    check_envelope(draft.envelope)
    environments.check_within(tx, draft.environment)
    ruling.check(tx, Action.AUTHOR, thing(tx, draft.agent, draft.environment))
    was = _granted(tx, draft.agent, draft.environment, draft.scope)
    manifest = serving(tx, draft.agent, draft.environment)
    ready = _earned(tx, was, draft.level, draft.envelope, manifest)
    earlier = store.open_widening(tx, draft.agent, draft.environment, draft.scope)
    if earlier is not None:
        _end(tx, earlier, WideningState.VOID)
    asked = Widening(
        id=tx.ids.new("wid"),
        grant=was,
        level=draft.level,
        envelope=draft.envelope,
        manifest=manifest,
        record=store.record(tx, draft.agent, draft.environment, draft.scope),
        because=ready.because,
        reason=draft.reason,
        requester=tx.actor.person,
        proposed_at=tx.now,
    )
    store.add_widening(tx, asked)
    tx.record(
        "autonomy.proposed",
        was.subject,
        **_move(was, draft.level),
        widening=asked.id,
        binding=asked.binding,
        because=ready.because,
        reason=draft.reason,
    )
    return asked


def widen(tx: Tx, widening_id: str, *, binding: str, reason: str = "") -> Grant:
    """Approve a widening exactly as it was shown, and carry it out.

    The evidence has to speak for it still. Raises what approvals raise for programs and for
    the requester, `WideningMoved` where grant, manifest or widening are not as they were
    shown, and `NotEarned`.
    """
    asked = _open(tx, widening_id)
    if binding != asked.binding:
        raise WideningMoved(widening_id, "this approval is for something else")
    ruling.check(tx, Action.REVIEW, thing(tx, asked.grant.agent, asked.grant.environment))
    was = _granted(tx, asked.grant.agent, asked.grant.environment, asked.grant.scope)
    if was != asked.grant:
        raise WideningMoved(widening_id, "the grant has changed since")
    if serving(tx, was.agent, was.environment) != asked.manifest:
        raise WideningMoved(widening_id, "another manifest serves since")
    ready = _earned(tx, was, asked.level, asked.envelope, asked.manifest)
    approvals.give(
        tx,
        asked.subject,
        asked.binding,
        requester=asked.requester,
        answer=Answer.APPROVE,
        reason=reason,
    )
    approvals.consume(tx, asked.subject, asked.binding)
    now = _changed(tx, was, asked.level, asked.envelope, reason=asked.reason)
    now = replace(now, manifest=asked.manifest)
    store.put(tx, now)
    boundary("autonomy.widened")
    _end(tx, asked, WideningState.GRANTED)
    tx.record(
        "autonomy.widened",
        now.subject,
        **_move(was, now.level),
        envelope=plain(now.envelope),
        widening=asked.id,
        binding=asked.binding,
        requester=asked.requester,
        because=ready.because,
    )
    return now


def decline(tx: Tx, widening_id: str, *, reason: str) -> Widening:
    """Answer no, or take a proposal of one's own back."""
    reason = reason_of(reason, to="decline it")
    asked = _open(tx, widening_id)
    ended = _end(tx, asked, WideningState.DECLINED)
    tx.record(
        "autonomy.declined",
        asked.grant.subject,
        **_move(asked.grant, asked.level),
        widening=asked.id,
        reason=reason,
    )
    return ended


def act_alone(tx: Tx, agent: str, allowance: Allowance, *, environment: str) -> Allowance:
    """Count one action that is about to be done alone, in the transaction that decides it.

    Returns the allowance as it is then: where it was drawn as a spot check, or others have used
    up its number for today in the meantime, it is outside of its envelope, and has to be asked
    about.
    """
    if not (allowance.scope and allowance.inside and allowance.level is Level.BOUNDED):
        return allowance
    share = allowance.facts.get("spot_share")
    if share and _chance(tx.ids.new("die")) < share:
        return replace(allowance, inside=False, because=SPOT_CHECK)
    times = store.add_alone(tx, agent, environment, allowance.scope)
    most = allowance.facts.get("max_per_day")
    if most is None or times <= most:
        return allowance
    store.take_back_alone(tx, agent, environment, allowance.scope)
    return replace(allowance, inside=False, because=f"it did {most} of {most} alone today")


def not_done(tx: Tx, agent: str, allowance: Allowance, *, environment: str) -> None:
    """Take back what `act_alone` counted, where the action was refused after all."""
    if allowance.scope and allowance.inside and allowance.level is Level.BOUNDED:
        store.take_back_alone(tx, agent, environment, allowance.scope)


def observe(
    tx: Tx,
    agent: str,
    contract: str,
    tier: Tier,
    environment: str,
    *,
    agreed: int = 0,
    corrected: int = 0,
    succeeded: int = 0,
    incident: int = 0,
) -> tuple[Grant, ...]:
    """Count what was seen, for the contract and for its tier; once per thing seen.

    Where that loses what was earned, the grants are narrowed here and now, and returned.
    """
    seen = {
        "agreed": agreed,
        "corrected": corrected,
        "succeeded": succeeded,
        "incidents": incident,
    }
    mine = scopes(contract, tier)
    store.count(tx, agent, environment, mine, seen)
    if not (corrected or incident):
        return ()
    narrowed: list[Grant] = []
    for scope in sorted(mine):
        was = store.grant(tx, agent, environment, scope, lock=True)
        if was is None:
            continue
        record = store.record(tx, agent, environment, scope)
        decision = decide_narrowing(record, was, rules_for(was.level))
        if isinstance(decision, Narrow):
            narrowed.append(
                _narrow(tx, was, decision.to, was.envelope, reason=decision.because, by=SYSTEM)
            )
    return tuple(narrowed)


def carry_over(tx: Tx, grant: Grant, manifest: str, *, because: str) -> Grant:
    """Let a new manifest have a grant that an earlier one earned."""
    if grant.manifest == manifest:
        return grant
    now = replace(grant, manifest=manifest, revision=grant.revision + 1)
    store.put(tx, now)
    tx.record(
        "autonomy.inherited",
        grant.subject,
        scope=grant.scope,
        environment=grant.environment,
        level=grant.level.value,
        before=grant.manifest,
        after=manifest,
        because=because,
    )
    return now


def begin_anew(
    tx: Tx, agent: str, environment: str, manifest: str, *, keep: Collection[str]
) -> None:
    """Let the evidence begin anew under every scope but those to `keep`: what people said of
    another version says nothing of the one that serves now.
    """
    scopes = sorted(store.records_of(tx, agent, environment).keys() - set(keep))
    if not scopes:
        return
    for scope in scopes:
        store.forget(tx, agent, environment, scope)
    tx.record(
        "autonomy.begun_anew",
        _subject(agent),
        scopes=scopes,
        environment=environment,
        manifest=manifest,
    )


def reset(tx: Tx, grant: Grant, manifest: str, *, because: str) -> Grant:
    """Approve every action again, and let the evidence begin anew."""
    store.forget(tx, grant.agent, grant.environment, grant.scope)
    if not grant.level.alone:
        return carry_over(tx, grant, manifest, because=because)
    return _narrow(
        tx,
        replace(grant, manifest=manifest),
        Level.APPROVE_EACH,
        grant.envelope,
        reason=because,
        by=SYSTEM,
    )


def serving(tx: Tx, agent: str, environment: str) -> str:
    """The digest of the manifest that serves an environment; empty while none does."""
    try:
        return registry.stamp(tx, Ref("agent", agent, environment)).digest
    except VersionNotFound:
        return ""


def _granted(tx: Tx, agent: str, environment: str, scope: str) -> Grant:
    """The grant, locked; where nobody granted anything, what holds then."""
    found = store.grant(tx, agent, environment, scope, lock=True)
    return found if found is not None else ungranted(agent, environment, scope)


def _earned(tx: Tx, was: Grant, level: Level, envelope: Envelope, manifest: str) -> Ready:
    """Why it may be widened. Raises `NotWider` or `NotEarned`."""
    effective = present(was, manifest)
    if not wider(level, envelope, effective):
        raise NotWider(was.agent, was.scope, _said(effective.level), _said(level))
    record = store.record(tx, was.agent, was.environment, was.scope)
    match decide_widening(record, effective, rules_for(level), tx.now, to=level):
        case Ready() as ready:
            return ready
        case NotYet(because=because):
            raise NotEarned(was.agent, was.scope, _said(level), because)


def _narrow(
    tx: Tx, was: Grant, level: Level, envelope: Envelope, *, reason: str, by: str = ""
) -> Grant:
    record = store.record(tx, was.agent, was.environment, was.scope)
    now = _changed(tx, was, level, envelope, reason=reason, by=by)
    store.put(tx, now)
    if was.level.alone and not level.alone:
        store.forget(tx, was.agent, was.environment, was.scope)
    boundary("autonomy.narrowed")
    tx.record(
        "autonomy.narrowed",
        now.subject,
        **_move(was, level),
        envelope=plain(envelope),
        record=plain(record),
        by_itself=bool(by),
        reason=reason,
    )
    return now


def _changed(
    tx: Tx, was: Grant, level: Level, envelope: Envelope, *, reason: str, by: str = ""
) -> Grant:
    return replace(
        was,
        id=was.id or tx.ids.new("gra"),
        level=level,
        envelope=envelope,
        reason=reason,
        changed_at=tx.now,
        changed_by=by or tx.actor.name,
        revision=was.revision + 1,
    )


def _open(tx: Tx, widening_id: str) -> Widening:
    found = store.widening(tx, widening_id, lock=True)
    if found is None:
        raise WideningNotFound(widening_id)
    if found.state is not WideningState.OPEN:
        raise WideningMoved(widening_id, f"it is {found.state.value}")
    return found


def _end(tx: Tx, asked: Widening, state: WideningState) -> Widening:
    ended = replace(asked, state=state, ended_at=tx.now, ended_by=tx.actor.name)
    store.save_widening(tx, ended)
    return ended


def _move(was: Grant, level: Level) -> dict[str, str]:
    return {
        "scope": was.scope,
        "environment": was.environment,
        "before": was.level.value,
        "after": level.value,
    }


def _chance(secret: str) -> float:
    """A number from 0 to 1 that nobody can foresee who does not know `secret`."""
    return int(sha256(secret.encode()).hexdigest()[:13], 16) / 16**13


def _subject(agent: str) -> str:
    return "agents/all" if agent == ALL else f"agent/{agent}"


def _said(level: Level) -> str:
    return level.value.replace("_", " ")
