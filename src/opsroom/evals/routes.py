"""Evaluations over HTTP."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.wire import Wire

from . import bringing, judges, queries
from .calibrating import Calibrating, calibrate
from .calibration import Report, report
from .errors import VerdictNotFound
from .gate import GateRules, GateVerdict
from .gating import DEFAULT_MARGIN, Ask, Compared, compare_versions, gate_versions
from .measure import Measurement, measure
from .model import EvalRun, Result, ResultKey
from .regressing import check_proposal

router = APIRouter(prefix="/v1/evals", tags=["evals"])
Limit = Annotated[int, Query(ge=1, le=500)]
Few = Annotated[int, Query(ge=1, le=100)]
Name = Annotated[str, Query(max_length=300)]
Trial = Annotated[int, Query(ge=0, le=2_147_483_647)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest(Wire):
    """Candidate `b` against baseline `a`."""

    a: Measurement
    b: Measurement
    metric: str = ""
    margin: float = DEFAULT_MARGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest(Wire):
    """May `candidate` replace `baseline`? The verdict goes to `proposal`, if one is named.

    `rules` state everything; `ask` only what differs from the rules that count otherwise.
    """

    baseline: Measurement
    candidate: Measurement
    rules: GateRules | None = None
    ask: Ask | None = None
    proposal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated(Wire):
    """A verdict and the digest it is kept under."""

    digest: str
    verdict: GateVerdict


@router.post("/runs")
def start_run(wanted: Measurement, actor: Caller, request: Request) -> EvalRun:
    """Measure a version on a dataset; one that was measured before is found again."""
    return measure(database(request), actor, wanted, models=_models(request))


@router.get("/runs")
def list_runs(
    tx: Read, before: str | None = None, limit: Limit = queries.PAGE
) -> list[EvalRun]:
    return queries.runs(tx, before=before, limit=limit)


@router.get("/runs/{run_id}")
def show_run(run_id: str, tx: Read) -> EvalRun:
    return queries.run(tx, run_id)


@router.get("/runs/{run_id}/results")
def list_results(
    run_id: str, tx: Read, after: Name = "", trial: Trial = 0, limit: Limit = queries.PAGE
) -> list[Result]:
    """What came of each case, by item and trial; go on with the `item` of the last as `after`,
    and its `trial`.
    """
    key = ResultKey(after, trial) if after else None
    return queries.result_page(tx, run_id, after=key, limit=limit)


@router.post("/sessions")
def begin_session(wanted: bringing.Session, tx: Write) -> EvalRun:
    """Open a run for answers that the caller brings, or find the one this session has."""
    return bringing.begin(tx, wanted)


@router.post("/runs/{run_id}/answers")
def bring_answers(
    run_id: str, wanted: bringing.Answers, actor: Caller, request: Request
) -> list[Result]:
    """Judge answers and keep them; the first answer to a case is the one that counts."""
    return bringing.judge(
        database(request), actor, run_id, wanted.answers, models=_models(request)
    )


@router.post("/runs/{run_id}/end")
def end_session(run_id: str, tx: Write) -> bringing.Ended:
    """End a run of brought answers, and say what its metrics came to; again, if asked again."""
    return bringing.end(tx, run_id)


@router.post("/runs/{run_id}/gate")
def gate_session(
    run_id: str, wanted: bringing.Against, actor: Caller, request: Request
) -> Gated:
    """Decide between a run of brought answers and a baseline, and keep the verdict."""
    verdict = bringing.gate_run(
        database(request), actor, run_id, wanted, models=_models(request)
    )
    return Gated(digest=verdict.digest, verdict=verdict)


@router.post("/compare")
def compare(wanted: CompareRequest, actor: Caller, request: Request) -> Compared:
    """Compare two versions on the items that both answered."""
    return compare_versions(
        database(request),
        actor,
        wanted.a,
        wanted.b,
        metric=wanted.metric,
        margin=wanted.margin,
        models=_models(request),
    )


@router.post("/gate")
def gate(wanted: GateRequest, actor: Caller, request: Request) -> Gated:
    """Decide whether a candidate may replace a baseline, and keep the verdict.

    A proposal is also put to what people corrected, as its check `regression`.
    """
    verdict = gate_versions(
        database(request),
        actor,
        wanted.baseline,
        wanted.candidate,
        rules=wanted.rules,
        ask=wanted.ask,
        proposal=wanted.proposal,
        models=_models(request),
    )
    if wanted.proposal:
        check_proposal(
            database(request),
            actor,
            wanted.baseline,
            wanted.candidate,
            wanted.proposal,
            models=_models(request),
        )
    return Gated(digest=verdict.digest, verdict=verdict)


@router.get("/verdicts/{digest}")
def show_verdict(digest: str, tx: Read) -> Gated:
    found = queries.stored_verdict(tx, digest)
    if found is None:
        raise VerdictNotFound(digest)
    return Gated(digest=digest, verdict=found)


@router.post("/calibrations")
def calibrate_judge(wanted: Calibrating, actor: Caller, request: Request) -> Report:
    """Put labelled answers to a judge; a calibration that was made before is found again.

    Repeating is safe: verdicts that were given are not asked for a second time.
    """
    return report(calibrate(database(request), actor, wanted, models=_models(request)))


@router.get("/calibrations")
def list_calibrations(tx: Read, evaluator: Name = "", limit: Few = judges.PAGE) -> list[Report]:
    """Calibrations, newest first, of all judges or of one by name."""
    return judges.calibrations(tx, evaluator, limit=limit)


@router.get("/calibrations/{digest}")
def show_calibration(digest: str, tx: Read) -> Report:
    return judges.calibration(tx, digest)


@router.get("/judges")
def list_judges(tx: Read, after: Name = "", limit: Few = judges.PAGE) -> judges.JudgePage:
    """Where every judge may gate, and where not and why."""
    return judges.judges(tx, after=after, limit=limit)


def _models(request: Request) -> Any:
    return request.app.state.models
