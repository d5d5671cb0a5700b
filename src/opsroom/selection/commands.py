"""Drawing up a scorecard, keeping it, and putting it beside the change that it is about."""

from dataclasses import dataclass

from opsroom.agents.model import AgentSpec
from opsroom.datasets import queries as datasets
from opsroom.evals.comparison import MetricRule
from opsroom.evals.errors import NoEvaluators
from opsroom.evals.evaluators import evaluators_digest
from opsroom.evals.gate import GateRules
from opsroom.evals.gating import arm_of
from opsroom.evals.measure import Measurement, cited_specs, find_subject, measure
from opsroom.evals.model import EvalRun
from opsroom.evals.trust import JudgeOf
from opsroom.evals.trusting import judges_of
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.faults import boundary
from opsroom.kit.wire import adapter
from opsroom.models import Models
from opsroom.registry import Check, Proposal, Version, proposals
from opsroom.registry import queries as registry
from opsroom.releases import queries as releases

from . import store
from .choosing import beaten_by
from .errors import DifferentTasks, ScorecardMoved, ScorecardOfOthers
from .model import Ask, Candidate, Kept, Outcome, Scorecard, Standing
from .queries import scorecard

CHECK = "selection"


@dataclass(frozen=True, slots=True)
class _Cases:
    """The very versions that everybody is measured on and by, as they are cited."""

    dataset: str
    evaluators: tuple[str, ...]


def draw_up(db: Database, actor: Actor, ask: Ask, *, models: Models) -> Kept:
    """Measure every candidate (or find that it was measured), and keep the scorecard.

    The same evidence under the same ask gives the same scorecard, which is kept once. Raises
    `DifferentTasks` before anything is measured, `BadScorecard`, what `measure` raises and what
    `draw` raises.
    """
    from .scoring import Measured, draw  # noqa: PLC0415  # scipy: 0.3 s

    ask.check()
    with db.read(actor) as tx:
        cases = _one_task(tx, ask)
    runs = [_measured(db, actor, ask, cases, one, models) for one in ask.candidates]
    with db.read(actor) as tx:
        versions = [find_subject(tx, one.subject) for one in ask.candidates]
        found = [
            Measured(
                candidate=candidate,
                name=version.ref,
                run=run,
                arm=arm_of(tx, run),
                edge_run=edge,
                edge_arm=arm_of(tx, edge) if edge else None,
                model=_model(version),
            )
            for candidate, version, (run, edge) in zip(
                ask.candidates, versions, runs, strict=True
            )
        ]
        judge, edge_judge = (
            _judge(tx, ask, cases, run) if run else None for run in (runs[0][0], runs[0][1])
        )
        now = tx.now
    card = draw(ask, found, at=now, judge=judge, edge_judge=edge_judge)
    boundary("selection.drawn")
    with db.write(actor) as tx:
        return keep(tx, card)


def keep(tx: Tx, card: Scorecard) -> Kept:
    """Keep a scorecard under its digest, as the next version of its name."""
    if there := store.by_digest(tx, card.digest):
        return there
    if not store.add(tx, card):
        raise ScorecardMoved(card.ask.name)
    kept = scorecard(tx, card.digest)
    tx.record(
        "scorecard.drawn",
        f"scorecard/{kept.digest}",
        name=f"{kept.name}@{kept.number}",
        outcome=card.recommendation.outcome.value,
        says=card.recommendation.says,
        dataset=card.task.dataset_name,
        candidates=len(card.standings),
    )
    return kept


def attach_to_proposal(tx: Tx, wanted: str, proposal_id: str) -> Proposal:
    """Put a scorecard on a proposal as its check `selection`. Raises `ScorecardOfOthers` where
    it does not compare the very version that is proposed.
    """
    kept = scorecard(tx, wanted)
    proposal = registry.proposal(tx, proposal_id)
    mine = _of(kept, f"{proposal.kind}/{proposal.name}@{proposal.number}", proposal.digest)
    return proposals.report_check(tx, proposal_id, as_check(kept, mine))


