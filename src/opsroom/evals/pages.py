"""Evaluations: what was measured, whether one version is better than another, what the gate said.

Looking never measures. What is not measured yet is said, with a button that does it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, database
from opsroom.datasets import DatasetSpec, Item
from opsroom.datasets import queries as datasets
from opsroom.datasets.pages import cut
from opsroom.kit.db import Tx
from opsroom.kit.errors import Invalid, NotFound
from opsroom.web.render import Notice, Pages

from . import finding, queries
from .drawing import VERDICTS, Scaled, effects, level, scaled, uncomputed, verdict_facts
from .errors import VerdictNotFound
from .gating import (
    DEFAULT_MARGIN,
    Ask,
    Case,
    Compared,
    compare_runs,
    compare_versions,
    gate_versions,
)
from .measure import Measurement, find_subject
from .model import EvalRun, Metric, Result, Scale
from .regressing import check_proposal

PAGE = 25
VERDICTS_SHOWN = 8

router = APIRouter(prefix="/evals", include_in_schema=False)
NOTICES = {
    "measured": Notice(text="Both versions are measured."),
    "gated": Notice(
        text="The gate has decided; its verdict stands among the checks.", tone="info"
    ),
}

Change = Literal["", "regressed", "improved", "same", "missing"]
Short = Annotated[str, Query(max_length=300)]
Field = Annotated[str, Form(max_length=300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """What is compared, as the address says it."""

    a: Short = ""
    b: Short = ""
    dataset: Short = ""
    split: Short = ""
    variant: Short = ""
    metric: Short = ""
    margin: Annotated[float, Query(ge=0, lt=1)] = DEFAULT_MARGIN

    @property
    def query(self) -> dict[str, str]:
        """The address's own words, without what is left open."""
        named = {name: getattr(self, name).strip() for name in _WORDS}
        if self.margin != DEFAULT_MARGIN:
            named["margin"] = f"{self.margin:g}"
        return {name: value for name, value in named.items() if value}


_WORDS = ("a", "b", "dataset", "split", "variant", "metric")
Wanted = Annotated[Comparing, Depends()]


