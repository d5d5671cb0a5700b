"""A round over an agent's finished traces: draw a share of them, judge, and tell it in telemetry.

Verdicts go in like those of anybody else: as spans of the operation `evaluation` in the trace
that they judge. Their ids follow from trace, agent and evaluator, so a round that is repeated after a
crash writes what it wrote before.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from opsroom.kit.errors import OpsroomError, Unavailable
from opsroom.models import ModelRefused, Models, Output
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
LONGEST_VERDICT = timedelta(minutes=5)
LONGEST_ROUND = LEASE - timedelta(minutes=10)  # verdicts of a round, well within its lease
LONGEST_WAIT = timedelta(hours=1)  # between rounds, while the judge is unavailable
NOT_LET_IN = frozenset({401, 402, 403, 404})  # of whatever the judge is asked
Scores = Mapping[str, Score]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What came of one trace. `failures` say what kept evaluators from a verdict; the trace is
    not to blame for those that are `away`.
    """

    scores: Scores
    failures: tuple[str, ...] = ()
    away: bool = False
    asked: bool = True


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
            _keep(tx, scoring, judged=0, unjudged=0, until=since, because=scoring.because)
        return 0
    drawn = sampling.draw(
        traces, project, agent, since=since, until=until, below=below(wanted.share), most=most
    )
    runs = sampling.runs_again(
        traces, project, agent, list(drawn.roots), since=since - LONGEST_RUN, until=until
    )
    looked = asyncio.run(_judged(specs, models, runs))
    because = _because(looked)
    asked = sum(one.asked for one in looked)
    judged = sum(bool(one.scores) for one in looked)
    if not judged and any(one.away for one in looked):
        with db.write(actor) as tx:
            _keep(tx, scoring, judged=0, unjudged=asked, until=since, because=because)
        return 0
    stands = weight(wanted.share, drawn=drawn.count, taken=len(drawn.roots))
    told = [(run, one.scores) for run, one in zip(runs, looked, strict=True)]
    try:
        _tell(traces, db, actor, agent, told, drawn.roots, stands=stands, kept=kept)
    except OpsroomError as error:  # paid for, so it counts, but nobody was told
        with db.write(actor) as tx:
            _keep(tx, scoring, judged=0, unjudged=asked, until=since, because=str(error))
        log.warning("verdicts on agent %s were not stored: %s", agent, error)
        return 0
    with db.write(actor) as tx:
        unjudged = len(drawn.roots) - judged
        _keep(tx, scoring, judged=judged, unjudged=unjudged, until=until, because=because)
    return len(drawn.roots)


def _because(looked: Sequence[_Looked]) -> str:
    """What kept evaluators from a verdict, by the first that failed; empty where none did."""
    failed = [one for one in looked if one.failures]
    if not failed:
        return ""
    return f"of {len(failed)} of {len(looked)} traces: {failed[0].failures[0]}"


def _keep(tx: Any, scoring: Scoring, **what: Any) -> None:
    """After a round that stood still, wait as long again as it has done so by now."""
    after = scoring.after(now=tx.now, **what)
    stood = tx.now - after.since if after.because and after.since == scoring.since else EVERY
    wait = min(LONGEST_WAIT, max(EVERY, stood))
    store.save(tx, after, next_at=tx.now + wait)


async def _judged(specs: Sequence[Any], models: Models, runs: Sequence[Run]) -> list[_Looked]:
    async with models.opened() as find:
        judges = {spec.model: find(spec.model) for spec in specs if isinstance(spec, AnyJudge)}
        chosen = evaluators(specs, judges)
        room = asyncio.Semaphore(AT_ONCE)
        ends = asyncio.get_running_loop().time() + LONGEST_ROUND.total_seconds()

        async def one(run: Run) -> _Looked:
            if not run.asked and not run.answered:
                return _Looked(scores={}, asked=False)  # its contents were not kept
            async with room:
                return await _look_at(chosen, run, ends)

        return await asyncio.gather(*(one(run) for run in runs))


async def _look_at(chosen: Sequence[Evaluator], run: Run, ends: float) -> _Looked:
    """What each evaluator says of one trace. Never raises for what is wrong with one of them."""
    scores: dict[str, Score] = {}
    failures: list[str] = []
    away = False
    for each in chosen:
        try:
            score = await _score(each, run, ends)
        except OpsroomError as error:
            away = away or _is_away(error)
            failures.append(str(error))
        except TimeoutError:
            away = True
            failures.append(f"no verdict of {each.metric.name} in time")
        except Exception as error:  # noqa: BLE001  # one bad score must not cost the others
            # Without its text, which may quote the trace.
            log.error("bug: %s at trace %s", type(error).__name__, run.trace_id)  # noqa: TRY400
            failures.append(f"bug: {type(error).__name__} in {each.metric.name}")
        else:
            if not score.error:
                scores[each.metric.name] = score
    return _Looked(scores=scores, failures=tuple(failures), away=away)


def _is_away(error: OpsroomError) -> bool:
    if isinstance(error, ModelRefused):
        return error.answered in NOT_LET_IN
    return isinstance(error, Unavailable)


async def _score(evaluator: Evaluator, run: Run, ends: float) -> Score:
    item = Item(id=run.trace_id, input=run.asked)
    output = Output(
        text=run.answered,
        cost=None if run.cost is None else Decimal(str(run.cost)),
        output_tokens=run.output_tokens,
    )
    found = evaluator.assess(item, output)
    if isinstance(found, Score):
        return found
    until = asyncio.get_running_loop().time() + LONGEST_VERDICT.total_seconds()
    async with asyncio.timeout_at(min(until, ends)):
        return await found


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
    span.span_id = hashlib.sha256(f"{run.trace_id}/{agent}/{name}".encode()).digest()[:8]
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
