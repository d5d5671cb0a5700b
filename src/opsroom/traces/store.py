"""How each project wants its telemetry kept and looked at. (Telemetry is in another store.)"""

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from opsroom.kit.db import Raced, Tx, insert_missing, metadata
from opsroom.kit.wire import adapter

from .model import Keeping, View

keepings = Table(
    "trace_keepings",
    metadata,
    Column("project", String, primary_key=True),
    Column("keeping", Text, nullable=False),
    Column("revision", Integer, nullable=False),
)
kept_views = Table(
    "trace_views",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("body", Text, nullable=False),
)


def keeping(tx: Tx, *, project: str = "") -> Keeping | None:
    """What the project decided; None where it never did."""
    kept = tx.conn.execute(
        select(keepings.c.keeping).where(keepings.c.project == (project or tx.project))
    ).scalar()
    return None if kept is None else adapter(Keeping).validate_json(kept)


def revision(tx: Tx) -> int:
    """The number of the project's last decision; 0 where there is none. Cheap."""
    found = tx.conn.execute(
        select(keepings.c.revision).where(keepings.c.project == tx.project)
    ).scalar()
    return found or 0


def save(tx: Tx, now: Keeping) -> None:
    """Write `now` over the revision before it. Raises `Raced` where somebody was faster."""
    told = adapter(Keeping).dump_json(now).decode()
    if now.revision == 1:
        tx.conn.execute(insert(keepings).values(project=tx.project, keeping=told, revision=1))
        return
    done = tx.conn.execute(
        update(keepings)
        .where(keepings.c.project == tx.project, keepings.c.revision == now.revision - 1)
        .values(keeping=told, revision=now.revision)
    )
    if done.rowcount == 0:
        raise Raced


def views(tx: Tx) -> list[View]:
    """Every view of the project, by name."""
    wanted = select(kept_views.c.body).where(kept_views.c.project == tx.project)
    bodies = tx.conn.execute(wanted.order_by(kept_views.c.name)).scalars()
    return [adapter(View).validate_json(body) for body in bodies]


def view(tx: Tx, name: str) -> View | None:
    body = tx.conn.execute(select(kept_views.c.body).where(*_named(tx, name))).scalar()
    return None if body is None else adapter(View).validate_json(body)


def count_views(tx: Tx) -> int:
    wanted = select(func.count()).where(kept_views.c.project == tx.project)
    return tx.conn.execute(wanted).scalar_one()


def save_view(tx: Tx, now: View, *, was: View | None) -> None:
    """Keep `now` in place of `was`. Raises `Raced` where somebody changed it meanwhile."""
    body = adapter(View).dump_json(now).decode()
    if was is None:
        row = {"project": tx.project, "name": now.name, "body": body}
        done = insert_missing(tx, kept_views, [row])
    else:
        before = adapter(View).dump_json(was).decode()
        over = update(kept_views).where(*_named(tx, now.name), kept_views.c.body == before)
        done = tx.conn.execute(over.values(body=body)).rowcount
    if done == 0:
        raise Raced


def remove_view(tx: Tx, name: str) -> None:
    tx.conn.execute(delete(kept_views).where(*_named(tx, name)))


def _named(tx: Tx, name: str) -> tuple[ColumnElement[bool], ...]:
    return (kept_views.c.project == tx.project, kept_views.c.name == name)
