"""The tables of the calendar: occasions, what a project chose, feeds, and when to look again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
)

from opsroom.kit import choices
from opsroom.kit.db import Tx, Utc, insert_missing, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .errors import OccasionMoved
from .model import LIVE, Kind, Occasion, Period, Settings, State, Waiting, title

occasions = Table(
    "occasions",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("period", String, nullable=False),
    Column("because", Text, nullable=False),
    Column("owner", String, nullable=False),
    Column("state", String, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("first_due", Utc, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("questions", JSON, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("moves", JSON, nullable=False),
    Column("started_at", Utc),
    Column("started_by", String, nullable=False),
    Column("closed_at", Utc),
    Column("closed_by", String, nullable=False),
    Column("note", Text, nullable=False),
    Column("reminded", Integer, nullable=False),
    Column("remind_at", Utc, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("uq_occasions_one", "project", "kind", "subject", "period", unique=True),
    Index("ix_occasions_project_due", "project", "due_at", "id"),
    Index("ix_occasions_project_state", "project", "state", "remind_at"),
)

choices_of = Table(
    "cadence_settings",
    metadata,
    Column("project", String, primary_key=True),
    Column("settings", Text, nullable=False),
)

feeds = Table(
    "cadence_feeds",
    metadata,
    Column("secret", String(64), primary_key=True),
    Column("project", String, nullable=False),
    Column("person", String, nullable=False),
    Column("created_at", Utc, nullable=False),
    Index("ix_cadence_feeds_project_person", "project", "person"),
)

clocks = Table(
    "cadence_clocks",
    metadata,
    Column("project", String, primary_key=True),
    Column("next_at", Utc, nullable=False),
)

SHAPED = ("answers", "evidence", "moves", "questions")


@dataclass(frozen=True, slots=True)
class Feed:
    project: str
    person: str


def add_missing(tx: Tx, some: Sequence[Occasion]) -> list[Occasion]:
    """Insert those whose kind, subject and period are not there; return those that were."""
    return [one for one in some if insert_missing(tx, occasions, [_row(tx, one)])]


def save(tx: Tx, one: Occasion) -> Occasion:
    """Write what `one` has become, unless somebody else got there first."""
    values = {**_row(tx, one), "revision": one.revision + 1}
    mine = occasions.c.project == tx.project
    if not overwrite(tx, occasions, one.id, mine, revision=one.revision, values=values):
        raise OccasionMoved(one.id)
    return _occasion({**values})


def occasion(tx: Tx, occasion_id: str, *, lock: bool = False) -> Occasion | None:
    wanted = select(occasions).where(
        occasions.c.project == tx.project, occasions.c.id == occasion_id
    )
    if lock:
        wanted = wanted.with_for_update()
    row = tx.conn.execute(wanted).mappings().first()
    return None if row is None else _occasion(row)


def live(
    tx: Tx,
    *,
    kind: Kind | None = None,
    subject: str = "",
    until: datetime | None = None,
    limit: int,
) -> list[Occasion]:
    """What is open or started, the earliest due first."""
    wanted = select(occasions).where(*_live(tx))
    if kind is not None:
        wanted = wanted.where(occasions.c.kind == kind.value)
    if subject:
        wanted = wanted.where(occasions.c.subject == subject)
    if until is not None:
        wanted = wanted.where(occasions.c.due_at <= until)
    rows = tx.conn.execute(wanted.order_by(occasions.c.due_at, occasions.c.id).limit(limit))
    return [_occasion(row) for row in rows.mappings()]


def waiting(tx: Tx, *, owners: Collection[str], until: datetime, limit: int) -> list[Waiting]:
    """What is live and due by then of these owners, the earliest first, without its evidence."""
    at = occasions.c
    wanted = (
        select(at.id, at.kind, at.subject, at.due_at)
        .where(*_live(tx), at.owner.in_(owners), at.due_at <= until)
        .order_by(at.due_at, at.id)
        .limit(limit)
    )
    return [
        Waiting(id=row.id, title=title(Kind(row.kind), row.subject), due_at=row.due_at)
        for row in tx.conn.execute(wanted)
    ]


def stale(tx: Tx, kind: Kind, period: Period, *, limit: int) -> list[Occasion]:
    """What nobody began of a kind, of other periods than this one."""
    wanted = select(occasions).where(
        occasions.c.project == tx.project,
        occasions.c.state == State.OPEN.value,
        occasions.c.kind == kind.value,
        occasions.c.period.not_in(_keys(period)),
    )
    rows = tx.conn.execute(wanted.order_by(occasions.c.id).limit(limit)).mappings()
    return [_occasion(row) for row in rows]


def to_remind(tx: Tx, *, limit: int) -> list[Occasion]:
    """What is overdue, and was not said to be lately."""
    wanted = select(occasions).where(*_live(tx), occasions.c.remind_at <= tx.now)
    rows = tx.conn.execute(wanted.order_by(occasions.c.remind_at).limit(limit)).mappings()
    return [_occasion(row) for row in rows]


def subjects(tx: Tx, kind: Kind, period: Period) -> set[str]:
    wanted = select(occasions.c.subject).where(
        occasions.c.project == tx.project,
        occasions.c.kind == kind.value,
        occasions.c.period.in_(_keys(period)),
    )
    return set(tx.conn.execute(wanted).scalars())


def of_period(tx: Tx, kind: Kind, period: str, *, limit: int) -> list[Occasion]:
    """What came up in a period, by subject."""
    wanted = select(occasions).where(
        occasions.c.project == tx.project,
        occasions.c.kind == kind.value,
        occasions.c.period == period,
    )
    rows = tx.conn.execute(wanted.order_by(occasions.c.subject).limit(limit)).mappings()
    return [_occasion(row) for row in rows]


def between(
    tx: Tx, since: datetime, until: datetime, *, states: Collection[State] = (), limit: int
) -> list[Occasion]:
    """What is or was due in this time, earliest first."""
    wanted = select(occasions).where(
        occasions.c.project == tx.project,
        occasions.c.due_at >= since,
        occasions.c.due_at < until,
    )
    if states:
        wanted = wanted.where(occasions.c.state.in_([one.value for one in states]))
    rows = tx.conn.execute(wanted.order_by(occasions.c.due_at, occasions.c.id).limit(limit))
    return [_occasion(row) for row in rows.mappings()]


def latest(
    tx: Tx,
    *,
    kind: Kind | None = None,
    subject: str = "",
    before: str | None = None,
    limit: int,
) -> list[Occasion]:
    """Newest first."""
    wanted = select(occasions).where(occasions.c.project == tx.project)
    if kind is not None:
        wanted = wanted.where(occasions.c.kind == kind.value)
    if subject:
        wanted = wanted.where(occasions.c.subject == subject)
    if before is not None:
        wanted = wanted.where(occasions.c.id < before)
    rows = tx.conn.execute(wanted.order_by(occasions.c.id.desc()).limit(limit)).mappings()
    return [_occasion(row) for row in rows]


def count_overdue(tx: Tx) -> int:
    wanted = select(func.count()).where(*_live(tx), occasions.c.due_at < tx.now)
    return int(tx.conn.execute(wanted).scalar_one())


def settings(tx: Tx) -> Settings:
    return choices.load(tx, choices_of, Settings)


def save_settings(tx: Tx, new: Settings) -> None:
    choices.save(tx, choices_of, new)


def renew_feed(tx: Tx, secret: str, person: str) -> None:
    """Let a person have this address and no older one."""
    mine = (feeds.c.project == tx.project, feeds.c.person == person)
    tx.conn.execute(delete(feeds).where(*mine))
    tx.conn.execute(
        insert(feeds).values(
            secret=secret, project=tx.project, person=person, created_at=tx.now
        )
    )


def feed(tx: Tx, secret: str) -> Feed | None:
    row = tx.conn.execute(select(feeds).where(feeds.c.secret == secret)).first()
    return Feed(row.project, row.person) if row else None


def _keys(period: Period) -> tuple[str, str]:
    return period.key, period.old_key


def _live(tx: Tx) -> tuple[Any, ...]:
    states = [one.value for one in LIVE]
    return occasions.c.project == tx.project, occasions.c.state.in_(states)


def _row(tx: Tx, one: Occasion) -> dict[str, Any]:
    told = plain(one)
    return {
        **{name: getattr(one, name) for name in Occasion.__dataclass_fields__},
        **{name: told[name] for name in SHAPED},
        "project": tx.project,
        "kind": one.kind.value,
        "state": one.state.value,
    }


def _occasion(row: RowMapping | dict[str, Any]) -> Occasion:
    values = {name: row[name] for name in Occasion.__dataclass_fields__}
    return adapter(Occasion).validate_python(values)
