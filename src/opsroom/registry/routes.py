"""The registry over HTTP: the same addresses for every kind."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request

from opsroom.access.errors import MayNot
from opsroom.access.http import Read, Write
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from . import commands, environments, queries
from .diff import Span, word_diff
from .errors import CountsAtOnce
from .kinds import Kinds, kind_of
from .model import (
    Artifact,
    ArtifactDraft,
    Criticality,
    Finding,
    Label,
    LabelMove,
    Ref,
    Version,
    VersionDraft,
)
from .proposals import lint

AUTHOR = "author"

router = APIRouter(prefix="/v1/artifacts", tags=["registry"])


def kinds(request: Request) -> Kinds:
    return cast("Kinds", request.app.state.kinds)


KnownKinds = Annotated[Kinds, Depends(kinds)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Before = Annotated[int | None, Query(ge=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArtifact(Wire):
    name: str
    owner: str = ""
    purpose: str = ""
    criticality: Criticality = Criticality.ASSISTIVE
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion(Wire):
    """A version that somebody makes now, in their own name. Where it is `proposed`, it is refused
    if it would count before a label is moved to it.
    """

    spec: dict[str, object]
    message: str = ""
    labels: tuple[str, ...] = ()
    proposed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTarget(Wire):
    number: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback(Wire):
    """Without `to`, back to the version that the present one replaced. `expected` is where
    the caller saw the label: of two people who go back at once, one is told so.
    """

    reason: str
    to: int | None = None
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Wire):
    """An artifact in a list, with how many versions it has and where its labels point."""

    artifact: Artifact
    versions: int
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactPage(Wire):
    """Artifacts by name. `next` is what to pass as `after` for the page after this one."""

    items: tuple[Listed, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Wire):
    """An artifact with its labels and its latest version; a fresh one has none yet."""

    artifact: Artifact
    labels: tuple[Label, ...]
    latest: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage(Wire):
    """Versions, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Version, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff(Wire):
    """What changed between two versions, in the text that people read."""

    before: str
    after: str
    spans: tuple[Span, ...]


@router.get("/{kind}")
def list_artifacts(
    kind: str,
    tx: Read,
    known: KnownKinds,
    after: str = "",
    search: str = "",
    *,
    archived: bool = False,
    limit: Limit = queries.PAGE,
) -> ArtifactPage:
    """Artifacts of a kind by name, each with its labels; with `archived`, those put away."""
    kind_of(known, kind)
    found = queries.artifacts(
        tx, kind, after=after, limit=limit, search=search, archived=archived
    )
    items = tuple(
        Listed(artifact=artifact, versions=count, labels=tuple(labels))
        for artifact, count, labels in found
    )
    return ArtifactPage(
        items=items, next=items[-1].artifact.name if len(items) == limit else None
    )


@router.post("/{kind}", status_code=201)
def create_artifact(kind: str, new: NewArtifact, tx: Write, known: KnownKinds) -> Artifact:
    """Make an artifact, or find the one of that name that is there."""
    draft = ArtifactDraft(
        kind=kind,
        name=new.name,
        owner=new.owner,
        purpose=new.purpose,
        criticality=new.criticality,
        tags=new.tags,
    )
    return commands.create_artifact(tx, draft, kinds=known)


@router.get("/{kind}/{name}")
def show_artifact(kind: str, name: str, tx: Read, known: KnownKinds) -> Shown:
    """An artifact, its labels and its latest version."""
    kind_of(known, kind)
    newest = queries.versions(tx, kind, name, limit=1)
    return Shown(
        artifact=queries.artifact(tx, kind, name),
        labels=tuple(queries.labels(tx, kind, name)),
        latest=newest[0] if newest else None,
    )


@router.get("/{kind}/{name}/versions")
def list_versions(
    kind: str, name: str, tx: Read, before: Before = None, limit: Limit = queries.PAGE
) -> VersionPage:
    """Versions of an artifact, newest first."""
    items = tuple(queries.versions(tx, kind, name, before=before, limit=limit))
    return VersionPage(items=items, next=items[-1].number if len(items) == limit else None)


@router.post("/{kind}/{name}/versions", status_code=201)
def create_version(
    kind: str, name: str, new: NewVersion, tx: Write, known: KnownKinds
) -> Version:
    """Store a new state; content that equals the latest version gives that version back."""
    authors = AUTHOR in tx.actor.may
    if new.labels and not authors:
        raise MayNot(tx.actor.name, AUTHOR)  # whoever may only propose moves no label
    if new.proposed or not authors:
        shape = kind_of(known, kind)
        if queries.counts_at_once(tx, shape, name):
            raise CountsAtOnce(f"{kind}/{name}")
    draft = VersionDraft(spec=new.spec, message=new.message, labels=new.labels)
    return commands.create_version(tx, kind, name, draft, kinds=known)


@router.get("/{kind}/{name}/versions/{at}")
def show_version(kind: str, name: str, at: str, tx: Read) -> Version:
    """One version, by number or by label."""
    return _version(tx, kind, name, at)


@router.get("/{kind}/{name}/versions/{at}/lint")
def lint_version(kind: str, name: str, at: str, tx: Read, known: KnownKinds) -> list[Finding]:
    """What the linter of the kind says, compared with the version before."""
    return lint(tx, _version(tx, kind, name, at), kinds=known)


@router.get("/{kind}/{name}/diff")
def diff_versions(
    kind: str, name: str, before: str, after: str, tx: Read, known: KnownKinds
) -> Diff:
    """What changed between two versions, word by word."""
    old, new = _version(tx, kind, name, before), _version(tx, kind, name, after)
    shape = kind_of(known, kind)
    spans = word_diff(shape.text(shape.read(old.spec)), shape.text(shape.read(new.spec)))
    return Diff(before=old.ref, after=new.ref, spans=spans)


@router.get("/{kind}/{name}/labels")
def list_labels(kind: str, name: str, tx: Read) -> list[Label]:
    """Where the labels of an artifact point."""
    return queries.labels(tx, kind, name)


@router.get("/{kind}/{name}/label-history")
def label_history(
    kind: str, name: str, tx: Read, label: str | None = None, limit: Limit = queries.PAGE
) -> list[LabelMove]:
    """How the labels of an artifact moved, newest first."""
    return queries.label_history(tx, kind, name, label, limit=limit)


@router.put("/{kind}/{name}/labels/{label}")
def set_label(kind: str, name: str, label: str, target: LabelTarget, tx: Write) -> Label:
    """Point a label that nobody serves from at a version."""
    return commands.set_label(tx, kind, name, label, target.number, reason=target.reason)


@router.post("/{kind}/{name}/labels/{label}/rollback")
def roll_back(kind: str, name: str, label: str, back: Rollback, tx: Write) -> Label:
    """Point a label back at a version that had it before."""
    return commands.roll_back(
        tx, kind, name, label, reason=back.reason, to=back.to, expected=back.expected
    )


def _version(tx: Tx, kind: str, name: str, at: str) -> Version:
    environments.check_within(tx, at)
    return queries.version(tx, Ref.parse(f"{name}@{at}", kind=kind))
