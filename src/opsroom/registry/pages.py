"""The pages of artifacts, the same for every kind: lists, one artifact, differences, moves.

What only one kind has is drawn by its own slice (drawing.py). Everything that changes
something asks for a reason, and shows beforehand what will be different.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.access.rules import Action
from opsroom.kit.db import Tx
from opsroom.web.render import Notice, Pages

from . import commands, environments, listing, proposals, queries, rules, store
from .blame import blame
from .diff import word_diff
from .drawing import Drawings, KindPage, drawings
from .errors import VersionNotFound
from .kinds import kind_of
from .model import PRODUCTION, Artifact, Finding, Label, ProposalState, Ref, Version
from .reading import Reading, read
from .routes import KnownKinds

PAGE = 50
VERSIONS = 20
MOVES = 12
LOOKED_THROUGH = 50  # versions, for who wrote a line
MOST_LINES = 2000

NOTICES = {
    "rolled_back": Notice(text="Rolled back. Whoever asks from now on gets this version."),
}


def kind_page(request: Request) -> KindPage:
    """The kind whose pages are asked for; their addresses begin with its own word."""
    path = "/" + request.url.path.split("/")[1]
    return next(one for one in drawings(request).kinds.values() if one.path == path)


Of = Annotated[KindPage, Depends(kind_page)]
Drawn = Annotated[Drawings, Depends(drawings)]
At = Annotated[str, Query(max_length=100)]
Reason = Annotated[str, Form(max_length=2000, pattern=r"\S")]


def list_page(
    request: Request,
    tx: Read,
    of: Of,
    q: At = "",
    after: At = "",
    limit: int = PAGE,
    *,
    archived: bool = False,
) -> Response:
    """Every artifact of a kind by name: what is live where, and what waits; or what is archived."""
    limit = min(max(limit, 1), PAGE)
    rows = listing.rows(
        tx, of.kind, after=after, limit=limit + 1, search=q.strip(), archived=archived
    )
    shown, more = rows[:limit], len(rows) > limit
    return _pages(request).render(
        request,
        "registry/list.html",
        of=of,
        rows=shown,
        flags=of.flags(tx),
        columns=listing.columns(
            shown, first=[one.name for one in environments.environments(tx)]
        ),
        total=queries.counts(tx, archived=archived).get(of.kind, 0),
        others=queries.counts(tx, archived=not archived).get(of.kind, 0),
        archived=archived,
        q=q,
        after=after,
        next=shown[-1].artifact.name if more else "",
    )


def show_page(
    request: Request,
    name: str,
    tx: Read,
    of: Of,
    drawn: Drawn,
    known: KnownKinds,
    at: At = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """One artifact: a version of it, where its labels point, who uses it, how it came to be."""
    artifact = queries.artifact(tx, of.kind, name)
    labels = queries.labels(tx, of.kind, name)
    newest = next(iter(queries.versions(tx, of.kind, name, limit=1)), None)
    context: dict[str, Any] = {
        "of": of,
        "artifact": artifact,
        "labels": labels,
        "newest": newest,
        "may": tx.actor.may,
        "backward": {
            one.label: commands.why_not(tx, Action.OPERATE, artifact, one.label)
            for one in labels
        },
    }
    if newest is None:
        return _pages(request).render(request, "registry/fresh.html", **context)
    version = _shown(tx, artifact, labels, newest, at)
    page = queries.versions(tx, of.kind, name, before=before, limit=VERSIONS + 1)
    return _pages(request).render(
        request,
        "registry/show.html",
        **context,
        version=version,
        live=next((one for one in labels if one.label == PRODUCTION), None),
        here=[one.label for one in labels if one.number == version.number],
        names=_names(labels),
        panel=of.draw(tx, version),
        beside=of.beside(tx, artifact, version),
        actions=of.offer(tx, artifact, version),
        findings=worst_first(proposals.lint(tx, version, kinds=known)),
        uses=listing.uses(tx, artifact, kinds=known),
        moves=queries.label_history(tx, of.kind, name, limit=MOVES),
        open=queries.proposals(tx, state=ProposalState.OPEN, kind=of.kind, name=name, limit=20),
        versions=page[:VERSIONS],
        next=page[VERSIONS - 1].number if len(page) > VERSIONS else None,
        before=before,
        drawn=drawn,
    )


def diff_page(
    request: Request,
    name: str,
    tx: Read,
    of: Of,
    known: KnownKinds,
    a: At = "",
    b: At = "",
    whole: bool = False,
) -> Response:
    """What changed between two versions, word by word, and what the linter makes of it.

    Without `b` the newest version; without `a` the one before it.
    """
    later = _version(tx, of, name, b)
    earlier = _version(tx, of, name, a or str(later.parent or later.number))
    shape = kind_of(known, of.kind)
    found = shape.lint(shape.read(later.spec), shape.read(earlier.spec), queries.lookup(tx))
    newest = queries.versions(tx, of.kind, name, limit=1)[0].number
    return _pages(request).render(
        request,
        "registry/diff.html",
        of=of,
        artifact=queries.artifact(tx, of.kind, name),
        a=earlier,
        b=later,
        newest=newest,
        diff=difference(known, earlier, later, whole=whole),
        whole=whole,
        findings=worst_first(found),
        names=_names(queries.labels(tx, of.kind, name)),
        actions=of.between(earlier, later),
    )


def blame_page(
    request: Request, name: str, tx: Read, of: Of, known: KnownKinds, at: At = ""
) -> Response:
    """Every line of a version, with the version that it came with."""
    artifact = queries.artifact(tx, of.kind, name)
    version = _version(tx, of, name, at)
    history = queries.versions(
        tx, of.kind, name, before=version.number + 1, limit=LOOKED_THROUGH
    )[::-1]
    shape = kind_of(known, of.kind)
    texts = [(one.number, shape.text(shape.read(one.spec))) for one in history]
    return _pages(request).render(
        request,
        "registry/blame.html",
        of=of,
        artifact=artifact,
        version=version,
        lines=blame(texts, whole=history[0].parent is None)[:MOST_LINES],
        made={one.number: one for one in history},
        most=MOST_LINES,
    )


def propose_page(
    request: Request,
    name: str,
    tx: Read,
    of: Of,
    known: KnownKinds,
    at: At = "",
    label: At = PRODUCTION,
) -> Response:
    """What a proposal would move, what it would change, and what it will take."""
    version = _version(tx, of, name, at)
    artifact = queries.artifact(tx, of.kind, name)
    now = queries.label(tx, of.kind, name, label)
    before = None if now is None else _version(tx, of, name, str(now.number))
    need = queries.needs(tx, artifact, label, first=now is None)
    return _pages(request).render(
        request,
        "registry/propose.html",
        of=of,
        artifact=artifact,
        version=version,
        label=label,
        before=before,
        diff=None if before is None else difference(known, before, version),
        findings=worst_first(proposals.lint(tx, version, kinds=known)),
        needs=in_words(need),
        barred=commands.why_not(tx, Action.AUTHOR, artifact, label),
    )


def propose(
    request: Request,
    name: str,
    tx: Write,
    of: Of,
    known: KnownKinds,
    number: Annotated[int, Form(ge=1)],
    label: Annotated[str, Form(max_length=64)] = PRODUCTION,
    title: Annotated[str, Form(max_length=300)] = "",
    description: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Open the proposal and go to its page."""
    ref = Ref(of.kind, name, str(number))
    made = proposals.propose(
        tx, ref, label=label, title=title.strip(), description=description.strip(), kinds=known
    )
    return _pages(request).redirect(f"/proposals/{made.id}", notice="proposed")


