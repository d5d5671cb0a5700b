"""Improvement in the browser: what was tried, what it came to, and how it differs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from textwrap import shorten
from typing import Annotated, Any, cast

from fastapi import APIRouter, Form, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.evals.drawing import effects, level
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Kinds
from opsroom.registry import queries as registry
from opsroom.registry.diff import word_diff
from opsroom.registry.kinds import kind_of
from opsroom.registry.reading import Reading, read
from opsroom.web.charts import Effect, Tone
from opsroom.web.render import Notice, Pages

from . import commands, queries
from .failing import issues_of
from .model import (
    HELD_OUT,
    MOST_CANDIDATES,
    OVER,
    Budget,
    Candidate,
    Improvement,
    Method,
    Plan,
    Standing,
    State,
)
from .options import read_grid
from .routes import telemetry

PAGE = 50
PATH = "/improvements"
DEEPEST = 6
SHORT = 32
BEFORE = 80  # characters of unchanged text in front of the first difference
router = APIRouter(prefix=PATH, include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]
Field = Annotated[str, Form(max_length=2000)]
NOTICES = {
    "improvement_started": Notice(text="The search is queued. It begins in a moment."),
    "improvement_stopped": Notice(text="Stopped. What it had asked for is kept."),
}
STATES: Mapping[State, Tone] = {
    State.QUEUED: "muted",
    State.RUNNING: "info",
    State.FINISHED: "good",
    State.FAILED: "bad",
    State.STOPPED: "warn",
}
METHODS = (
    (Method.EXAMPLES.value, "examples from the training split"),
    (Method.REFLECT.value, "rewriting after mistakes (gepa)"),
    (Method.PARAMETERS.value, "models and parameters"),
    (Method.VERSIONS.value, "versions that are there already"),
    (Method.THRESHOLDS.value, "from which confidence on it need not ask"),
)


@router.get("")
def list_page(
    request: Request, tx: Read, target: Text = "", before: Text | None = None
) -> Response:
    """Every search, and the form that starts one."""
    found = queries.improvements(tx, target=target, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    return _pages(request).render(
        request,
        "improvement/list.html",
        improvements=shown,
        states=STATES,
        at_work=queries.count_at_work(tx),
        methods=METHODS,
        target=target,
        before=before,
        next=shown[-1].id if len(found) > PAGE else "",
        may="author" in tx.actor.may,
    )


@router.post("")
def start(
    request: Request,
    tx: Write,
    target: Field,
    method: Annotated[Method, Form()],
    dataset: Field = "",
    model: Field = "",
    base: Field = "",
    options: Field = "",
    max_calls: Annotated[str, Form(pattern=r"^[0-9]{1,6}$")] = "2000",
) -> Response:
    """Start a search in the background."""
    plan = Plan(
        target=target.strip(),
        method=method,
        dataset=dataset.strip(),
        budget=Budget(max_calls=int(max_calls)),
    )
    if model.strip():
        plan = replace(plan, model=model.strip())
    if base.strip():
        plan = replace(plan, base=base.strip())
    match method:
        case Method.PARAMETERS:
            plan = replace(plan, grid=read_grid(options.split()))
        case Method.VERSIONS:
            plan = replace(plan, versions=tuple(options.split()))
        case Method.REFLECT:
            plan = replace(plan, reflection_model=options.strip())
        case Method.THRESHOLDS:
            plan = replace(plan, contract=options.strip())
        case Method.EXAMPLES:
            pass
    made = commands.start(tx, plan)
    return _pages(request).redirect(f"{PATH}/{made.id}", notice="improvement_started")


@router.get("/issues")
def issues_page(request: Request, tx: Read, agent: Text = "", run: Text = "") -> Response:
    """What goes wrong with an agent, grouped, with the part of the prompt that speaks of it."""
    agents = [one.name for one, _, _ in registry.artifacts(tx, "agent")]
    chosen = agent or next(iter(agents), "")
    found = issues_of(tx, chosen, run=run, store=telemetry(request)) if chosen else None
    return _pages(request).render(
        request,
        "improvement/issues.html",
        agent=chosen,
        choices=[(one, one) for one in dict.fromkeys((chosen, *agents)) if one],
        run=run,
        found=found,
        shown=() if found is None else found.issues[:PAGE],
        total=0 if found is None else sum(found.found.values()),
    )


@router.get("/{improvement_id}")
def improvement_page(
    request: Request,
    improvement_id: str,
    tx: Read,
    show: Annotated[int, Query(ge=-1, le=MOST_CANDIDATES)] = -1,
) -> Response:
    """One search: its candidates as a tree with their differences to the base, and one of them
    word by word against its parent.
    """
    found = queries.improvement(tx, improvement_id)
    candidates = queries.candidates(tx, improvement_id, limit=MOST_CANDIDATES + 1)
    opened = _opened(candidates, show)
    compared = [one.compared for one in candidates if one.compared is not None]
    return _pages(request).render(
        request,
        "improvement/improvement.html",
        one=found,
        tone=STATES[found.state],
        over=found.state in OVER,
        base=candidates[0] if candidates else None,
        effects=list(_effects(found, candidates)),
        interval=level(compared),
        refused=[one for one in candidates if one.standing is Standing.REFUSED],
        cutoffs=[one for one in candidates if one.alone is not None],
        holes=[one for one in candidates if one.run and one.reason],
        opened=opened,
        diff=None if opened is None else _difference(request, candidates, opened),
        gate=_gate_command(tx, found),
        may="author" in tx.actor.may,
    )


@router.post("/{improvement_id}/stop")
def stop(request: Request, improvement_id: str, tx: Write) -> Response:
    """End a search before it is done."""
    commands.stop(tx, improvement_id)
    return _pages(request).redirect(f"{PATH}/{improvement_id}", notice="improvement_stopped")


def _opened(candidates: Sequence[Candidate], show: int) -> Candidate | None:
    """The candidate that is looked at: the one asked for, or else the one that was chosen."""
    if show >= 0:
        return next((one for one in candidates if one.number == show), None)
    return next((one for one in candidates if one.standing is Standing.CHOSEN), None)


def _effects(found: Improvement, candidates: Sequence[Candidate]) -> Iterator[Effect]:
    """Candidates in the order of the tree, each against the base."""
    for depth, one in _tree(candidates):
        for effect in effects([one.compared] if one.compared else []):
            branch = "\u00a0\u00a0" * (min(depth, DEEPEST) - 1) + ("└ " if depth else "")
            chosen = ", chosen" if one.standing is Standing.CHOSEN else ""
            yield replace(
                effect,
                label=f"{branch}{one.number}{chosen}: {shorten(one.change, SHORT, placeholder='…')}",
                href=f"{PATH}/{found.id}?show={one.number}#candidate",
            )


def _tree(candidates: Sequence[Candidate]) -> Iterator[tuple[int, Candidate]]:
    """Every candidate below its parent, with how deep it lies; 1 is made from the base."""
    below: dict[int | None, list[Candidate]] = {}
    for one in candidates:
        below.setdefault(one.parent, []).append(one)
    todo = [(0, one) for one in reversed(below.get(None, []))]
    while todo:
        depth, one = todo.pop()
        yield depth, one
        todo += [(depth + 1, child) for child in reversed(below.get(one.number, []))]


def _difference(
    request: Request, candidates: Sequence[Candidate], opened: Candidate
) -> Reading | None:
    """What is different from the parent, as the registry shows differences."""
    parent = next((one for one in candidates if one.number == opened.parent), None)
    if parent is None:
        return None
    before, after = _text(request, candidates, parent), _text(request, candidates, opened)
    found = read(word_diff(before, after))
    return replace(found, ops=tuple(_from_the_change(found.ops)))


def _from_the_change(ops: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The difference without what stands far before it, so that it is seen at once."""
    for number, (op, text) in enumerate(ops):
        if number == 0 and op == "equal" and len(text) > BEFORE and len(ops) > 1:
            yield op, "⋯\n" + text[-BEFORE:].partition("\n")[2]
        else:
            yield op, text


def _text(request: Request, candidates: Sequence[Candidate], one: Candidate) -> str:
    """A candidate as people read it; what is no valid spec is shown as its texts."""
    kinds = cast("Kinds", request.app.state.kinds)
    kind = kind_of(kinds, "agent" if "prompts" in candidates[0].spec else "prompt")
    try:
        return kind.text(adapter(kind.shape).validate_python(one.spec))
    except ValidationError:
        return "\n\n".join(_strings(one.spec))


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from _strings(one)
        case list():
            for one in value:
                yield from _strings(one)
        case _:
            pass


def _gate_command(tx: Tx, found: Improvement) -> str:
    """How the gate measures what was found, on what the search has not seen; against the version
    that the proposal would replace, or the base where the label points nowhere yet.
    """
    if not found.proposal or found.plan.method is Method.THRESHOLDS:
        return ""
    replaced = registry.proposal(tx, found.proposal).base
    base = found.base if replaced is None else f"{found.plan.target}@{replaced}"
    return (
        f"opsroom eval gate {found.version} --base {base} --dataset {found.dataset} "
        f"--split {HELD_OUT} --source {found.plan.model}"
        + (f" --variant {found.plan.variant}" if found.plan.variant else "")
        + f" --proposal {found.proposal}"
    )


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
