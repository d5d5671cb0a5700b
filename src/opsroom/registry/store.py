"""The registry's tables: artifacts, versions, labels with their history, proposals."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, metadata, overwrite

from .errors import LabelMoved, ProposalMoved
from .model import (
    Artifact,
    Check,
    Criticality,
    Label,
    LabelMove,
    Proposal,
    ProposalState,
    Ref,
    Stamp,
    Version,
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("criticality", String, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("created_by", String, nullable=False),
    Column("archived_at", Utc),
    Index("uq_artifacts_name", "project", "kind", "name", unique=True),
)

versions = Table(
    "versions",
    metadata,
    Column("artifact", String, ForeignKey("artifacts.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("spec", Text, nullable=False),
    Column("author", String, nullable=False),
    Column("made_by", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("parent", Integer),
    Column("reverts", Integer),
    Column("source", String),
    Column("created_at", Utc, nullable=False),
    Index("uq_versions_source", "artifact", "source", unique=True),
    Index("ix_versions_digest", "artifact", "digest"),
)

labels = Table(
    "labels",
    metadata,
    Column("artifact", String, ForeignKey("artifacts.id"), primary_key=True),
    Column("label", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("moved_at", Utc, nullable=False),
    Column("moved_by", String, nullable=False),
    Column("revision", Integer, nullable=False),
)

label_moves = Table(
    "label_moves",
    metadata,
    Column("id", String, primary_key=True),
    Column("artifact", String, ForeignKey("artifacts.id"), nullable=False),
    Column("label", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("before", Integer),
    Column("after", Integer, nullable=False),
    Column("how", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Utc, nullable=False),
    Index("uq_label_moves_revision", "artifact", "label", "revision", unique=True),
    Index("ix_label_moves_artifact", "artifact", "id"),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", String, primary_key=True),
    Column("artifact", String, ForeignKey("artifacts.id"), nullable=False),
    Column("label", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("base", Integer),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("author", String, nullable=False),
    Column("state", String, nullable=False),
    Column("checks", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("ix_proposals_artifact", "artifact", "state"),
)


def add_artifact(tx: Tx, artifact: Artifact) -> bool:
    """Add an artifact; False when somebody was faster with the same name."""
    values = {name: getattr(artifact, name) for name in Artifact.__dataclass_fields__}
    values |= {"project": tx.project, "tags": list(artifact.tags)}
    try:
        with tx.conn.begin_nested():
            tx.conn.execute(insert(artifacts).values(values))
    except IntegrityError:
        return False
    return True


def artifact(tx: Tx, kind: str, name: str) -> Artifact | None:
    wanted = select(artifacts).where(
        artifacts.c.project == tx.project, artifacts.c.kind == kind, artifacts.c.name == name
    )
    row = tx.conn.execute(wanted).mappings().first()
    return _artifact(row) if row else None


def set_archived(tx: Tx, artifact_id: str, at: datetime | None) -> None:
    tx.conn.execute(
        update(artifacts).where(artifacts.c.id == artifact_id).values(archived_at=at)
    )


def lock_artifact(tx: Tx, artifact_id: str) -> None:
    """Hold everybody else off this artifact until the transaction ends, so that version
    numbers have no gaps. (SQLite has one writer anyway and ignores the clause.)
    """
    tx.conn.execute(
        select(artifacts.c.id).where(artifacts.c.id == artifact_id).with_for_update()
    )


def artifacts_page(
    tx: Tx, kind: str, *, after: str = "", limit: int, search: str = "", archived: bool = False
) -> list[tuple[Artifact, int]]:
    """Artifacts of a kind by name, from `after` on, each with its number of versions."""
    count = select(func.count()).where(versions.c.artifact == artifacts.c.id).scalar_subquery()
    wanted = (
        select(artifacts, count.label("count"))
        .where(
            artifacts.c.project == tx.project,
            artifacts.c.kind == kind,
            artifacts.c.name > after,
            _shelved(archived),
        )
        .order_by(artifacts.c.name)
        .limit(limit)
    )
    if search:
        wanted = wanted.where(artifacts.c.name.contains(search, autoescape=True))
    return [(_artifact(row), row["count"]) for row in tx.conn.execute(wanted).mappings()]


def _shelved(archived: bool) -> ColumnElement[bool]:
    return (
        artifacts.c.archived_at.is_not(None) if archived else artifacts.c.archived_at.is_(None)
    )


def count_artifacts(tx: Tx, *, archived: bool = False) -> dict[str, int]:
    """How many artifacts of each kind this project has."""
    rows = tx.conn.execute(
        select(artifacts.c.kind, func.count())
        .where(artifacts.c.project == tx.project, _shelved(archived))
        .group_by(artifacts.c.kind)
    )
    return {kind: count for kind, count in rows}  # noqa: C416  # a result has keys() of its own


def add_version(tx: Tx, artifact_id: str, version: Version) -> None:
    tx.conn.execute(
        insert(versions).values(
            artifact=artifact_id,
            number=version.number,
            digest=version.digest,
            spec=canonical(version.spec).decode(),
            author=version.author,
            made_by=version.made_by,
            message=version.message,
            parent=version.parent,
            reverts=version.reverts,
            source=version.source,
            created_at=version.created_at,
        )
    )


def version(tx: Tx, of: Artifact, number: int) -> Version | None:
    return _one(tx, of, versions.c.number == number)


# Every action and every prompt that is read asks this; it is put together once.
_STAMP = (
    select(versions.c.artifact, versions.c.number, versions.c.digest)
    .join(artifacts, artifacts.c.id == versions.c.artifact)
    .where(
        artifacts.c.project == bindparam("project"),
        artifacts.c.kind == bindparam("kind"),
        artifacts.c.name == bindparam("name"),
    )
)
_STAMP_OF_NUMBER = _STAMP.where(versions.c.number == bindparam("number"))
_STAMP_OF_LABEL = _STAMP.join(
    labels,
    and_(labels.c.artifact == versions.c.artifact, labels.c.number == versions.c.number),
).where(labels.c.label == bindparam("label"))


def stamp(tx: Tx, ref: Ref) -> Stamp | None:
    """Which version a number or a label names, in one look and without reading its spec."""
    asked = {"project": tx.project, "kind": ref.kind, "name": ref.name}
    if ref.number is not None:
        row = tx.conn.execute(_STAMP_OF_NUMBER, asked | {"number": ref.number}).first()
    else:
        row = tx.conn.execute(_STAMP_OF_LABEL, asked | {"label": ref.at}).first()
    return Stamp(artifact=row[0], number=row[1], digest=row[2]) if row else None


def latest(tx: Tx, of: Artifact) -> Version | None:
    wanted = select(versions).where(versions.c.artifact == of.id)
    row = tx.conn.execute(wanted.order_by(versions.c.number.desc()).limit(1)).mappings().first()
    return _version(of, row) if row else None


def version_from(tx: Tx, of: Artifact, source: str) -> Version | None:
    return _one(tx, of, versions.c.source == source)


def earliest_with(tx: Tx, of: Artifact, digest: str) -> int | None:
    """The number of the first version with this content."""
    wanted = select(func.min(versions.c.number)).where(
        versions.c.artifact == of.id, versions.c.digest == digest
    )
    return tx.conn.execute(wanted).scalar()


def versions_page(tx: Tx, of: Artifact, *, before: int | None, limit: int) -> list[Version]:
    """Versions, newest first."""
    wanted = select(versions).where(versions.c.artifact == of.id)
    if before is not None:
        wanted = wanted.where(versions.c.number < before)
    rows = tx.conn.execute(wanted.order_by(versions.c.number.desc()).limit(limit)).mappings()
    return [_version(of, row) for row in rows]


def versions_after(tx: Tx, of: Artifact, number: int, *, limit: int) -> list[Version]:
    """Versions from `number` on, oldest first."""
    wanted = select(versions).where(versions.c.artifact == of.id, versions.c.number > number)
    rows = tx.conn.execute(wanted.order_by(versions.c.number).limit(limit)).mappings()
    return [_version(of, row) for row in rows]


def digests_of(tx: Tx, of: Artifact) -> list[str]:
    """The digests of all versions, oldest first."""
    wanted = select(versions.c.digest).where(versions.c.artifact == of.id)
    return list(tx.conn.execute(wanted.order_by(versions.c.number)).scalars())


def label(tx: Tx, of: Artifact, name: str) -> Label | None:
    wanted = select(labels).where(labels.c.artifact == of.id, labels.c.label == name)
    row = tx.conn.execute(wanted).mappings().first()
    return _label(row) if row else None


def labels_of(tx: Tx, of: Artifact) -> list[Label]:
    wanted = select(labels).where(labels.c.artifact == of.id).order_by(labels.c.label)
    return [_label(row) for row in tx.conn.execute(wanted).mappings()]


def labels_of_many(tx: Tx, artifact_ids: list[str]) -> dict[str, list[Label]]:
    """The labels of several artifacts at once, by artifact id."""
    wanted = select(labels).where(labels.c.artifact.in_(artifact_ids)).order_by(labels.c.label)
    found: dict[str, list[Label]] = {}
    for row in tx.conn.execute(wanted).mappings():
        found.setdefault(row["artifact"], []).append(_label(row))
    return found


def move_label(tx: Tx, of: Artifact, move: LabelMove, was: Label | None) -> None:
    """Point a label elsewhere, unless somebody else has moved it since `was` was read."""
    values = {"number": move.after, "moved_at": move.at, "moved_by": move.by}
    if was is None:
        tx.conn.execute(
            insert(labels).values(artifact=of.id, label=move.label, revision=1, **values)
        )
    else:
        done = tx.conn.execute(
            update(labels)
            .where(
                labels.c.artifact == of.id,
                labels.c.label == move.label,
                labels.c.revision == was.revision,
            )
            .values(revision=was.revision + 1, **values)
        )
        if done.rowcount == 0:
            raise LabelMoved(of.name, move.label)
    facts = {name: getattr(move, name) for name in LabelMove.__dataclass_fields__}
    tx.conn.execute(insert(label_moves).values(artifact=of.id, **facts))


def moves_of(tx: Tx, of: Artifact, name: str | None = None, *, limit: int) -> list[LabelMove]:
    """The history of the labels of an artifact (or of one label), newest first."""
    wanted = select(label_moves).where(label_moves.c.artifact == of.id)
    if name is not None:
        wanted = wanted.where(label_moves.c.label == name)
    order = label_moves.c.id if name is None else label_moves.c.revision
    rows = tx.conn.execute(wanted.order_by(order.desc()).limit(limit)).mappings()
    return [LabelMove(**{k: v for k, v in row.items() if k != "artifact"}) for row in rows]


def all_moves(tx: Tx, of: Artifact) -> list[LabelMove]:
    """The whole history of the labels of an artifact, label by label, oldest first."""
    rows = tx.conn.execute(select(label_moves).where(label_moves.c.artifact == of.id))
    moves = [
        LabelMove(**{k: v for k, v in row.items() if k != "artifact"})
        for row in rows.mappings()
    ]
    # Databases do not agree on how texts are sorted.
    return sorted(moves, key=lambda one: (one.label, one.revision))


def before_it_came(tx: Tx, of: Artifact, now: Label) -> int | None:
    """Where a label was before it was pointed at its present version, other than by going back."""
    wanted = select(label_moves.c.before).where(
        label_moves.c.artifact == of.id,
        label_moves.c.label == now.label,
        label_moves.c.after == now.number,
        label_moves.c.how != "rollback",
    )
    return tx.conn.execute(wanted.order_by(label_moves.c.revision.desc()).limit(1)).scalar()


def had_label(tx: Tx, of: Artifact, name: str, number: int) -> bool:
    """Whether a version ever had this label."""
    wanted = select(label_moves.c.id).where(
        label_moves.c.artifact == of.id,
        label_moves.c.label == name,
        label_moves.c.after == number,
    )
    return tx.conn.execute(wanted.limit(1)).first() is not None


def left_by(tx: Tx, of: Artifact, name: str, number: int) -> str | None:
    """How a label last left a version: merge, release, rollback …; None if it never did."""
    wanted = (
        select(label_moves.c.how)
        .where(
            label_moves.c.artifact == of.id,
            label_moves.c.label == name,
            label_moves.c.before == number,
        )
        .order_by(label_moves.c.revision.desc())
        .limit(1)
    )
    return tx.conn.execute(wanted).scalar()


def add_proposal(tx: Tx, of: Artifact, proposal: Proposal) -> None:
    tx.conn.execute(insert(proposals).values(id=proposal.id, artifact=of.id, **_row(proposal)))


def proposal(tx: Tx, proposal_id: str) -> Proposal | None:
    wanted = _proposals().where(
        artifacts.c.project == tx.project, proposals.c.id == proposal_id
    )
    row = tx.conn.execute(wanted).mappings().first()
    return _proposal(row) if row else None


def proposals_page(
    tx: Tx,
    *,
    state: ProposalState | None = None,
    of: Artifact | None = None,
    number: int | None = None,
    before: str | None = None,
    limit: int,
) -> list[Proposal]:
    """Proposals of this project, newest first; those of something, or of one version of it."""
    wanted = _proposals().where(artifacts.c.project == tx.project)
    if state is not None:
        wanted = wanted.where(proposals.c.state == state.value)
    if of is not None:
        wanted = wanted.where(proposals.c.artifact == of.id)
    if number is not None:
        wanted = wanted.where(proposals.c.number == number)
    if before is not None:
        wanted = wanted.where(proposals.c.id < before)
    rows = tx.conn.execute(wanted.order_by(proposals.c.id.desc()).limit(limit)).mappings()
    return [_proposal(row) for row in rows]


def save_proposal(tx: Tx, proposal: Proposal, *, was: Proposal) -> None:
    """Write `proposal` over `was`, unless somebody else got there first."""
    if not overwrite(tx, proposals, was.id, revision=was.revision, values=_row(proposal)):
        raise ProposalMoved(was.id)


def _one(tx: Tx, of: Artifact, condition: Any) -> Version | None:
    wanted = select(versions).where(versions.c.artifact == of.id, condition)
    row = tx.conn.execute(wanted).mappings().first()
    return _version(of, row) if row else None


def _artifact(row: RowMapping) -> Artifact:
    known = {name: row[name] for name in Artifact.__dataclass_fields__}
    known |= {"criticality": Criticality(row["criticality"]), "tags": tuple(row["tags"])}
    return Artifact(**known)


def _version(of: Artifact, row: RowMapping) -> Version:
    data = {k: v for k, v in row.items() if k != "artifact"}
    return Version(kind=of.kind, name=of.name, **{**data, "spec": json.loads(row["spec"])})


def _label(row: RowMapping) -> Label:
    return Label(**{k: v for k, v in row.items() if k != "artifact"})


def _proposals() -> Any:
    return select(proposals, artifacts.c.kind, artifacts.c.name).join(
        artifacts, artifacts.c.id == proposals.c.artifact
    )


def _row(proposal: Proposal) -> dict[str, Any]:
    own = {"id", "kind", "name", "checks", "state"}
    values = {n: getattr(proposal, n) for n in Proposal.__dataclass_fields__ if n not in own}
    checks = [
        {n: getattr(check, n) for n in Check.__dataclass_fields__} for check in proposal.checks
    ]
    return {**values, "state": proposal.state.value, "checks": checks}


def _proposal(row: RowMapping) -> Proposal:
    data = {name: row[name] for name in Proposal.__dataclass_fields__}
    data |= {
        "state": ProposalState(row["state"]),
        "checks": tuple(Check(**check) for check in row["checks"]),
    }
    return Proposal(**data)
