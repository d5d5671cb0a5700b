"""What people wrote and what is said of them, kept so that it can be made unreadable for good.

Such a value is sealed by a data key of what it belongs to (a turn, an action, a piece of
feedback), and that key by the master key. Destroying the data key shreds the value wherever it
lies: in its table, in the journal's facts, in the write-ahead log, in replicas. The SHA-256 of
the value stays beside it, so whoever has a copy can still be shown that it is the same, and
nothing that was hashed over it changes.

    p1.<SHA-256 of the canonical value>.<sealed>        after the key is gone only the hash says anything
"""

import json
import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Engine,
    Index,
    RowMapping,
    String,
    Table,
    Text,
    bindparam,
    exc,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from . import sealing
from .canonical import canonical, sha256
from .db import Tx, Utc, alone, metadata
from .errors import OpsroomError
from .sealing import SealBroken, SealedByAnother, SealingKey

_SHAPE = re.compile(r"p1\.([0-9a-f]{64})\.(?:(s1\.([0-9a-f]{16})\.[A-Za-z0-9_=-]+))?", re.ASCII)
_CHUNK = 500
log = logging.getLogger(__name__)
GONE = "erased; SHA-256 "
Left = Callable[[str], Any]
INSTALLATION = "installation"  # what the first key of a shared database belongs to
Place = tuple[str, str]  # a project, and what a key belongs to in it


def sealer(sealed: ColumnElement[Any]) -> ColumnElement[str]:
    """The id of the key that sealed what stands in a column."""
    return func.substr(
        sealed, literal_column(str(len(sealing.FORM) + 2)), literal_column(str(sealing.ID))
    )


keys = Table(
    "payload_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("project", String, nullable=False),
    Column("of", String, nullable=False),
    Column("sealed", Text),  # by the master key; null once it is destroyed
    Column("made_at", Utc, nullable=False),
    Column("destroyed_at", Utc),
    Index("uq_payload_keys_of", "project", "of", unique=True),
    Index("ix_payload_keys_made", "made_at"),
)
Index("ix_payload_keys_sealer", sealer(keys.c.sealed))


# What every turn goes through is put together once; building a statement takes longer than
# running it.
_SEALED = select(keys.c.sealed).where(
    keys.c.project == bindparam("project"), keys.c.of == bindparam("of")
)
_LEFT = select(keys.c.id, keys.c.of, keys.c.project, keys.c.sealed).where(
    keys.c.id.in_(bindparam("ids", expanding=True)), keys.c.sealed.is_not(None)
)
_MASTERS = select(func.min(sealer(keys.c.sealed))).where(
    sealer(keys.c.sealed) > bindparam("after")
)
_ADD = insert(keys)


def seal(tx: Tx, of: str, value: Any) -> str:
    """A value as it is stored, under the key of what it belongs to; the key is made with the
    first. Where that key was destroyed, nothing but the hash is kept.

    Raises `NotCanonical`, and `NoMasterKey` where the database was opened without one.
    """
    plain = canonical(value)
    hidden = f"p1.{sha256(plain)}."
    key = _key_of(tx, of)
    return hidden if key is None else hidden + key.seal(plain, about=of)


def seal_fields(
    tx: Tx, of: str, row: Mapping[str, Any], names: Collection[str]
) -> dict[str, Any]:
    """The row with these of its values sealed; what is empty stays as it is."""
    return {
        name: seal(tx, of, value) if name in names and value else value
        for name, value in row.items()
    }


def seal_changed(
    tx: Tx, of: str, row: Mapping[str, Any], names: Collection[str], *, was: Mapping[str, Any]
) -> dict[str, Any]:
    """The row as `seal_fields` gives it, without those of these values that are as they were:
    what stands there is sealed, or shredded and only its hash is left, and stays as it is.
    """
    changed = {
        name: value
        for name, value in row.items()
        if name not in names or name not in was or value != was[name]
    }
    return seal_fields(tx, of, changed, names)


def opened(
    tx: Tx,
    rows: Sequence[Mapping[str, Any] | RowMapping],
    names: Collection[str] | None = None,
    *,
    left: Mapping[str, Left] | None = None,
    places: Sequence[Place] | None = None,
    broken: Callable[[str, OpsroomError], Any] | None = None,
) -> list[dict[str, Any]]:
    """The rows with what was sealed in these values (or in any) as it was.

    Of what was shredded, `left` says what stands there instead, from its hash; a sentence where
    it says nothing. Values that were never sealed stay as they are. With `places`, one for each
    row, what was sealed for another has a broken seal.

    Raises `SealBroken`, `SealedByAnother`, unless `broken` says what stands there instead, from
    the hash and the error.
    """
    found = [
        {name: shape for name, value in row.items() if (shape := _shape(name, value, names))}
        for row in rows
    ]
    known = _keys(tx, {one[3] for row in found for one in row.values() if one[3]})

    def value(name: str, shape: re.Match[str], place: Place | None) -> Any:
        if (there := known.get(shape[3] or "")) is None:
            return (left or {}).get(name, sentence)(shape[1])
        try:
            return json.loads(_plain(shape[2], *there, place))
        except (SealBroken, SealedByAnother) as error:
            if broken is None:
                raise
            return broken(shape[1], error)

    wanted: Sequence[Place | None] = places or [None] * len(rows)
    return [
        {**row, **{name: value(name, shape, place) for name, shape in shapes.items()}}
        for row, shapes, place in zip(rows, found, wanted, strict=True)
    ]


def sentence(hash_: str) -> str:
    """What stands where a text was shredded."""
    return GONE + hash_


