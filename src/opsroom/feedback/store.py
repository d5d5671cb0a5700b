"""The tables of feedback: what was said, and who was refused. What figures count is marked at
writing, so that a figure is one pass over an index. Who weighs a voice holds it (`hold`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    insert,
    select,
    text,
    update,
)

from opsroom.kit import shredding
from opsroom.kit.db import Tx, Utc, alone, insert_missing, metadata

from .model import (
    DAY,
    HOUR,
    MOST_OF_REPORTER,
    Feedback,
    FeedbackDraft,
    Heard,
    Source,
    State,
    about_of,
    alone_for,
)

# Spelt out, since an index over some rows is only used by who asks for the same in the same words.
_KEYED = text("key <> ''")
_WORDED = text("(text <> '' OR reasoning <> '')")
_INTENDED = text("(intent <> '' AND use_case <> '')")
_WAITS = text("look_at IS NOT NULL")

feedback = Table(
    "feedback",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("source", String, nullable=False),
    Column("key", String, nullable=False),
    Column("by", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("version", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("release", String),
    Column("arm", String, nullable=False),
    Column("turn", String, nullable=False),
    Column("trace", String, nullable=False),
    Column("use_case", String, nullable=False),
    Column("intent", Text, nullable=False),
    Column("helpful", Boolean),
    Column("accurate", Boolean),
    Column("complete", Boolean),
    Column("text", Text, nullable=False),
    Column("confidence", Float),
    Column("sources", JSON, nullable=False),
    Column("reasoning", Text, nullable=False),
    Column("kpi", String, nullable=False),
    Column("value", String),  # exact, as it was given
    Column("amount", Float),  # the same for arithmetic
    Column("unit", String, nullable=False),
    Column("known_at", Utc),
    Column("state", String, nullable=False),
    Column("because", Text, nullable=False),
    Column("counts", Boolean, nullable=False),
    Column("joined", Boolean, nullable=False),
    Column("reported_by", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("released_by", String, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("about", String, nullable=False),  # what a voice is heard of once
    Column("look_at", Utc),  # when to look for its work again, while that is not known
    Index("ix_feedback_project_id", "project", "id"),
    Index("ix_feedback_project_about", "project", "about", "source", "by", "kpi"),
    Index("ix_feedback_project_subject_id", "project", "subject", "id"),
    Index("ix_feedback_project_trace", "project", "trace", "id"),
    Index("ix_feedback_project_by", "project", "by", "source", "at"),
    Index("ix_feedback_counted", "project", "counts", "source", "at"),
    Index("ix_feedback_project_state", "project", "state", "by", "id"),
    Index(
        "ix_feedback_waits",
        "project",
        "look_at",
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    ),
    Index(
        "ix_feedback_intended",
        "project",
        "counts",
        "id",
        sqlite_where=_INTENDED,
        postgresql_where=_INTENDED,
    ),
    Index(
        "uq_feedback_key",
        "project",
        "key",
        unique=True,
        sqlite_where=_KEYED,
        postgresql_where=_KEYED,
    ),
    Index(
        "ix_feedback_worded", "project", "id", sqlite_where=_WORDED, postgresql_where=_WORDED
    ),
)

# One row for each voice that went too far, however often it is refused.
floods = Table(
    "feedback_floods",
    metadata,
    Column("project", String, primary_key=True),
    Column("by", String, primary_key=True),
    Column("refused", Integer, nullable=False),
    Column("last_at", Utc, nullable=False),
)

# What is asked of everything that comes in is put together once; building a statement takes
# longer than running it.
_OF_VOICE = (
    feedback.c.project == bindparam("project"),
    feedback.c.by == bindparam("by"),
    feedback.c.source == bindparam("source"),
)
_SAME_WORK = and_(
    feedback.c.about == bindparam("about"), feedback.c.at > bindparam("hour", type_=Utc)
)
_TODAY = feedback.c.at > bindparam("day", type_=Utc)
_OF_USER = select(
    func.coalesce(func.sum(case((_SAME_WORK, 1), else_=0)), 0),
    func.coalesce(
        func.sum(case((feedback.c.at > bindparam("hour", type_=Utc), 1), else_=0)), 0
    ),
    func.count(),
).where(*_OF_VOICE, _TODAY, feedback.c.released_by == "")
# An index answers both, so that a reporter who says much does not make its own reports slow.
_OF_REPORTER = select(
    select(func.count()).where(*_OF_VOICE, _SAME_WORK).scalar_subquery(),
    select(func.count())
    .select_from(
        select(feedback.c.at).where(*_OF_VOICE, _TODAY).limit(MOST_OF_REPORTER).subquery()
    )
    .scalar_subquery(),
)


def hold(tx: Tx, which: Iterable[FeedbackDraft]) -> None:
    """Let nobody else weigh these voices until the transaction ends. Several at once, or one."""
    alone(tx, (name for one in which for name in alone_for(tx.project, one)))


def add(tx: Tx, one: Feedback, *, intent: str) -> None:
    look_at = None if one.joined else one.at
    row = {"project": tx.project, "intent": intent, "look_at": look_at, **_row(one)}
    row = shredding.seal_fields(tx, one.ref, row, _WORDS)
    tx.conn.execute(insert(feedback).values(row))
    _recount(tx, one)


def join(tx: Tx, one: Feedback, *, intent: str) -> None:
    """Write what is known of the subject of feedback that is there already."""
    row = {name: value for name, value in _row(one).items() if name in _JOINED}
    row |= {"intent": intent, "look_at": None}
    row = shredding.seal_fields(tx, one.ref, row, _WORDS)
    tx.conn.execute(update(feedback).where(*_mine(tx, one.id)).values(row))
    _recount(tx, one)


def look_again(tx: Tx, feedback_id: str, at: datetime | None) -> None:
    """Look for the work of what was said then; None: never again."""
    tx.conn.execute(update(feedback).where(*_mine(tx, feedback_id)).values(look_at=at))


def found(tx: Tx, feedback_id: str) -> Feedback | None:
    row = tx.conn.execute(select(feedback).where(*_mine(tx, feedback_id))).mappings().first()
    return None if row is None else _opened(tx, [row])[0]


def of_key(tx: Tx, key: str) -> Feedback | None:
    wanted = select(feedback).where(
        feedback.c.project == tx.project, feedback.c.key == key, _KEYED
    )
    row = tx.conn.execute(wanted).mappings().first()
    return None if row is None else _opened(tx, [row])[0]


def those(tx: Tx, ids: Sequence[str]) -> list[Feedback]:
    """The feedback of these ids, as it is now."""
    wanted = select(feedback).where(feedback.c.project == tx.project, feedback.c.id.in_(ids))
    return _opened(tx, tx.conn.execute(wanted).mappings().all())


def strangers(tx: Tx, subjects: Sequence[str], *, limit: int) -> list[Feedback]:
    """Feedback about these subjects whose work was not known when it came."""
    wanted = select(feedback).where(
        feedback.c.project == tx.project,
        feedback.c.subject.in_(subjects),
        feedback.c.joined.is_(False),
    )
    return _opened(tx, tx.conn.execute(wanted.limit(limit)).mappings().all())


def waiting(tx: Tx, *, limit: int) -> list[Feedback]:
    """Feedback whose work is to be looked for by now, what has waited longest first."""
    wanted = select(feedback).where(
        feedback.c.project == tx.project, _WAITS, feedback.c.look_at <= tx.now
    )
    rows = tx.conn.execute(wanted.order_by(feedback.c.look_at).limit(limit)).mappings()
    return _opened(tx, rows.all())


def page(
    tx: Tx,
    *,
    subject: str | None = None,
    trace: str | None = None,
    agent: str | None = None,
    version: str | None = None,
    source: Source | None = None,
    state: State | None = None,
    use_case: str | None = None,
    kpi: str | None = None,
    by: str | None = None,
    counted: bool | None = None,
    with_text: bool = False,
    before: str | None = None,
    limit: int,
) -> list[Feedback]:
    """Feedback of this project, newest first."""
    wanted = select(feedback).where(feedback.c.project == tx.project)
    for column, value in (
        (feedback.c.subject, subject),
        (feedback.c.trace, trace),
        (feedback.c.agent, agent),
        (feedback.c.version, version),
        (feedback.c.source, source and source.value),
        (feedback.c.state, state and state.value),
        (feedback.c.use_case, use_case),
        (feedback.c.kpi, kpi),
        (feedback.c.by, by),
        (feedback.c.counts, counted),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if with_text:
        wanted = wanted.where(_WORDED)
    if before is not None:
        wanted = wanted.where(feedback.c.id < before)
    rows = tx.conn.execute(wanted.order_by(feedback.c.id.desc()).limit(limit)).mappings()
    return _opened(tx, rows.all())


def heard(tx: Tx, source: Source, by: str, about: str) -> Heard:
    """How much a voice has said lately."""
    asked = {
        "project": tx.project,
        "by": by,
        "source": source.value,
        "about": about,
        "hour": tx.now - tx.lasting(HOUR),
        "day": tx.now - tx.lasting(DAY),
    }
    if source is Source.USER:
        of_work, in_hour, in_day = tx.conn.execute(_OF_USER, asked).one()
        return Heard(of_subject=of_work, in_hour=in_hour, in_day=in_day)
    of_work, in_day = tx.conn.execute(_OF_REPORTER, asked).one()
    return Heard(of_subject=of_work, in_day=in_day)


def set_aside(tx: Tx, by: str, *, because: str, limit: int) -> int:
    """Set aside what a user said within the hour and nobody has let through; how much it was."""
    wanted = select(feedback).where(
        feedback.c.project == tx.project,
        feedback.c.by == by,
        feedback.c.at > tx.now - tx.lasting(HOUR),
        feedback.c.source == Source.USER.value,
        feedback.c.state == State.ACCEPTED.value,
        feedback.c.released_by == "",
    )
    found = _opened(tx, tx.conn.execute(wanted.limit(limit)).mappings().all())
    for one in found:
        tx.conn.execute(
            update(feedback)
            .where(*_mine(tx, one.id))
            .values(state=State.QUARANTINED.value, because=because, counts=False)
        )
        _recount(tx, one)
    return len(found)


def let_through(tx: Tx, which: Sequence[Feedback], *, by: str) -> None:
    """Use what was set aside."""
    for found in which:
        tx.conn.execute(
            update(feedback)
            .where(*_mine(tx, found.id))
            .values(state=State.ACCEPTED.value, because="", released_by=by)
        )
        _recount(tx, found)


def refuse(tx: Tx, by: str) -> None:
    """Count that a voice was refused."""
    of_voice = update(floods).where(floods.c.project == tx.project, floods.c.by == by)
    once_more = of_voice.values(refused=floods.c.refused + 1, last_at=tx.now)
    if tx.conn.execute(once_more).rowcount == 0:
        row = {"project": tx.project, "by": by, "refused": 0, "last_at": tx.now}
        insert_missing(tx, floods, [row])
        tx.conn.execute(once_more)


def quarantine(tx: Tx, *, limit: int) -> list[tuple[str, str, int, datetime]]:
    """What is set aside, by voice: whose, why, how much, and when the last of it came."""
    last = func.max(feedback.c.at)
    wanted = (
        select(feedback.c.by, func.max(feedback.c.because), func.count(), last)
        .where(feedback.c.project == tx.project, feedback.c.state == State.QUARANTINED.value)
        .group_by(feedback.c.by)
        .order_by(last.desc(), feedback.c.by)
        .limit(limit)
    )
    return [(row[0], row[1], row[2], row[3]) for row in tx.conn.execute(wanted)]


def quarantined(tx: Tx) -> int:
    wanted = select(func.count()).where(
        feedback.c.project == tx.project, feedback.c.state == State.QUARANTINED.value
    )
    return int(tx.conn.execute(wanted).scalar_one())


def refused(tx: Tx, *, limit: int) -> dict[str, tuple[int, datetime]]:
    """How often each voice was refused, and when last; the latest of them."""
    wanted = select(floods.c.by, floods.c.refused, floods.c.last_at).where(
        floods.c.project == tx.project
    )
    rows = tx.conn.execute(wanted.order_by(floods.c.last_at.desc()).limit(limit))
    return {row.by: (row.refused, row.last_at) for row in rows}


def intents(tx: Tx, *, limit: int) -> list[tuple[str, str]]:
    """The newest intents of what counts, with the use case of each."""
    wanted = select(feedback.c.intent, feedback.c.use_case).where(
        feedback.c.project == tx.project, feedback.c.counts.is_(True), _INTENDED
    )
    found = tx.conn.execute(wanted.order_by(feedback.c.id.desc()).limit(limit)).mappings()
    rows = shredding.opened(tx, found.all(), _WORDS, left={"intent": lambda _: ""})
    said = ((row["intent"], row["use_case"]) for row in rows if row["intent"])
    return list(dict.fromkeys(said))


def _recount(tx: Tx, changed: Feedback) -> None:
    """Let the newest of what one voice said of one thing count, and the rest not."""
    said = [
        feedback.c.project == tx.project,
        feedback.c.about == about_of(changed.source, changed.subject, changed.turn),
        feedback.c.source == changed.source.value,
        feedback.c.kpi == changed.kpi,
    ]
    newest: tuple[ColumnElement[Any], ...] = (feedback.c.id.desc(),)
    if changed.source is Source.BUSINESS:
        newest = (feedback.c.known_at.desc(), *newest)
    else:
        said.append(feedback.c.by == changed.by)
    usable = select(feedback.c.id).where(*said, feedback.c.state == State.ACCEPTED.value)
    winner = tx.conn.execute(usable.order_by(*newest).limit(1)).scalar()
    tx.conn.execute(
        update(feedback)
        .where(*said, feedback.c.counts.is_(True), feedback.c.id != (winner or ""))
        .values(counts=False)
    )
    if winner is not None:
        tx.conn.execute(update(feedback).where(*_mine(tx, winner)).values(counts=True))


def _mine(tx: Tx, feedback_id: str) -> tuple[ColumnElement[bool], ...]:
    return (feedback.c.project == tx.project, feedback.c.id == feedback_id)


_JOINED = frozenset(
    {
        "agent", "version", "environment", "release", "arm", "turn", "trace", "use_case",
        "joined", "state", "because", "about",
    }
)  # fmt: skip


# What people wrote; sealed by a key of its own.
_WORDS = frozenset({"text", "reasoning", "intent"})


def _opened(tx: Tx, rows: Sequence[RowMapping]) -> list[Feedback]:
    return [_feedback(row) for row in shredding.opened(tx, rows, _WORDS)]


def _row(one: Feedback) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in Feedback.__dataclass_fields__},
        "about": about_of(one.source, one.subject, one.turn),
        "source": one.source.value,
        "state": one.state.value,
        "sources": list(one.sources),
        "value": None if one.value is None else format(one.value, "f"),
        "amount": None if one.value is None else float(one.value),
    }


def _feedback(row: Mapping[str, Any]) -> Feedback:
    values: dict[str, Any] = {name: row[name] for name in Feedback.__dataclass_fields__}
    values["source"] = Source(row["source"])
    values["state"] = State(row["state"])
    values["sources"] = tuple(row["sources"])
    values["value"] = None if row["value"] is None else Decimal(row["value"])
    return Feedback(**values)
