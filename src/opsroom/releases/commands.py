"""What changes a release.

What stops a release is carried out in the transaction that learns of the reason: an
observation that raises an alarm rolls back by itself. What lets it go on is left to the
workflow, which is told through the journal (`release.due`).
"""

from dataclasses import replace

from sqlalchemy.exc import IntegrityError

from opsroom.access.rules import Action
from opsroom.approvals import Answer, Approval, ApproverIsRequester
from opsroom.approvals import commands as approvals
from opsroom.datasets import queries as datasets
from opsroom.evals import regressing
from opsroom.kit.db import Actor, Tx
from opsroom.kit.faults import boundary
from opsroom.registry import Artifact, Kinds, Ref, Severity, Version, environments, proposals
from opsroom.registry import commands as registry_commands
from opsroom.registry import queries as registry

from . import store
from .decide import decide, record
from .errors import (
    AlreadyServing,
    BadPlan,
    NoChampion,
    NothingToApprove,
    ReleaseMoved,
    ReleaseNotFound,
    ReleaseRunning,
    WrongState,
)
from .evidence import Evidence, GateResult
from .gathering import gather
from .model import (
    Abort,
    Advance,
    AnyDecision,
    Because,
    Draft,
    Hold,
    Pause,
    Promote,
    Release,
    RollBack,
    State,
)
from .plan import GatePlan, Plan, check_plan

SYSTEM = "system:releases"


def start(tx: Tx, draft: Draft, *, kinds: Kinds) -> Release:
    """Begin to release a version: to the environment where another one serves now.

    The plan is pinned to exact versions and checked against the artifact's criticality.
    Raises `BadPlan`, `NoChampion`, `AlreadyServing`, or `ReleaseRunning` while another
    release of the artifact to that environment is under way.
    """
    ref = Ref.parse(draft.version, kind="agent")
    of = registry.artifact(tx, ref.kind, ref.name)
    registry_commands.check_may(tx, Action.OPERATE, of, draft.environment)
    version = registry.version(tx, ref)
    environments.check_move(tx, of, draft.environment, version.number)
    _check_lint(tx, version, kinds)
    label = registry.label(tx, of.kind, of.name, draft.environment)
    if label is None:
        raise NoChampion(of.ref, draft.environment)
    if label.number == version.number:
        raise AlreadyServing(version.ref, draft.environment)
    if there := store.active(tx, of.kind, of.name, draft.environment):
        raise ReleaseRunning(of.ref, draft.environment, there.id)
    champion = registry.version(tx, Ref(of.kind, of.name, str(label.number)))
    release = Release(
        id=tx.ids.new("rel"),
        kind=of.kind,
        name=of.name,
        environment=draft.environment,
        number=version.number,
        digest=version.digest,
        baseline=champion.number,
        baseline_digest=champion.digest,
        author=tx.actor.person,
        version_author=version.made_by,
        plan=_pinned(tx, draft.plan, of, draft.environment),
        created_at=tx.now,
        entered_at=tx.now,
    )
    try:
        store.add(tx, release, seed=tx.ids.new("smp"))
    except IntegrityError as error:
        raise ReleaseRunning(of.ref, draft.environment, "another one") from error
    tx.record(
        "release.started",
        release.subject,
        candidate=release.candidate,
        digest=release.digest,
        baseline=release.champion,
        environment=release.environment,
    )
    boundary("release.started")
    evidence = gather(tx, release)
    return _carry_out(tx, release, evidence, decide(release, evidence, now=tx.now))


def advance(tx: Tx, release_id: str) -> AnyDecision:
    """Decide, carry the decision out and journal it: all of it, or none of it.

    Safe to repeat: a release that has to wait is left exactly as it is.
    """
    release = get(tx, release_id)
    evidence = gather(tx, release)
    decision = decide(release, evidence, now=tx.now)
    boundary("release.decided")
    store.set_due(tx, release_id, due=False)
    _carry_out(tx, release, evidence, decision)
    return decision


def take_notice(tx: Tx, release: Release) -> AnyDecision:
    """Look at a release about which something new is known, and say what follows.

    What stops it is carried out here and now. For what lets it go on, the workflow is told,
    once until it has looked.
    """
    evidence = gather(tx, release)
    decision = decide(release, evidence, now=tx.now)
    match decision:
        case Hold():
            pass
        case Pause() | Abort() | RollBack():
            _as_system(tx)
            _carry_out(tx, release, evidence, decision)
        case Advance() | Promote():
            if store.set_due(tx, release.id, due=True):
                tx.record("release.due", release.subject, decision=decision.kind)
    return decision


def gated(tx: Tx, release_id: str, result: GateResult) -> AnyDecision:
    """Note what the gate said for a release that waits for it.

    Safe to repeat. A release that does not wait for its gate (any more) is left alone.
    """
    release = get(tx, release_id)
    if release.state is State.GATING and store.gate(tx, release_id) is None:
        store.set_gate(tx, release_id, result)
        tx.record(
            "release.gated",
            release.subject,
            outcome=result.outcome.value,
            digest=result.digest,
            because=result.because,
        )
        boundary("release.gated")
    return take_notice(tx, release)


