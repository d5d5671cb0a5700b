"""The tables of releases: what they are, what was observed, and what was decided.

Counts are kept beside the observations they come from, in the same transaction, so that a
decision reads a few rows however much traffic there was. The observations themselves are
only remembered by key: enough to count nothing twice.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, insert_missing, metadata, overwrite
from opsroom.kit.wire import adapter, plain

from .decide import DecisionRecord
from .errors import ReleaseMoved
from .evidence import GateResult, LegCounts, SampleCounts, ShadowCounts
from .model import Leg, Release, State
from .observation import Sampled, ShadowPair

releases = Table(
    "releases",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("baseline", Integer, nullable=False),
    Column("baseline_digest", String(64), nullable=False),
    Column("author", String, nullable=False),
    Column("version_author", String, nullable=False),
    Column("plan", Text, nullable=False),
    Column("legs", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("entered_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("state", String, nullable=False),
    Column("step", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("paused_from", String),
    Column("paused_at", Utc),
    Column("code", String, nullable=False),
    Column("because", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    # What the gate said; cleared where it is to be asked again.
    Column("gate", Text),
    # Which shadow pairs are sampled follows from this; no query hands it out.
    Column("seed", String, nullable=False),
    # Whether somebody was told that this release is to be looked at, and has not looked yet.
    Column("due", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Index("ix_releases_project", "project", "id"),
    Index("ix_releases_artifact", "project", "kind", "name", "environment", "state"),
    Index(
        "uq_releases_active",
        "project",
        "kind",
        "name",
        "environment",
        unique=True,
        sqlite_where=text("active"),
        postgresql_where=text("active"),
    ),
)

decisions = Table(
    "release_decisions",
    metadata,
    Column("id", String, primary_key=True),
    Column("release_id", String, ForeignKey("releases.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("kind", String, nullable=False),
    Column("code", String, nullable=False),
    Column("state", String, nullable=False),
    Column("step", Integer, nullable=False),
    Column("record", Text, nullable=False),
    Index("ix_release_decisions_release", "release_id", "id"),
)

seen = Table(
    "release_seen",
    metadata,
    Column("release_id", String, ForeignKey("releases.id"), primary_key=True),
    Column("phase", String, primary_key=True),
    Column("key", String, primary_key=True),
)

# Part is the round of the shadow run or the leg of the canary.
counts = Table(
    "release_counts",
    metadata,
    Column("release_id", String, ForeignKey("releases.id"), primary_key=True),
    Column("phase", String, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("counts", Text, nullable=False),
)

series = Table(
    "release_series",
    metadata,
    Column("release_id", String, ForeignKey("releases.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("legs", Text, nullable=False),
)

sample = Table(
    "release_sample",
    metadata,
    Column("release_id", String, ForeignKey("releases.id"), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("key", String, primary_key=True),
    Column("place", String(64), nullable=False),
    Column("pair", Text, nullable=False),
    Column("good", Boolean),
    Column("reason", Text, nullable=False),
    Column("judged_by", String),
    Column("judged_at", Utc),
    Index("ix_release_sample_place", "release_id", "round", "place"),
)

security_events = Table(
    "release_security_events",
    metadata,
    Column("release_id", String, ForeignKey("releases.id"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("what", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Utc, nullable=False),
)

SHADOW, CANARY = "shadow", "canary"
Shape = TypeVar("Shape")


def add(tx: Tx, release: Release, *, seed: str) -> None:
    tx.conn.execute(
        insert(releases).values(
            project=tx.project,
            seed=seed,
            gate=None,
            due=False,
            active=release.active,
            **_row(release),
        )
    )


def save(tx: Tx, release: Release, *, was: Release) -> None:
    """Write `release` over `was`, unless somebody else got there first."""
    if not overwrite(
        tx,
        releases,
        was.id,
        revision=was.revision,
        values={**_row(release), "active": release.active},
    ):
        raise ReleaseMoved(was.id)


def release(tx: Tx, release_id: str, *, lock: bool = False) -> Release | None:
    """One release of this project. With `lock`, nobody else can observe, decide or change it
    until the transaction ends. (SQLite has one writer anyway and ignores the clause.)
    """
    wanted = select(releases).where(
        releases.c.project == tx.project, releases.c.id == release_id
    )
    row = tx.conn.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return _release(row) if row else None


def project_of(tx: Tx, release_id: str) -> str | None:
    """Where a release lives, for work that starts from its id alone."""
    wanted = select(releases.c.project).where(releases.c.id == release_id)
    return tx.conn.execute(wanted).scalar()


def page(
    tx: Tx,
    *,
    state: State | None = None,
    active: bool | None = None,
    kind: str | None = None,
    name: str | None = None,
    environment: str | None = None,
    before: str | None = None,
    limit: int,
) -> list[Release]:
    """Releases of this project, newest first."""
    wanted = select(releases).where(releases.c.project == tx.project)
    for column, value in (
        (releases.c.state, state and state.value),
        (releases.c.active, active),
        (releases.c.kind, kind),
        (releases.c.name, name),
        (releases.c.environment, environment),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if before is not None:
        wanted = wanted.where(releases.c.id < before)
    rows = tx.conn.execute(wanted.order_by(releases.c.id.desc()).limit(limit)).mappings()
    return [_release(row) for row in rows]


def active(tx: Tx, kind: str, name: str, environment: str) -> Release | None:
    """The release that is under way for an artifact and an environment."""
    return _one(tx, kind, name, environment, releases.c.active)


def promoted(tx: Tx, kind: str, name: str, environment: str) -> Release | None:
    """The release that brought in what serves now, if one did."""
    return _one(tx, kind, name, environment, releases.c.state == State.PROMOTED.value)


def seed_of(tx: Tx, release_id: str) -> str:
    return str(
        tx.conn.execute(select(releases.c.seed).where(releases.c.id == release_id)).scalar_one()
    )


def gate(tx: Tx, release_id: str) -> GateResult | None:
    """What the gate said for this release."""
    wanted = select(releases.c.gate).where(releases.c.id == release_id)
    found = tx.conn.execute(wanted).scalar()
    return None if found is None else adapter(GateResult).validate_json(found)


def set_gate(tx: Tx, release_id: str, result: GateResult | None) -> None:
    text = None if result is None else canonical(plain(result)).decode()
    tx.conn.execute(update(releases).where(releases.c.id == release_id).values(gate=text))


def set_due(tx: Tx, release_id: str, *, due: bool) -> bool:
    """Note whether somebody was told to look at this release; False if it was so already."""
    mine = (releases.c.id == release_id, releases.c.due.is_(not due))
    return tx.conn.execute(update(releases).where(*mine).values(due=due)).rowcount == 1


def decision_id(tx: Tx, release_id: str) -> str:
    """The name of the next decision about a release. It sorts by number, not by time: two
    decisions may fall into one millisecond, and which was the last one matters.
    """
    taken = select(func.count()).where(decisions.c.release_id == release_id)
    number = int(tx.conn.execute(taken).scalar_one()) + 1
    return f"dec_{release_id.removeprefix('rel_')}_{number:06}"


def add_decision(tx: Tx, record: DecisionRecord) -> None:
    tx.conn.execute(
        insert(decisions).values(
            id=record.id,
            release_id=record.release.id,
            at=record.at,
            kind=record.decision.kind,
            code=record.decision.code.value,
            state=record.release.state.value,
            step=record.release.step,
            record=canonical(plain(record)).decode(),
        )
    )


def decision_page(
    tx: Tx, release_id: str, *, before: str | None = None, limit: int
) -> list[DecisionRecord]:
    """What was decided about a release, newest first."""
    wanted = select(decisions.c.record).where(decisions.c.release_id == release_id)
    if before is not None:
        wanted = wanted.where(decisions.c.id < before)
    rows = tx.conn.execute(wanted.order_by(decisions.c.id.desc()).limit(limit)).scalars()
    return [adapter(DecisionRecord).validate_json(text) for text in rows]


def decision(tx: Tx, release_id: str, decision_id: str) -> DecisionRecord | None:
    wanted = select(decisions.c.record).where(
        decisions.c.release_id == release_id, decisions.c.id == decision_id
    )
    found = tx.conn.execute(wanted).scalar()
    return None if found is None else adapter(DecisionRecord).validate_json(found)


def last_decision(tx: Tx, release_id: str) -> tuple[str, str, str, int] | None:
    """Kind and reason of the newest decision, and in which state and step it was taken."""
    columns = (decisions.c.kind, decisions.c.code, decisions.c.state, decisions.c.step)
    wanted = select(*columns).where(decisions.c.release_id == release_id)
    row = tx.conn.execute(wanted.order_by(decisions.c.id.desc()).limit(1)).first()
    return tuple(row) if row else None


def unseen(tx: Tx, release_id: str, phase: str, keys: Collection[str]) -> set[str]:
    """Which of these keys were never counted in this phase; from now on they are."""
    new = set(keys)
    ordered = sorted(new)
    for start in range(0, len(ordered), 500):
        chunk = ordered[start : start + 500]
        known = select(seen.c.key).where(
            seen.c.release_id == release_id, seen.c.phase == phase, seen.c.key.in_(chunk)
        )
        new.difference_update(tx.conn.execute(known).scalars())
    if new:
        rows = [{"release_id": release_id, "phase": phase, "key": key} for key in sorted(new)]
        tx.conn.execute(insert(seen), rows)
    return new


def shadow(tx: Tx, release_id: str, number: int) -> ShadowCounts:
    """What the shadow run of this number has observed."""
    return _counts(tx, ShadowCounts, release_id, SHADOW, number) or ShadowCounts()


def save_shadow(tx: Tx, release_id: str, number: int, found: ShadowCounts) -> None:
    _save_counts(tx, release_id, SHADOW, number, found)


def leg(tx: Tx, release_id: str, leg: Leg) -> LegCounts:
    """What a leg of the canary has observed."""
    empty = LegCounts(leg=leg.number, step=leg.step, weight=leg.weight)
    return _counts(tx, LegCounts, release_id, CANARY, leg.number) or empty


def save_leg(tx: Tx, release_id: str, found: LegCounts) -> None:
    _save_counts(tx, release_id, CANARY, found.leg, found)


def looks(tx: Tx, release_id: str) -> list[tuple[datetime, tuple[LegCounts, ...]]]:
    """The counts as they were at each look, oldest first."""
    wanted = select(series.c.at, series.c.legs).where(series.c.release_id == release_id)
    rows = tx.conn.execute(wanted.order_by(series.c.number))
    return [(at, adapter(tuple[LegCounts, ...]).validate_json(legs)) for at, legs in rows]


def add_look(tx: Tx, release_id: str, number: int, legs: tuple[LegCounts, ...]) -> None:
    text = canonical([plain(one) for one in legs]).decode()
    tx.conn.execute(
        insert(series).values(release_id=release_id, number=number, at=tx.now, legs=text)
    )


def offer_to_sample(
    tx: Tx, release: Release, pairs: Sequence[tuple[str, ShadowPair]], *, size: int
) -> None:
    """Keep the `size` pairs with the lowest places: a random sample of all pairs so far,
    however many there were. Each pair comes with its place, a hash nobody can foresee.
    """
    mine = (sample.c.release_id == release.id, sample.c.round == release.round)
    for place, pair in pairs:
        text = canonical(plain(pair)).decode()
        row = {"release_id": release.id, "round": release.round, "key": pair.key}
        tx.conn.execute(insert(sample).values(place=place, pair=text, reason="", **row))
    kept = select(sample.c.key).where(*mine).order_by(sample.c.place).limit(size)
    tx.conn.execute(delete(sample).where(*mine, sample.c.key.not_in(kept)))


def highest_place(tx: Tx, release: Release, *, size: int) -> str | None:
    """The place that a pair has to undercut to get into a full sample; None while it is not."""
    mine = (sample.c.release_id == release.id, sample.c.round == release.round)
    found, most = tx.conn.execute(
        select(func.count(), func.max(sample.c.place)).where(*mine)
    ).one()
    return most if found >= size else None


def sampled(tx: Tx, release: Release) -> list[Sampled]:
    """The sample of the present shadow run, in random order."""
    wanted = select(sample).where(
        sample.c.release_id == release.id, sample.c.round == release.round
    )
    rows = tx.conn.execute(wanted.order_by(sample.c.place)).mappings()
    return [_sampled(row) for row in rows]


def sampled_one(tx: Tx, release: Release, key: str) -> Sampled | None:
    wanted = select(sample).where(
        sample.c.release_id == release.id,
        sample.c.round == release.round,
        sample.c.key == key,
    )
    row = tx.conn.execute(wanted).mappings().first()
    return _sampled(row) if row else None


def sample_counts(tx: Tx, some: Sequence[Release]) -> dict[str, SampleCounts]:
    """How far the samples of these releases' present shadow runs are judged."""
    mine = [and_(sample.c.release_id == one.id, sample.c.round == one.round) for one in some]
    counted = select(
        sample.c.release_id,
        func.count(),
        func.count(sample.c.good),
        func.count().filter(sample.c.good.is_(True)),
    ).where(or_(false(), *mine))
    found = dict.fromkeys((one.id for one in some), SampleCounts())
    for of, drawn, judged, good in tx.conn.execute(counted.group_by(sample.c.release_id)):
        found[of] = SampleCounts(drawn=drawn, judged=judged, good=good)
    return found