def roll_back_page(
    request: Request,
    name: str,
    label: str,
    tx: Read,
    of: Of,
    known: KnownKinds,
    to: int | None = None,
) -> Response:
    """What rolling back would change, before anybody does it."""
    artifact = queries.artifact(tx, of.kind, name)
    now = queries.label(tx, of.kind, name, label)
    if now is None:
        raise VersionNotFound(of.kind, name, label)
    earlier = _earlier(tx, artifact, now)
    target = to or (earlier[0] if earlier else None)
    version = None if target is None else _version(tx, of, name, str(target))
    current = _version(tx, of, name, str(now.number))
    return _pages(request).render(
        request,
        "registry/rollback.html",
        of=of,
        artifact=artifact,
        label=now,
        offered=[(number, f"version {number}") for number in earlier],
        to=version,
        diff=None if version is None else difference(known, current, version),
        barred=commands.why_not(tx, Action.OPERATE, artifact, label),
    )


def roll_back(
    request: Request,
    name: str,
    label: str,
    tx: Write,
    of: Of,
    reason: Reason,
    to: Annotated[int, Form(ge=1)],
    now: Annotated[int, Form(ge=1)],
) -> Response:
    """Point the label back, if it still is where the person saw it."""
    commands.roll_back(tx, of.kind, name, label, reason=reason.strip(), to=to, expected=now)
    return _pages(request).redirect(f"{of.path}/{name}", notice="rolled_back")


