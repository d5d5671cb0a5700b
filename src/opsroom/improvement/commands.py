"""Starting a search, stopping it, and writing down what it came to."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from math import prod

from opsroom.datasets import queries as datasets
from opsroom.evals.errors import NoEvaluators
from opsroom.evals.measure import cited_specs
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.registry import Kinds, Ref, VersionDraft, proposals
from opsroom.registry import commands as registry_commands
from opsroom.registry import queries as registry
from opsroom.registry.commands import check_label

from . import store
from .errors import BadPlan, ImprovementNotFound, ImprovementOver, OptimiserMissing
from .material import check_splits
from .model import (
    MOST_CANDIDATES,
    OVER,
    Candidate,
    Improvement,
    Method,
    Plan,
    Standing,
    State,
    check_plan,
    choose,
)

STARTED = "improvement.started"
LEARNS = frozenset({Method.EXAMPLES, Method.REFLECT})


def start(tx: Tx, plan: Plan, *, inline: bool = False) -> Improvement:
    """Put a search in the queue, with everything it cites pinned to what it is now.

    With `inline`, nobody in the background takes it up; whoever starts it carries it out.
    Raises `BadPlan`, `SplitMissing`, `OptimiserMissing`, and what finding the base, the
    dataset or the evaluators raises.
    """
    check_plan(plan)
    check_label(plan.label)
    if prod(map(len, plan.grid.values())) > MOST_CANDIDATES:
        raise BadPlan(f"the grid has more than {MOST_CANDIDATES} combinations")
    if plan.method is Method.REFLECT and find_spec("gepa") is None:
        raise OptimiserMissing
    target = Ref.parse(plan.target)
    base = registry.version(tx, Ref(target.kind, target.name, plan.base))
    dataset, spec = datasets.dataset(tx, plan.dataset)
    check_splits(dataset.ref, spec, learns=plan.method in LEARNS)
    evaluators = plan.evaluators or spec.evaluators
    if not evaluators:
        raise NoEvaluators(dataset.ref)
    cited_specs(tx, evaluators)
    made = Improvement(
        id=tx.ids.new("imp"),
        plan=replace(plan, evaluators=tuple(evaluators)),
        base=base.ref,
        base_digest=base.digest,
        dataset=dataset.ref,
        state=State.QUEUED,
        started_by=tx.actor.person,
        created_at=tx.now,
        inline=inline,
    )
    store.add(tx, made)
    tx.record(
        STARTED,
        made.subject,
        target=plan.target,
        base=base.ref,
        method=plan.method.value,
        dataset=dataset.ref,
        inline=inline,
    )
    return made


def begin(tx: Tx, improvement_id: str) -> Improvement:
    """Take a search up; one that is at work already is taken up again. Over ones stay over."""
    was = _found(tx, improvement_id)
    if was.state is not State.QUEUED:
        return was
    return store.save(tx, replace(was, state=State.RUNNING, started_at=tx.now))


def stop(tx: Tx, improvement_id: str) -> Improvement:
    """End a search before it is done. It ends at its next batch of answers; nothing is proposed."""
    was = _found(tx, improvement_id)
    if was.state in OVER:
        raise ImprovementOver(improvement_id, was.state.value)
    reason = f"stopped by {tx.actor.name}"
    stopped = replace(was, state=State.STOPPED, finished_at=tx.now, reason=reason)
    tx.record("improvement.stopped", was.subject, target=was.plan.target)
    return store.save(tx, stopped)


def fail(tx: Tx, improvement_id: str, error: OpsroomError) -> Improvement:
    """Note why a search cannot be carried out."""
    was = _found(tx, improvement_id)
    if was.state in OVER:
        return was
    failed = replace(was, state=State.FAILED, finished_at=tx.now, reason=str(error))
    tx.record(
        "improvement.failed", was.subject, target=was.plan.target, because=str(error)[:500]
    )
    return store.save(tx, failed)


def conclude(
    tx: Tx, improvement_id: str, candidates: Sequence[Candidate], *, ended: str, kinds: Kinds
) -> Improvement:
    """End a search: what it chose becomes a version and a proposal, and that is all it becomes.

    The version cites the search as its source, and the person who started the search is its
    author and the proposal's, so that somebody else has to approve. `ended` says why the
    search ended early, where it did. Safe to repeat: one that is over is left as it is.
    """
    was = _found(tx, improvement_id)
    if was.state in OVER:
        return was
    choice = choose([one for one in candidates if not one.reason or one.number == 0])
    reason = choice.because + (f"; {ended}" if ended else "")
    done = replace(was, state=State.FINISHED, finished_at=tx.now, reason=reason)
    if choice.candidate is not None:
        chosen = choice.candidate
        done = _propose(tx, done, chosen, because=choice.because, kinds=kinds)
        store.save_candidate(
            tx, replace(chosen, standing=Standing.CHOSEN, version=done.version)
        )
    tx.record(
        "improvement.finished",
        was.subject,
        target=was.plan.target,
        outcome="found" if done.proposal else "nothing",
        because=reason[:500],
        version=done.version,
        proposal=done.proposal,
        tried=was.tried,
        refused=was.refused,
    )
    return store.save(tx, done)


def _propose(
    tx: Tx, done: Improvement, chosen: Candidate, *, because: str, kinds: Kinds
) -> Improvement:
    target = Ref.parse(done.plan.target)
    ref = Ref.parse(chosen.version) if chosen.version else None
    if ref is None:
        draft = VersionDraft(
            spec=chosen.spec,
            message=f"{chosen.change}; from {done.base} by {done.id}"[:500],
            source=done.subject,
        )
        made = registry_commands.create_version(
            tx, target.kind, target.name, draft, kinds=kinds
        )
        ref = Ref(made.kind, made.name, str(made.number))
    proposal = proposals.propose(
        tx,
        ref,
        label=done.plan.label,
        title=f"{target.name}: {chosen.change}"[:200],
        description=(
            f"Found by {done.id} ({done.plan.method.value}) from {done.base}: {because}, on the "
            f"selection split of {done.dataset}. {done.tried} candidates were tried and "
            f"{done.refused} refused. The best of many is flattered by having been picked: let "
            "the gate measure both on the split test, which the search has not seen."
        ),
        kinds=kinds,
    )
    return replace(done, version=str(ref), proposal=proposal.id)


def _found(tx: Tx, improvement_id: str) -> Improvement:
    found = store.improvement(tx, improvement_id, lock=True)
    if found is None:
        raise ImprovementNotFound(improvement_id)
    return found