def as_shown(tx: Tx, release_id: str, binding: str) -> None:
    """Raise `ReleaseMoved` unless the release still is what the person was looking at."""
    gate = store.gate(tx, release_id)
    if get(tx, release_id).binding(gate.evidence if gate else "") != binding:
        raise ReleaseMoved(release_id)


def review(tx: Tx, release_id: str, *, answer: Answer, reason: str) -> Approval:
    """Answer a release exactly as it stands: its candidate, its plan, its gate evidence.

    Authors of the release or of the version do not approve it. Raises `NothingToApprove`
    before the gate has spoken.
    """
    release = get(tx, release_id)
    if release.state is not State.GATING:
        raise WrongState(release.id, release.state.value, "approved")
    check_may(tx, Action.REVIEW, release)
    gate = store.gate(tx, release_id)
    if release.plan.gate is not None and gate is None:
        raise NothingToApprove(release_id)
    if answer is Answer.APPROVE and tx.actor.name == release.version_author:
        raise ApproverIsRequester(release.subject, tx.actor.name)
    approval = approvals.give(
        tx,
        release.subject,
        release.binding(gate.evidence if gate else ""),
        requester=release.author,
        answer=answer,
        reason=reason,
    )
    take_notice(tx, release)
    return approval


def pause(tx: Tx, release_id: str, *, reason: str) -> Release:
    """Stop a release where it is: from the next request on, everybody gets the champion."""
    release = get(tx, release_id)
    if not release.active or release.state is State.PAUSED:
        raise WrongState(release_id, release.state.value, "paused")
    check_may(tx, Action.OPERATE, release)
    return _apply(tx, release, Pause(code=Because.PERSON, because=reason))


def resume(tx: Tx, release_id: str, *, reason: str) -> Release:
    """Let a paused release go on where it was. Data that were the reason for the pause are
    not used again, and a gate that came to no verdict is asked again.
    """
    was = get(tx, release_id)
    check_may(tx, Action.OPERATE, was)
    release = was.resumed(now=tx.now, because=reason)
    if was.code is Because.GATE:
        store.set_gate(tx, release_id, None)
    store.save(tx, release, was=was)
    boundary("release.saved")
    tx.record("release.resumed", release.subject, to=release.state.value, because=reason)
    return release


def abort(tx: Tx, release_id: str, *, reason: str) -> Release:
    """End a release that nobody was served from. Raises `WrongState` for any other."""
    release = get(tx, release_id)
    if not release.active:
        raise WrongState(release_id, release.state.value, "aborted")
    if release.met_traffic:
        advice = "; it has met traffic, so roll it back instead"
        raise WrongState(release_id, release.state.value, "aborted", advice)
    check_may(tx, Action.OPERATE, release)
    return _apply(tx, release, Abort(code=Because.PERSON, because=reason))


def roll_back(tx: Tx, release_id: str, *, reason: str) -> Release:
    """Serve everybody the champion again, and end the release; also after its promotion.

    Needs no approval. Raises `WrongState` before there was traffic, and once it is over.
    """
    release = get(tx, release_id)
    if release.state is not State.PROMOTED and not (release.active and release.met_traffic):
        raise WrongState(release_id, release.state.value, "rolled back")
    check_may(tx, Action.OPERATE, release)
    return _apply(tx, release, RollBack(code=Because.PERSON, because=reason))


def report_security_event(tx: Tx, release_id: str, *, key: str, what: str) -> AnyDecision:
    """Report something that must not happen; it ends the release at once.

    Safe to repeat with the same `key`. Raises `WrongState` for a release that is over.
    """
    release = get(tx, release_id)
    if not release.active and release.state is not State.PROMOTED:
        raise WrongState(release_id, release.state.value, "ended by a security event")
    if store.add_security_event(tx, release_id, key, what):
        tx.record("release.security_event", release.subject, key=key, what=what)
    return take_notice(tx, release)


def label_moved(tx: Tx, kind: str, name: str, environment: str) -> None:
    """Follow a label that somebody moved: a release that compares with what was there ends,
    and a promoted one that serves no more is superseded.
    """
    label = registry.label(tx, kind, name, environment)
    if release := store.active(tx, kind, name, environment):
        take_notice(tx, get(tx, release.id))
    was = store.promoted(tx, kind, name, environment)
    if was is not None and label is not None and label.number != was.number:
        there = f"{environment} names version {label.number} by now"
        _supersede(tx, was, because=there)


def get(tx: Tx, release_id: str) -> Release:
    """A release of this project, which nobody else can change until the transaction ends.

    Raises `ReleaseNotFound`.
    """
    release = store.release(tx, release_id, lock=True)
    if release is None or tx.actor.environment not in {"", release.environment}:
        raise ReleaseNotFound(release_id)
    return release


def barred(tx: Tx, release: Release) -> dict[Action, str]:
    """What whoever acts may not do with a release, by role or by rule, and why."""
    of = registry.artifact(tx, release.kind, release.name)
    asked = (Action.OPERATE, Action.REVIEW)
    why = {one: registry_commands.why_not(tx, one, of, release.environment) for one in asked}
    return {one: said for one, said in why.items() if said}