ADDRESSES = (
    ("GET", "", list_page),
    ("GET", "/{name}", show_page),
    ("GET", "/{name}/diff", diff_page),
    ("GET", "/{name}/blame", blame_page),
    ("GET", "/{name}/propose", propose_page),
    ("POST", "/{name}/propose", propose),
    ("GET", "/{name}/labels/{label}/rollback", roll_back_page),
    ("POST", "/{name}/labels/{label}/rollback", roll_back),
)


def router(kinds: Iterable[KindPage]) -> APIRouter:
    """The pages of these kinds, each under its own path."""
    made = APIRouter(include_in_schema=False)
    for kind in kinds:
        for method, rest, answer in ADDRESSES:
            made.add_api_route(kind.path + rest, answer, methods=[method], response_model=None)
    return made


def difference(
    known: Mapping[str, Any], before: Version, after: Version, *, whole: bool = False
) -> Reading:
    """What changed between two versions of one kind, for reading."""
    shape = kind_of(known, before.kind)
    spans = word_diff(shape.text(shape.read(before.spec)), shape.text(shape.read(after.spec)))
    return read(spans, whole=whole)


def in_words(need: rules.Needs) -> list[str]:
    """What a change takes, one thing a line; empty where it is free."""
    words = [f"check {name!r} has to pass" for name in need.checks]
    if need.approvals:
        people = "one person" if need.approvals == 1 else f"{need.approvals} people"
        words.append(f"{people} other than the author approve")
    if need.risk_approvals:
        words.append("one of them in the risk role")
    if need.release:
        words.append("a release proves it on live traffic: gate, shadow, sample, canary")
    return words


def _shown(
    tx: Tx, artifact: Artifact, labels: list[Label], newest: Version, at: str
) -> Version:
    """The version somebody asks for; without asking the one in production, or the newest."""
    if not at and not any(one.label == PRODUCTION for one in labels):
        return newest
    return queries.version(
        tx, Ref.parse(f"{artifact.name}@{at or PRODUCTION}", kind=artifact.kind)
    )


def _version(tx: Tx, of: KindPage, name: str, at: str) -> Version:
    return queries.version(tx, Ref.parse(f"{name}@{at}" if at else name, kind=of.kind))


def _names(labels: Iterable[Label]) -> dict[int, list[str]]:
    """Which labels point at a version, by its number."""
    names: dict[int, list[str]] = {}
    for one in labels:
        names.setdefault(one.number, []).append(one.label)
    return names


def _earlier(tx: Tx, of: Artifact, now: Label) -> list[int]:
    """The versions that a label can go back to. First the one it would go to by itself."""
    moves = queries.label_history(tx, of.kind, of.name, now.label)
    first = store.before_it_came(tx, of, now)
    numbers = (first, *(number for move in moves for number in (move.before, move.after)))
    return [
        one
        for one in dict.fromkeys(numbers)
        if one is not None
        and one != now.number
        and store.left_by(tx, of, now.label, one) != "rollback"
    ]


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda one: order[one.severity.value])


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
