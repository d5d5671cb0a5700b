"""A round over an agent's finished traces: draw a share of them, judge, and tell it in telemetry.

Verdicts go in like those of anybody else: as spans of the operation `evaluation` in the trace
that they judge. Their ids follow from trace and evaluator, so a round that is repeated after a
crash writes what it wrote before.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from opsroom.datasets import Item
from opsroom.evals.evaluators import Evaluator, evaluators
from opsroom.evals.evaluators.specs import AnyJudge
from opsroom.evals.measure import cited_specs
from opsroom.evals.model import Score
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import OpsroomError
from opsroom.models import Models, Output
from opsroom.traces import keeping, sampling
from opsroom.traces.checking import PROTOBUF, check
from opsroom.traces.intake import now_nano
from opsroom.traces.sampling import LONGEST_RUN, Run
from opsroom.traces.telemetry import Traces
from opsroom.traces.wire import Stamp

from . import commands, store
from .errors import ScoringMoved
from .model import Scoring, below, weight

log = logging.getLogger(__name__)
SYSTEM = "system:scoring"
EVERY = timedelta(minutes=5)
LEASE = timedelta(minutes=30)
ARRIVING = timedelta(minutes=1)  # what was received by now may not be stored yet
MOST_AT_ONCE = 200
AT_ONCE = 8  # traces whose judges are asked at the same time
LONGEST_REASON = 500
Scores = Mapping[str, Score]


def overdue(db: Database) -> bool:
    """Whether any agent is due to be judged."""
    with db.read(Actor(SYSTEM, "", human=False)) as tx:
        return store.due(tx) is not None


def look(db: Database, traces: Traces, models: Models) -> int:
    """Judge the agent that is longest due; return how many of its traces were looked at.

    Safe to repeat, and in several processes at once.
    """
    with db.read(Actor(SYSTEM, "", human=False)) as tx:
        found = store.due(tx)
    if found is None:
        return 0
    project, agent = found
    actor = Actor(SYSTEM, project, human=False)
    with db.write(actor) as tx:
        if not store.claim(tx, agent, until=tx.now + LEASE):
            return 0
        scoring = commands.scoring(tx, agent)
    try:
        return _round(db, traces, models, actor, scoring)
    except ScoringMoved:
        return 0  # it was decided otherwise meanwhile; the next round goes by that
    except OpsroomError as error:
        with db.write(actor) as tx:
            _keep(tx, scoring, judged=0, unjudged=0, until=scoring.since, because=str(error))
        log.warning("agent %s was not judged: %s", agent, error)
        return 0


def _round(db: Database, traces: Traces, models: Models, actor: Actor, scoring: Scoring) -> int:
    wanted, agent, project = scoring.wanted, scoring.agent, actor.project
    with db.read(actor) as tx:
        refs = commands.production(wanted.evaluators)
        specs = cited_specs(tx, refs)
        kept = keeping.current(tx)
        now = tx.now
    since, until = scoring.since, now - ARRIVING
    most = min(MOST_AT_ONCE, scoring.left(now))
    if most == 0 or until <= since:
        with db.write(actor) as tx:
            _keep(tx, scoring, judged=0, unjudged=0, until=since)
        return 0
    drawn = sampling.draw(
        traces, project, agent, since=since, until=until, below=below(wanted.share), most=most
    )
    runs = sampling.runs_again(
        traces, project, agent, list(drawn.roots), since=since - LONGEST_RUN, until=until
    )
    scored = asyncio.run(_judged(specs, models, runs))
    stands = weight(wanted.share, drawn=drawn.count, taken=len(drawn.roots))
    told = [
        (run, {name: score for name, score in scores.items() if not score.error})
        for run, scores in zip(runs, scored, strict=True)
    ]
    _tell(traces, db, actor, agent, told, drawn.roots, stands=stands, kept=kept)
    judged = sum(bool(scores) for _, scores in told)
    with db.write(actor) as tx:
        unjudged = len(drawn.roots) - judged
        _keep(tx, scoring, judged=judged, unjudged=unjudged, until=until)
    return len(drawn.roots)


def _keep(tx: Any, scoring: Scoring, **what: Any) -> None:
    store.save(tx, scoring.after(now=tx.now, **what), next_at=tx.now + EVERY)


async def _judged(specs: Sequence[Any], models: Models, runs: Sequence[Run]) -> list[Scores]:
    async with models.opened() as find:
        judges = {spec.model: find(spec.model) for spec in specs if isinstance(spec, AnyJudge)}
        chosen = evaluators(specs, judges)
        room = asyncio.Semaphore(AT_ONCE)

        async def one(run: Run) -> Scores:
            if not run.asked and not run.answered:
                return {}  # its contents were not kept
            async with room:
                return {each.metric.name: await _score(each, run) for each in chosen}

        return await asyncio.gather(*(one(run) for run in runs))


async def _score(evaluator: Evaluator, run: Run) -> Score:
    item = Item(id=run.trace_id, input=run.asked)
    output = Output(
        text=run.answered,
        cost=None if run.cost is None else Decimal(str(run.cost)),
        output_tokens=run.output_tokens,
    )
    found = evaluator.assess(item, output)
    return found if isinstance(found, Score) else await found


def _tell(
    traces: Traces,
    db: Database,
    actor: Actor,
    agent: str,
    told: Sequence[tuple[Run, Scores]],
    roots: Mapping[str, str],
    *,
    stands: float,
    kept: Any,
) -> None:
    """Put the verdicts into telemetry; returns once they are durable."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add()
    spans.scope.name = "opsroom.scoring"
    for run, scores in told:
        for name, score in scores.items():
            _span(spans.spans.add(), run, agent, name, score, roots[run.trace_id], stands)
    if not spans.spans:
        return
    now = now_nano(db.clock)
    checked = check(
        request.SerializeToString(), form=PROTOBUF, redactor=keeping.redactor(kept), now=now
    )
    stamp = Stamp(
        project=actor.project,
        sender=SYSTEM,
        capture=kept.contents,
        received=now,
        digest=checked.digest,
    )
    traces.intake.submit(checked.body, stamp, checked.dead).result()
    traces.stored[actor.project] += checked.spans


def _span(
    span: Any, run: Run, agent: str, name: str, score: Score, root: str, stands: float
) -> None:
    at = int(run.at.timestamp() * 1_000_000) * 1_000
    span.trace_id = bytes.fromhex(run.trace_id)
    span.span_id = hashlib.sha256(f"{run.trace_id}/{name}".encode()).digest()[:8]
    span.parent_span_id = bytes.fromhex(root)
    span.name = f"evaluation {name}"
    span.start_time_unix_nano = span.end_time_unix_nano = at
    said = {
        "gen_ai.operation.name": "evaluation",
        "gen_ai.agent.name": agent,
        "gen_ai.evaluation.name": name,
        "gen_ai.evaluation.explanation": score.reason[:LONGEST_REASON],
    }
    if score.passed is not None:
        said["gen_ai.evaluation.score.label"] = "pass" if score.passed else "fail"
    for key, text in said.items():
        span.attributes.add(key=key).value.string_value = text
    numbers = {"opsroom.evaluation.weight": stands}
    if score.value is not None:
        numbers["gen_ai.evaluation.score.value"] = score.value
    if score.usage is not None and score.usage.cost is not None:
        numbers["opsroom.evaluation.cost"] = float(score.usage.cost)
    for key, number in numbers.items():
        span.attributes.add(key=key).value.double_value = number