def judge(tx: Tx, release: Release, key: str, *, good: bool, reason: str) -> None:
    tx.conn.execute(
        update(sample)
        .where(
            sample.c.release_id == release.id,
            sample.c.round == release.round,
            sample.c.key == key,
        )
        .values(good=good, reason=reason, judged_by=tx.actor.name, judged_at=tx.now)
    )


def add_security_event(tx: Tx, release_id: str, key: str, what: str) -> bool:
    """Keep a security event; False when this one is there already."""
    row = {
        "release_id": release_id,
        "key": key,
        "what": what,
        "by": tx.actor.name,
        "at": tx.now,
    }
    return insert_missing(tx, security_events, [row]) == 1


def count_security_events(tx: Tx, release_id: str) -> int:
    wanted = select(func.count()).where(security_events.c.release_id == release_id)
    return int(tx.conn.execute(wanted).scalar_one())


def _counts(tx: Tx, shape: type[Shape], release_id: str, phase: str, part: int) -> Shape | None:
    wanted = select(counts.c.counts).where(
        counts.c.release_id == release_id, counts.c.phase == phase, counts.c.part == part
    )
    found = tx.conn.execute(wanted).scalar()
    return None if found is None else adapter(shape).validate_json(found)


def _save_counts(tx: Tx, release_id: str, phase: str, part: int, found: Any) -> None:
    mine = (
        counts.c.release_id == release_id,
        counts.c.phase == phase,
        counts.c.part == part,
    )
    text = canonical(plain(found)).decode()
    if tx.conn.execute(update(counts).where(*mine).values(counts=text)).rowcount == 0:
        tx.conn.execute(
            insert(counts).values(release_id=release_id, phase=phase, part=part, counts=text)
        )