@router.get("")
def list_page(
    request: Request, tx: Read, before: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """What was measured last, what the gate said last, and a form to compare two versions."""
    page = queries.runs(tx, before=before or None, limit=PAGE + 1)
    shown = page[:PAGE]
    verdicts = finding.recent_verdicts(tx, limit=VERDICTS_SHOWN)
    return _pages(request).render(
        request,
        "evals/list.html",
        runs=shown,
        verdicts=[(at, verdict_facts(one)) for at, one in verdicts],
        wanted=Comparing(),
        before=before,
        next=shown[-1].id if len(page) > PAGE else "",
    )


@router.get("/compare")
def compare_page(
    request: Request,
    tx: Read,
    wanted: Wanted,
    show: Change = "",
    after: Annotated[str, Query(max_length=64)] = "",
    case: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Is B better than A? Every metric with its interval, and the cases behind one of them."""
    context: dict[str, Any] = {"wanted": wanted, "may": "author" in tx.actor.may}
    if not (wanted.a and wanted.b):
        return _pages(request).render(request, "evals/ask.html", **context, error=None, runs=())
    try:
        runs = [finding.measured(tx, one) for one in _sides(tx, wanted)]
        a, b = runs
        if a is None or b is None:
            return _pages(request).render(
                request, "evals/ask.html", **context, error=None, runs=runs
            )
        found = compare_runs(tx, a, b, metric=wanted.metric, margin=wanted.margin)
    except (NotFound, Invalid) as error:
        return _pages(request).render(
            request, "evals/ask.html", status=error.status, **context, error=error, runs=()
        )
    return _pages(request).render(
        request,
        "evals/compare.html",
        **context,
        **_compared(tx, found, wanted, show, after, case),
    )


@router.post("/compare")
def measure_both(
    request: Request,
    actor: Caller,
    a: Field,
    b: Field,
    dataset: Field = "",
    split: Field = "",
    variant: Field = "",
    metric: Field = "",
) -> Response:
    """Measure both versions, or find that they were, and go to the comparison."""
    wanted = Comparing(a=a, b=b, dataset=dataset, split=split, variant=variant, metric=metric)
    with database(request).read(actor) as tx:
        sides = _sides(tx, wanted)
    compare_versions(
        database(request), actor, *sides, metric=metric, models=request.app.state.models
    )
    return _pages(request).redirect(
        f"/evals/compare?{_encoded(wanted.query)}", notice="measured"
    )


@router.post("/gate")
def gate(
    request: Request,
    actor: Caller,
    baseline: Field,
    candidate: Field,
    proposal: Field,
    dataset: Field = "",
    min_samples: Annotated[str, Form(pattern=r"^[0-9]{0,6}$")] = "",
) -> Response:
    """Let the gate decide about a proposal, and go back to it."""
    sides = [Measurement(subject=one, dataset=dataset.strip()) for one in (baseline, candidate)]
    models = request.app.state.models
    gate_versions(
        database(request),
        actor,
        *sides,
        ask=Ask(min_samples=int(min_samples) if min_samples else None),
        proposal=proposal,
        models=models,
    )
    check_proposal(database(request), actor, sides[0], sides[1], proposal, models=models)
    return _pages(request).redirect(f"/proposals/{proposal}", notice="gated")


@router.get("/runs/{run_id}")
def run_page(
    request: Request, run_id: str, tx: Read, after: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """One run: what it came to, what it took, and every answer's score."""
    run = queries.run(tx, run_id)
    results = finding.results_after(tx, run_id, after=after, limit=PAGE + 1)
    items = list(dict.fromkeys(one.item for one in results))
    shown = [one for one in results if one.item in items[:PAGE]]
    rows = [(one, [_score(one, metric) for metric in run.metrics]) for one in shown]
    return _pages(request).render(
        request,
        "evals/run.html",
        run=run,
        means=finding.means(tx, run),
        rows=rows,
        reasons=any(one.error or any(score["reason"] for score in some) for one, some in rows),
        others=[one for one in finding.runs_of(tx, run.subject, limit=6) if one.id != run.id],
        after=after,
        next=items[PAGE - 1] if len(items) > PAGE else "",
    )


@router.get("/verdicts/{digest}")
def verdict_page(request: Request, digest: str, tx: Read) -> Response:
    """What the gate said, by which rules, on what evidence."""
    verdict = queries.stored_verdict(tx, digest)
    if verdict is None:
        raise VerdictNotFound(digest)
    evidence = verdict.evidence
    runs = [finding.run_behind(tx, side) for side in (evidence.baseline, evidence.candidate)]
    return _pages(request).render(
        request,
        "evals/verdict.html",
        **verdict_facts(verdict),
        sides=list(zip((evidence.baseline, evidence.candidate), runs, strict=True)),
        compare=_compare_link(runs),
    )


def _sides(tx: Tx, wanted: Comparing) -> tuple[Measurement, Measurement]:
    """Both measurements, on one dataset: the one named, or that of the first version."""
    dataset = wanted.dataset.strip() or find_subject(tx, wanted.a.strip()).name
    a, b = (
        Measurement(
            subject=subject.strip(),
            dataset=dataset,
            split=wanted.split.strip(),
            variant=wanted.variant.strip(),
        )
        for subject in (wanted.a, wanted.b)
    )
    return a, b


def _compared(
    tx: Tx, found: Compared, wanted: Comparing, show: Change, after: str, case: str
) -> dict[str, Any]:
    """Everything the page of a comparison shows."""
    first = found.metrics[0]
    chosen = [one for one in found.cases if not show or one.changed == show]
    start = next((i + 1 for i, one in enumerate(chosen) if one.item == after), 0)
    page = chosen[start : start + PAGE]
    opened = next((one for one in found.cases if one.item == case), None)
    word, tone = VERDICTS[first.verdict]

    def link(**more: str) -> str:
        return f"/evals/compare?{_encoded({**wanted.query, 'show': show, **more})}"

    return {
        "found": found,
        "first": first,
        "word": word,
        "tone": tone,
        "effects": effects(
            found.metrics, hrefs={one.metric: link(metric=one.metric) for one in found.metrics}
        ),
        "uncomputed": uncomputed(found.metrics),
        "interval": level(found.metrics),
        "counts": Counter(one.changed for one in found.cases),
        "rows": _rows(tx, found, page),
        "show": show,
        "after": after,
        "next": page[-1].item if start + PAGE < len(chosen) else "",
        "case": opened,
        "answered": opened and finding.answered(tx, found.run_a, found.run_b, opened.item),
        "link": link,
    }


def _rows(tx: Tx, found: Compared, page: Sequence[Case]) -> list[dict[str, Any]]:
    """Cases with what was asked in them, in one line."""
    first = found.metrics[0]
    known = _items(tx, found.run_a, [one.item for one in page])
    scale = scaled(first.metric, first.comparison) if first.comparison else None
    return [
        {
            "case": one,
            "input": cut(known[one.item].input) if one.item in known else "",
            "a": _said(one.a, first.scale, scale),
            "b": _said(one.b, first.scale, scale),
        }
        for one in page
    ]


def _items(tx: Tx, run: EvalRun, hashes: Sequence[str]) -> Mapping[str, Item]:
    wanted = set(hashes)
    _, spec = datasets.dataset(tx, run.dataset_name)
    some: DatasetSpec = replace(
        spec, items=tuple(ref for ref in spec.items if ref.hash in wanted)
    )
    return {item.hash: item for item in datasets.items(tx, some)} if some.items else {}


def _said(value: float | None, kind: Scale, scale: Scaled | None = None) -> str:
    """A case's value: yes or no where the metric is that, else the number."""
    if value is None:
        return "–"
    if kind is Scale.BINARY and value in {0.0, 1.0}:
        return "yes" if value else "no"
    return scale.value(value) if scale else f"{value:g}"


def _score(result: Result, metric: Metric) -> dict[str, str]:
    score = result.scores.get(metric.name)
    value = result.value(metric.name)
    return {"value": _said(value, metric.scale), "reason": score.reason if score else ""}


def _compare_link(runs: Sequence[EvalRun | None]) -> str:
    a, b = runs
    if a is None or b is None:
        return ""
    facts = {"a": a.subject_name, "b": b.subject_name, "dataset": a.dataset_name}
    return "/evals/compare?" + _encoded(facts | {"split": a.split, "variant": a.variant})


def _encoded(query: Mapping[str, str]) -> str:
    return urlencode({name: value for name, value in query.items() if value})


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
