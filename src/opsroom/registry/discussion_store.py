"""The tables of comments on proposals, and of what people have looked at."""

from dataclasses import replace

from sqlalchemy import Column, Index, Integer, String, Table, Text, delete, func, insert, select

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .discussion import Comment
from .errors import CommentMoved

comments = Table(
    "proposal_comments",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("proposal", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_proposal_comments_proposal", "project", "proposal", "id"),
)

marks = Table(
    "proposal_marks",
    metadata,
    Column("project", String, primary_key=True),
    Column("proposal", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("part", String, primary_key=True),
    Column("digest", String(64), nullable=False),
)


def add(tx: Tx, one: Comment) -> None:
    tx.conn.execute(
        insert(comments).values(
            id=one.id, project=tx.project, proposal=one.proposal, revision=1, body=_body(one)
        )
    )


def save(tx: Tx, one: Comment) -> Comment:
    """Write what `one` has become, unless somebody else got there first."""
    now = replace(one, revision=one.revision + 1)
    values = {"revision": now.revision, "body": _body(now)}
    mine = comments.c.project == tx.project
    if not overwrite(tx, comments, one.id, mine, revision=one.revision, values=values):
        raise CommentMoved(one.id)
    return now


def comment(tx: Tx, comment_id: str) -> Comment | None:
    wanted = select(comments.c.body).where(
        comments.c.project == tx.project, comments.c.id == comment_id
    )
    body = tx.conn.execute(wanted.with_for_update()).scalar()
    return None if body is None else adapter(Comment).validate_json(body)


def of(tx: Tx, proposal_id: str, *, limit: int) -> list[Comment]:
    """What was said of a proposal, oldest first."""
    wanted = select(comments.c.body).where(
        comments.c.project == tx.project, comments.c.proposal == proposal_id
    )
    rows = tx.conn.execute(wanted.order_by(comments.c.id).limit(limit)).scalars()
    return [adapter(Comment).validate_json(body) for body in rows]


def count(tx: Tx, proposal_id: str) -> int:
    """How much was said of a proposal."""
    wanted = select(func.count()).where(
        comments.c.project == tx.project, comments.c.proposal == proposal_id
    )
    return int(tx.conn.execute(wanted).scalar_one())


def mark(tx: Tx, proposal_id: str, part: str, seen: str) -> None:
    """Note that the acting person looked at a part as it is now; empty takes that back."""
    mine = (
        marks.c.project == tx.project,
        marks.c.proposal == proposal_id,
        marks.c.person == tx.actor.name,
        marks.c.part == part,
    )
    tx.conn.execute(delete(marks).where(*mine))
    if seen:
        tx.conn.execute(
            insert(marks).values(
                project=tx.project,
                proposal=proposal_id,
                person=tx.actor.name,
                part=part,
                digest=seen,
            )
        )


def marked(tx: Tx, proposal_id: str) -> dict[str, str]:
    """What the acting person has looked at: digests by part."""
    wanted = select(marks.c.part, marks.c.digest).where(
        marks.c.project == tx.project,
        marks.c.proposal == proposal_id,
        marks.c.person == tx.actor.name,
    )
    return {str(part): str(seen) for part, seen in tx.conn.execute(wanted)}


def _body(one: Comment) -> str:
    return canonical(plain(one)).decode()