def remains(hash_: str) -> dict[str, str]:
    """What stands where an object was shredded."""
    return {"erased": hash_}


def sealed_by(tx: Tx) -> set[str]:
    """The ids of the master keys that the data keys which are left were sealed by: a step of
    the index for each, however many data keys there are.
    """
    found: set[str] = set()
    last: str | None = ""
    while (last := tx.conn.execute(_MASTERS, {"after": last}).scalar()) is not None:
        found.add(last)
    return found


def settle(tx: Tx) -> None:
    """Hold everybody who opens a shared database to the master key of the first who did: the
    first data key in it says which that is. Raises `SealedByAnother` where we have another.
    """
    now, tx.actor = tx.actor, replace(tx.actor, project="")
    try:
        _key_of(tx, INSTALLATION)
    finally:
        tx.actor = now


def intact(tx: Tx, ofs: Sequence[str]) -> list[str]:
    """Which of these have a key that was not destroyed."""
    found: list[str] = []
    for start in range(0, len(ofs), _CHUNK):
        mine = _mine(tx, ofs[start : start + _CHUNK])
        wanted = select(keys.c.of).where(*mine, keys.c.sealed.is_not(None))
        found += tx.conn.execute(wanted).scalars()
    return found


def shred(tx: Tx, ofs: Sequence[str]) -> int:
    """Destroy the keys of these for good; how many there were. Safe to repeat."""
    done = 0
    for start in range(0, len(ofs), _CHUNK):
        mine = _mine(tx, ofs[start : start + _CHUNK])
        gone = (
            update(keys)
            .where(*mine, keys.c.sealed.is_not(None))
            .values(sealed=None, destroyed_at=tx.now)
        )
        done += tx.conn.execute(gone).rowcount
    tx.data_keys.forget()
    return done


def scrub(engine: Engine) -> bool:
    """Let nothing of destroyed keys lie about in the files of the database: what SQLite has in
    its log goes into the file, PostgreSQL's dead rows go. Runs outside of transactions.

    False where that could not be done now, as while somebody reads what was there before.
    """
    try:
        return _scrubbed(engine)
    except _refusals(engine) as error:
        log.warning("destroyed keys may lie in files of the database for a while: %s", error)
        return False


def _refusals(engine: Engine) -> tuple[type[Exception], ...]:
    """What is raised, also by the driver where SQLAlchemy does not stand between."""
    return (exc.DBAPIError, exc.TimeoutError, engine.dialect.loaded_dbapi.Error)


def _scrubbed(engine: Engine) -> bool:
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM payload_keys"))
        return True
    raw = engine.raw_connection()
    try:
        busy, *_ = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        raw.close()


def _shape(name: str, value: Any, names: Collection[str] | None) -> re.Match[str] | None:
    if not isinstance(value, str) or not value.startswith("p1."):
        return None
    return _SHAPE.fullmatch(value) if names is None or name in names else None


def _mine(tx: Tx, ofs: Iterable[str]) -> tuple[Any, ...]:
    return keys.c.project == tx.project, keys.c.of.in_(list(ofs))


def _key_of(tx: Tx, of: str) -> SealingKey | None:
    """The data key of this, made where it has none; None where it was destroyed."""
    place = (tx.project, of)
    if place in tx.data_keys.of:
        return tx.data_keys.of[place]
    asked = {"project": tx.project, "of": of}
    row = tx.conn.execute(_SEALED, asked).first()
    if row is None and tx.conn.dialect.name == "postgresql":
        alone(tx, [f"payload_keys/{tx.project}/{of}"])
        row = tx.conn.execute(_SEALED, asked).first()  # somebody may have made it meanwhile
    if row is None:
        key: SealingKey | None = _made(tx, of)
    else:
        key = None if row.sealed is None else _unwrapped(tx, place, row.sealed)
    tx.data_keys.keep(place, key)
    return key


def _made(tx: Tx, of: str) -> SealingKey:
    key = sealing.new_key()
    sealed = tx.keyring.seal(key.secret, about=_about((tx.project, of)))
    row = {"id": key.id, "project": tx.project, "of": of, "sealed": sealed, "made_at": tx.now}
    tx.conn.execute(_ADD, row)
    return key


def _keys(tx: Tx, ids: Collection[str]) -> dict[str, tuple[Place, SealingKey | OpsroomError]]:
    """The data keys of these ids that are left, each with what it belongs to; what is wrong
    with one that does not open.
    """
    found: dict[str, tuple[Place, SealingKey | OpsroomError]] = {
        one: tx.data_keys.by_id[one] for one in ids if one in tx.data_keys.by_id
    }
    wanted = sorted(set(ids) - found.keys())
    for start in range(0, len(wanted), _CHUNK):
        for row in tx.conn.execute(_LEFT, {"ids": wanted[start : start + _CHUNK]}):
            place = (row.project, row.of)
            try:
                key = _unwrapped(tx, place, row.sealed)
            except (SealBroken, SealedByAnother) as error:
                found[row.id] = place, error
            else:
                found[row.id] = place, key
                tx.data_keys.keep(place, key)
    return found


def _plain(
    sealed: str, whose: Place, key: SealingKey | OpsroomError, place: Place | None
) -> bytes:
    if isinstance(key, OpsroomError):
        raise key
    if place not in {None, whose}:
        raise SealBroken("/".join(place or whose))
    return key.open(sealed, about=whose[1])


def _unwrapped(tx: Tx, place: Place, sealed: str) -> SealingKey:
    return SealingKey(tx.keyring.open(sealed, about=_about(place)))


def _about(place: Place) -> str:
    return "payload/" + "/".join(place)
