"""What the registry's pages show of many artifacts at once, in a few statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from . import queries, store
from .kinds import Kinds
from .model import PRODUCTION, Artifact, Label, ProposalState, Ref
from .store import artifacts, labels, proposals, versions

MOST_USES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """The newest version of an artifact, without what it holds."""

    number: int
    author: str
    message: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An artifact in a list."""

    artifact: Artifact
    versions: int
    labels: dict[str, Label]
    newest: Newest | None
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A version that cites one of ours, `number`. It is its newest, or has labels."""

    kind: str
    name: str
    at: int
    number: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Citing(Wire):
    """A version that says something now: it is its artifact's newest, or has labels."""

    ref: str
    labels: tuple[str, ...]


def rows(
    tx: Tx, kind: str, *, after: str = "", limit: int, search: str = "", archived: bool = False
) -> list[Row]:
    """Artifacts of a kind by name, each with what a list says about it."""
    page = queries.artifacts(
        tx, kind, after=after, limit=limit, search=search, archived=archived
    )
    ids = [artifact.id for artifact, _, _ in page]
    newest, waiting = _newest(tx, ids), _open_proposals(tx, ids)
    return [
        Row(
            artifact=artifact,
            versions=count,
            labels={label.label: label for label in pointing},
            newest=newest.get(artifact.id),
            open=waiting.get(artifact.id, 0),
        )
        for artifact, count, pointing in page
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What serves under a label now."""

    kind: str
    name: str
    number: int
    newest: int
    since: datetime
    by: str


def live(tx: Tx, label: str = PRODUCTION, *, limit: int) -> list[Live]:
    """What a label names across all artifacts, the last move first."""
    newest = (
        select(func.max(versions.c.number))
        .where(versions.c.artifact == artifacts.c.id)
        .scalar_subquery()
    )
    wanted = (
        select(
            artifacts.c.kind,
            artifacts.c.name,
            labels.c.number,
            newest.label("newest"),
            labels.c.moved_at,
            labels.c.moved_by,
        )
        .join(labels, labels.c.artifact == artifacts.c.id)
        .where(*_serving(tx, label))
        .order_by(labels.c.moved_at.desc(), artifacts.c.kind, artifacts.c.name)
        .limit(limit)
    )
    return [
        Live(
            kind=row.kind,
            name=row.name,
            number=row.number,
            newest=row.newest,
            since=row.moved_at,
            by=row.moved_by,
        )
        for row in tx.conn.execute(wanted)
    ]


def count_live(tx: Tx, label: str = PRODUCTION) -> int:
    """How many artifacts a label points into."""
    wanted = (
        select(func.count())
        .select_from(labels.join(artifacts, labels.c.artifact == artifacts.c.id))
        .where(*_serving(tx, label))
    )
    return int(tx.conn.execute(wanted).scalar_one())


def _serving(tx: Tx, label: str) -> tuple[ColumnElement[bool], ...]:
    return (
        artifacts.c.project == tx.project,
        artifacts.c.archived_at.is_(None),
        labels.c.label == label,
    )


def columns(
    page: Sequence[Row], *, first: Sequence[str] = (PRODUCTION,), most: int = 3
) -> list[str]:
    """The labels worth a column: the environments `first`, the last of them foremost, then by how
    many artifacts have them.
    """
    counts: dict[str, int] = {}
    for row in page:
        for label in row.labels:
            counts[label] = counts.get(label, 0) + 1
    rank = {one: place for place, one in enumerate(reversed(first))}
    order = sorted(counts, key=lambda one: (rank.get(one, len(rank)), -counts[one], one))
    return order[: max(most, len(rank))]


def uses(tx: Tx, of: Artifact, *, kinds: Kinds) -> list[Use]:
    """Who cites an artifact now: in a newest version, or in one that a label points at.

    The text of the spec narrows it down; what the kind says it cites decides.
    """
    return [
        Use(kind=ref.kind, name=ref.name, at=int(ref.at), number=cited, labels=pointing)
        for ref, pointing in _saying(tx, f"{of.name}@")
        for cited in _cited(tx, of, ref.kind, ref.name, int(ref.at), kinds)
    ]


def citing(tx: Tx, text: str) -> list[Citing]:
    """Which versions say exactly `text` somewhere now: newest ones, and those with labels."""
    found = _saying(tx, canonical(text).decode())
    return [Citing(ref=str(ref), labels=pointing) for ref, pointing in found]


def _saying(tx: Tx, text: str) -> list[tuple[Ref, tuple[str, ...]]]:
    """Newest and labelled versions whose spec, as it is stored, has `text` in it."""
    every = versions.alias()
    newest = select(func.max(every.c.number)).where(every.c.artifact == artifacts.c.id)
    labelled = exists().where(
        labels.c.artifact == versions.c.artifact, labels.c.number == versions.c.number
    )
    wanted = (
        select(artifacts.c.kind, artifacts.c.name, artifacts.c.id, versions.c.number)
        .join(versions, versions.c.artifact == artifacts.c.id)
        .where(
            artifacts.c.project == tx.project,
            or_(versions.c.number == newest.scalar_subquery(), labelled),
            versions.c.spec.contains(text, autoescape=True),
        )
        .order_by(artifacts.c.kind, artifacts.c.name, versions.c.number.desc())
        .limit(MOST_USES)
    )
    found = tx.conn.execute(wanted).all()
    pointing = store.labels_of_many(tx, [row.id for row in found])
    return [
        (
            Ref(row.kind, row.name, str(row.number)),
            tuple(one.label for one in pointing.get(row.id, []) if one.number == row.number),
        )
        for row in found
    ]


def _cited(tx: Tx, of: Artifact, kind: str, name: str, number: int, kinds: Kinds) -> list[int]:
    """Which versions of `of` this version cites."""
    shape = kinds.get(kind)
    if shape is None:
        return []
    spec = shape.read(queries.version(tx, Ref(kind, name, str(number))).spec)
    cites = (Ref.parse(reference, kind=kind) for reference in shape.references(spec))
    return [
        ref.number
        for ref in cites
        if (ref.kind, ref.name) == (of.kind, of.name) and ref.number is not None
    ]


def _newest(tx: Tx, ids: Sequence[str]) -> dict[str, Newest]:
    last = (
        select(versions.c.artifact, func.max(versions.c.number).label("number"))
        .where(versions.c.artifact.in_(ids))
        .group_by(versions.c.artifact)
        .subquery()
    )
    wanted = select(
        versions.c.artifact,
        versions.c.number,
        versions.c.author,
        versions.c.message,
        versions.c.created_at,
    ).join(
        last, (versions.c.artifact == last.c.artifact) & (versions.c.number == last.c.number)
    )
    return {
        row.artifact: Newest(
            number=row.number,
            author=row.author,
            message=row.message,
            created_at=row.created_at,
        )
        for row in tx.conn.execute(wanted)
    }


def _open_proposals(tx: Tx, ids: Sequence[str]) -> dict[str, int]:
    wanted = (
        select(proposals.c.artifact, func.count().label("n"))
        .where(proposals.c.artifact.in_(ids), proposals.c.state == ProposalState.OPEN.value)
        .group_by(proposals.c.artifact)
    )
    return {row.artifact: row.n for row in tx.conn.execute(wanted)}
