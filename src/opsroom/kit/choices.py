"""What a project chose for itself: one row of settings in a table (`project`, `settings`)."""

from typing import TypeVar

from sqlalchemy import Table, insert, select, update

from .canonical import canonical
from .db import Tx
from .wire import Wire, adapter, plain

T = TypeVar("T", bound=Wire)


def load(tx: Tx, table: Table, shape: type[T]) -> T:
    """What the project chose; what `shape` says by itself where it never did."""
    wanted = select(table.c.settings).where(table.c.project == tx.project)
    found = tx.conn.execute(wanted).scalar()
    return shape() if found is None else adapter(shape).validate_json(found)


def save(tx: Tx, table: Table, new: Wire) -> None:
    """Let the project have this from now on."""
    mine = table.c.project == tx.project
    there = tx.conn.execute(select(table.c.project).where(mine).with_for_update()).first()
    text = canonical(plain(new)).decode()
    if there is None:
        tx.conn.execute(insert(table).values(project=tx.project, settings=text))
    else:
        tx.conn.execute(update(table).where(mine).values(settings=text))