def attach_to_release(tx: Tx, wanted: str, release_id: str) -> Kept:
    """Put a scorecard into the history of a release. Raises `ScorecardOfOthers` where it does
    not compare the very version that is released.
    """
    kept = scorecard(tx, wanted)
    release = releases.release(tx, release_id)
    mine = _of(kept, release.candidate, release.digest)
    check = as_check(kept, mine)
    tx.record(
        "release.scorecard_attached",
        release.subject,
        scorecard=f"{kept.name}@{kept.number}",
        digest=kept.digest,
        state=check.state,
        says=kept.card.recommendation.says,
    )
    return kept


def as_check(kept: Kept, mine: Standing) -> Check:
    """What a scorecard says of one of its candidates: passed where it is the one that is
    recommended, failed where another with every required fact is clearly better, or it lacks one.
    """
    card, said = kept.card, kept.card.recommendation
    worse = any(
        mine.name in beaten_by(one.name, card.contrasts)
        for one in card.standings
        if not one.lacks
    )
    if mine.lacks or worse:
        state = "failed"
    elif said.outcome is Outcome.RECOMMENDED and said.among == (mine.name,):
        state = "passed"
    else:
        state = "inconclusive"
    summary = "; ".join([f"{kept.name}@{kept.number}: {said.says}", *mine.flags])
    return Check(name=CHECK, state=state, summary=summary, evidence=kept.digest)


def _of(kept: Kept, name: str, digest: str) -> Standing:
    for one in kept.card.standings:
        if one.version == digest and one.name == name:
            return one
    raise ScorecardOfOthers(name, kept.digest)


def _one_task(tx: Tx, ask: Ask) -> _Cases:
    """What everybody would be measured on. Raises `DifferentTasks`, `NoEvaluators`."""
    first: tuple[str, str, str, str, tuple[str, ...]] | None = None
    for candidate in ask.candidates:
        version = find_subject(tx, candidate.subject)
        dataset, spec = datasets.dataset(tx, ask.dataset or version.name)
        cited = ask.evaluators or spec.evaluators
        if not cited:
            raise NoEvaluators(dataset.ref)
        specs = cited_specs(tx, cited)
        mine = (version.ref, dataset.ref, dataset.digest, evaluators_digest(specs), cited)
        if first is None:
            first = mine
        if mine[2] != first[2]:
            raise DifferentTasks(first[0], mine[0], "dataset", first[1], mine[1])
        if mine[3] != first[3]:
            raise DifferentTasks(
                first[0], mine[0], "evaluators", ", ".join(first[4]), ", ".join(cited)
            )
    assert first is not None
    return _Cases(dataset=first[1], evaluators=ask.evaluators)


def _judge(tx: Tx, ask: Ask, cases: _Cases, run: EvalRun) -> JudgeOf | None:
    """The judge that gives the fit of a run, with what is known of its errors, if one does."""
    from .scoring import fit_of  # noqa: PLC0415  # scipy: 0.3 s

    fit = fit_of(ask, run).name
    wanted = Measurement(
        subject=run.subject_name, dataset=cases.dataset, evaluators=cases.evaluators
    )
    rules = GateRules(metrics=(MetricRule(metric=fit, margin=0.0),))
    return judges_of(tx, wanted, run, rules).get(fit)


def _measured(
    db: Database, actor: Actor, ask: Ask, cases: _Cases, candidate: Candidate, models: Models
) -> tuple[EvalRun, EvalRun | None]:
    """The run of a candidate, and the one on the edge cases where those are asked for."""
    splits = (ask.split, *((ask.edge_split,) if ask.edge_split else ()))
    run, *edge = (
        measure(
            db,
            actor,
            Measurement(
                subject=candidate.subject,
                dataset=cases.dataset,
                evaluators=cases.evaluators,
                split=split,
                variant=ask.variant,
                trials=ask.trials,
                source=candidate.source,
            ),
            models=models,
        )
        for split in splits
    )
    return run, edge[0] if edge else None


def _model(version: Version) -> str | None:
    """The model behind a version, where it is an agent."""
    if version.kind != "agent":
        return None
    return adapter(AgentSpec).validate_python(version.spec).model.model