def check_may(tx: Tx, action: Action, release: Release) -> None:
    """Raise `AccessDenied` where the access rules keep whoever acts from doing this to it."""
    of = registry.artifact(tx, release.kind, release.name)
    registry_commands.check_may(tx, action, of, release.environment)


def _carry_out(tx: Tx, release: Release, evidence: Evidence, decision: AnyDecision) -> Release:
    """Keep a decision that is news, and do what it says."""
    if decision.code is Because.OVER:
        return release
    news = (decision.kind, decision.code.value, release.state.value, release.step)
    if not isinstance(decision, Hold) or store.last_decision(tx, release.id) != news:
        named = store.decision_id(tx, release.id)
        found = record(named, release, evidence, decision, at=tx.now)
        store.add_decision(tx, found)
        return _apply(tx, release, decision, decision_id=found.id, digest=found.digest)
    return release


def _apply(tx: Tx, release: Release, decision: AnyDecision, **facts: str) -> Release:
    if isinstance(decision, Hold):
        return release
    changed = release.after(decision, now=tx.now)
    store.save(tx, changed, was=release)
    boundary("release.saved")
    match decision:
        case Advance(to=State.SHADOWING):
            gate = store.gate(tx, release.id)
            approvals.consume(
                tx, release.subject, release.binding(gate.evidence if gate else "")
            )
        case Promote():
            _promote(tx, changed)
        case RollBack() if release.state is State.PROMOTED:
            _move_back(tx, changed)
        case _:
            pass
    tx.record(
        _EVENTS[decision.kind],
        release.subject,
        code=decision.code.value,
        because=decision.because,
        was=release.state.value,
        to=changed.state.value,
        step=changed.step,
        **facts,
    )
    boundary("release.recorded")
    return changed


_EVENTS = {
    "advance": "release.advanced",
    "pause": "release.paused",
    "abort": "release.aborted",
    "roll_back": "release.rolled_back",
    "promote": "release.promoted",
}


def _promote(tx: Tx, release: Release) -> None:
    earlier = store.promoted(tx, release.kind, release.name, release.environment)
    registry_commands.move_label(
        tx,
        registry.artifact(tx, release.kind, release.name),
        release.environment,
        release.number,
        how="release",
        reason=f"{release.id}: {release.because}",
        expected=release.baseline,
    )
    boundary("release.label_moved")
    if earlier is not None and earlier.id != release.id:
        _supersede(tx, earlier, because=f"{release.id} was promoted")


def _move_back(tx: Tx, release: Release) -> None:
    label = registry.label(tx, release.kind, release.name, release.environment)
    if label is None or label.number != release.number:
        return
    registry_commands.move_label(
        tx,
        registry.artifact(tx, release.kind, release.name),
        release.environment,
        release.baseline,
        how="rollback",
        reason=f"{release.id}: {release.because}",
        expected=release.number,
    )
    boundary("release.label_moved")


def _supersede(tx: Tx, was: Release, *, because: str) -> None:
    over = was.superseded(because=because)
    store.save(tx, over, was=was)
    tx.record("release.superseded", over.subject, because=because)


def _as_system(tx: Tx) -> None:
    """What follows from evidence is decided by nobody who reported some of it."""
    tx.actor = Actor(SYSTEM, tx.project, human=False)


def _check_lint(tx: Tx, version: Version, kinds: Kinds) -> None:
    """What the linter calls an error is not released, any more than it is merged."""
    for finding in proposals.lint(tx, version, kinds=kinds):
        if finding.severity is Severity.ERROR:
            raise BadPlan(f"{version.ref} does not pass lint: {finding.message}")


def _pinned(tx: Tx, plan: Plan, of: Artifact, environment: str) -> Plan:
    """The plan with exact versions, if it is sound and asks for enough."""
    check_plan(plan)
    asked = environments.at_least(tx, of.criticality, environment)
    need = environments.needs(tx, of.criticality, environment)
    if "gate" in need.checks and plan.gate is None:
        raise BadPlan(f"an artifact that is {asked.value} needs a gate")
    if need.release and not (plan.shadow.min_pairs and plan.sample.size):
        raise BadPlan(f"an artifact that is {asked.value} needs shadow pairs and a sample")
    if plan.gate is None:
        return plan
    return replace(plan, gate=_pinned_gate(tx, plan.gate, of))


def _pinned_gate(tx: Tx, gate: GatePlan, of: Artifact) -> GatePlan:
    dataset, _ = datasets.dataset(tx, gate.dataset)
    pinned = tuple(
        registry.version(tx, Ref.parse(cited, kind="evaluator")).ref
        for cited in gate.evaluators
    )
    guarding = (
        regressing.guards(tx, of.kind, of.name)
        if gate.regressions is None
        else tuple(datasets.dataset(tx, one)[0].ref for one in gate.regressions)
    )
    return replace(gate, dataset=dataset.ref, evaluators=pinned, regressions=guarding)