def _one(tx: Tx, kind: str, name: str, environment: str, condition: Any) -> Release | None:
    wanted = select(releases).where(
        releases.c.project == tx.project,
        releases.c.kind == kind,
        releases.c.name == name,
        releases.c.environment == environment,
        condition,
    )
    row = tx.conn.execute(wanted).mappings().first()
    return _release(row) if row else None


def _row(release: Release) -> dict[str, Any]:
    values = {name: getattr(release, name) for name in Release.__dataclass_fields__}
    return values | {
        "plan": canonical(plain(release.plan)).decode(),
        "legs": [plain(leg) for leg in release.legs],
        "state": release.state.value,
        "code": release.code.value,
        "paused_from": release.paused_from and release.paused_from.value,
    }


def _release(row: RowMapping) -> Release:
    known = {name: row[name] for name in Release.__dataclass_fields__}
    return adapter(Release).validate_python(known | {"plan": json.loads(row["plan"])})


def _sampled(row: RowMapping) -> Sampled:
    return Sampled(
        pair=adapter(ShadowPair).validate_json(row["pair"]),
        good=row["good"],
        reason=row["reason"],
        judged_by=row["judged_by"],
        judged_at=row["judged_at"],
    )


def states(tx: Tx) -> dict[State, int]:
    """How many releases stand in each state."""
    wanted = select(releases.c.state, func.count()).where(releases.c.project == tx.project)
    return {State(row[0]): row[1] for row in tx.conn.execute(wanted.group_by(releases.c.state))}
