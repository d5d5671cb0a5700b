"""Deciding how an agent is judged, and keeping how far that is."""

from dataclasses import replace

from opsroom.evals.measure import cited_specs
from opsroom.kit.db import Tx
from opsroom.registry import queries as registry

from . import store
from .errors import BadScoring
from .model import MOST_A_DAY, MOST_EVALUATORS, UNFIT, Scoring, Wanted


def scoring(tx: Tx, agent: str) -> Scoring:
    """How an agent is judged; not at all until somebody decides. Raises `ArtifactNotFound`."""
    registry.artifact(tx, "agent", agent)
    return store.scoring(tx, agent) or Scoring(agent=agent, wanted=Wanted(), since=tx.now)


def decide(tx: Tx, agent: str, wanted: Wanted) -> Scoring:
    """Judge an agent like this from now on; what was finished before is not judged.

    The same again is no change. Raises `BadScoring`, and what finding the evaluators raises.
    """
    _check(tx, wanted)
    was = scoring(tx, agent)
    if was.wanted == wanted:
        return was
    since = was.since if was.wanted.evaluators else tx.now
    now = store.save(
        tx,
        replace(was, wanted=wanted, since=since, because=""),
        next_at=tx.now if wanted.evaluators else None,
    )
    tx.record(
        "scoring.decided",
        f"agent/{agent}",
        agent=agent,
        evaluators=", ".join(wanted.evaluators) or "nobody",
        share=wanted.share,
        most_a_day=wanted.most_a_day,
    )
    return now


def production(evaluators: tuple[str, ...]) -> list[str]:
    return [f"evaluator/{name}@production" for name in evaluators]


def _check(tx: Tx, wanted: Wanted) -> None:
    if not 0 < wanted.share <= 1:
        raise BadScoring("a share lies above 0 and is 1 at most")
    if not 0 < wanted.most_a_day <= MOST_A_DAY:
        raise BadScoring(f"a day has 1 to {MOST_A_DAY} verdicts of each evaluator")
    if len(wanted.evaluators) > MOST_EVALUATORS:
        raise BadScoring(f"at most {MOST_EVALUATORS} evaluators judge an agent")
    if len(set(wanted.evaluators)) < len(wanted.evaluators):
        raise BadScoring("an evaluator is named twice")
    specs = cited_specs(tx, production(wanted.evaluators))
    for name, spec in zip(wanted.evaluators, specs, strict=True):
        if spec.type in UNFIT:
            raise BadScoring(f"{name!r} ({spec.type}) asks for what traces do not tell")
