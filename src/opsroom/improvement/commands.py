"""Starting a search, stopping it, and writing down what it came to."""

from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from math import prod

from opsroom.datasets import queries as datasets
from opsroom.evals.errors import NoEvaluators
from opsroom.evals.measure import cited_specs
from opsroom.kit.db import Tx
from opsroom.kit.errors import Conflict, OpsroomError
from opsroom.registry import Kinds, Ref, VersionDraft, proposals
from opsroom.registry import commands as registry_commands
from opsroom.registry import queries as registry
from opsroom.registry.commands import check_label

from . import store
from .cutoffs import check_labels, search_cutoffs
from .errors import (
    BadPlan,
    BudgetSpent,
    ImprovementClaimed,
    ImprovementNotFound,
    ImprovementOver,
    OptimiserMissing,
    SearchStopped,
)
from .material import check_splits
from .model import (
    MOST_CANDIDATES,
    OVER,
    Candidate,
    Choice,
    Improvement,
    Method,
    Plan,
    Spent,
    Standing,
    State,
    check_plan,
)

STARTED = "improvement.started"
LEASE = timedelta(seconds=30)  # of people's time, for whoever is at work on a search
MOST_STUMBLES = 3
MOST_WORDS = 500
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
    plan = replace(plan, contract=plan.contract.removeprefix("contract/"))
    dataset, evaluators = _pinned(tx, plan)
    made = Improvement(
        id=tx.ids.new("imp"),
        plan=replace(plan, evaluators=evaluators),
        base=base.ref,
        base_digest=base.digest,
        dataset=dataset,
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
        dataset=dataset or f"decisions under contract/{plan.contract}",
        inline=inline,
    )
    return made


def _pinned(tx: Tx, plan: Plan) -> tuple[str, tuple[str, ...]]:
    """The dataset by number, and what judges its answers; neither for cut-offs."""
    if plan.method is Method.THRESHOLDS:
        check_labels(tx, plan)
        return "", ()
    dataset, spec = datasets.dataset(tx, plan.dataset)
    check_splits(dataset.ref, spec, learns=plan.method in LEARNS)
    evaluators = tuple(plan.evaluators or spec.evaluators)
    if not evaluators:
        raise NoEvaluators(dataset.ref)
    cited_specs(tx, evaluators)
    return dataset.ref, evaluators


def claim(tx: Tx, improvement_id: str) -> Improvement:
    """Take a search up, alone, until `LEASE` has passed without a word. Over ones stay over.

    Raises `ImprovementClaimed` while somebody else is at work on it.
    """
    was = _found(tx, improvement_id)
    if was.state in OVER:
        return was
    if was.claimed_until is not None and was.claimed_until > tx.now:
        raise ImprovementClaimed(was.id, was.claimed_until)
    return store.save(
        tx,
        replace(
            was,
            state=State.RUNNING,
            started_at=was.started_at or tx.now,
            claim=tx.ids.new("clm"),
            claimed_until=tx.now + tx.lasting(LEASE),
        ),
    )


def hold(tx: Tx, mine: Improvement, more: Spent, one: Candidate | None = None) -> Improvement:
    """Stay at work on a search, with what was spent since the last time and a candidate, if one
    was found. Raises `SearchStopped`, and `ImprovementClaimed` where it was taken over.
    """
    now = _mine(tx, mine)
    if now.state is not State.RUNNING:
        raise SearchStopped(mine.id)
    changed = now if one is None else now.after(one)
    return store.save(
        tx,
        replace(changed, spent=now.spent.plus(more), claimed_until=tx.now + tx.lasting(LEASE)),
    )


def try_cutoffs(tx: Tx, mine: Improvement) -> tuple[Improvement, Choice]:
    """Try from which confidence on an agent need not ask, and say which cut-off to propose."""
    base = registry.version(tx, Ref.parse(mine.base))
    found, choice = search_cutoffs(tx, mine, base)
    for one in found:
        mine = hold(tx, mine, Spent(), one)
        store.add_candidate(tx, one)
    return mine, choice


def let_go(tx: Tx, mine: Improvement, more: Spent) -> Improvement:
    """Be no longer at work on a search, whatever became of it; what was spent was spent."""
    now = _found(tx, mine.id)
    changed = replace(now, spent=now.spent.plus(more))
    if now.claim == mine.claim:
        changed = replace(changed, claim="", claimed_until=None)
    return store.save(tx, changed)


def stop(tx: Tx, improvement_id: str) -> Improvement:
    """End a search before it is done. It ends at its next batch of answers; nothing is proposed."""
    was = _found(tx, improvement_id)
    if was.state in OVER:
        raise ImprovementOver(improvement_id, was.state.value)
    reason = f"stopped by {tx.actor.name}"
    stopped = replace(was, state=State.STOPPED, finished_at=tx.now, reason=reason)
    tx.record("improvement.stopped", was.subject, target=was.plan.target)
    return store.save(tx, stopped)


def fail(tx: Tx, mine: Improvement, error: Exception) -> Improvement:
    """Note why a search cannot be carried out. What may pass, because somebody else was faster
    or it is a bug, is counted and ends it the third time, so that it is not met for ever.
    """
    was = _mine(tx, mine)
    if was.state in OVER:
        return was
    now = replace(was, stumbles=was.stumbles + 1)
    match error:
        case BudgetSpent():
            because = str(error)
        case OpsroomError() if not isinstance(error, Conflict):
            because = str(error)
        case _ if now.stumbles < MOST_STUMBLES:
            return store.save(tx, now)
        case Conflict():
            because = f"{now.stumbles} times: {error}"
        case _:
            because = f"a bug of ours, {now.stumbles} times: {type(error).__name__}: {error}"
    because = because[:MOST_WORDS]
    tx.record("improvement.failed", was.subject, target=was.plan.target, because=because)
    return store.save(tx, replace(now, state=State.FAILED, finished_at=tx.now, reason=because))


def conclude(
    tx: Tx, mine: Improvement, choice: Choice, *, ended: str = "", kinds: Kinds
) -> Improvement:
    """End a search: what it chose becomes a version and a proposal, and that is all it becomes.

    The version cites the search as its source, and the person who started the search is its
    author and the proposal's, so that somebody else has to approve. `ended` says why the
    search ended early, where it did. Safe to repeat: one that is over is left as it is.
    """
    was = _mine(tx, mine)
    if was.state in OVER:
        return was
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
        because=reason[:MOST_WORDS],
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
        description=_described(done, because),
        kinds=kinds,
    )
    return replace(done, version=str(ref), proposal=proposal.id)


def _described(done: Improvement, because: str) -> str:
    found = f"Found by {done.id} ({done.plan.method.value}) from {done.base}: {because}"
    if done.plan.method is Method.THRESHOLDS:
        return (
            f"{found}. The manifest says it to the agent; what an agent may do without being "
            "asked is what people granted it, see `opsroom threshold`."
        )
    return (
        f"{found}, on the selection split of {done.dataset}. {done.tried} candidates were tried "
        f"and {done.refused} refused. The best of many is flattered by having been picked: let "
        "the gate measure both on the split test, which the search has not seen."
    )


def _mine(tx: Tx, mine: Improvement) -> Improvement:
    """The search as it is now, locked, for whoever is at work on it; nobody else may be."""
    now = _found(tx, mine.id)
    if now.claim != mine.claim:
        raise ImprovementClaimed(mine.id, now.claimed_until or tx.now)
    return now


def _found(tx: Tx, improvement_id: str) -> Improvement:
    found = store.improvement(tx, improvement_id, lock=True)
    if found is None:
        raise ImprovementNotFound(improvement_id)
    return found
