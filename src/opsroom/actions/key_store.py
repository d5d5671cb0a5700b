"""Idempotency keys: which action each stands for, and for how long."""

from datetime import timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    String,
    Table,
    and_,
    column,
    delete,
    select,
    table,
)

from opsroom.kit.db import Tx, Utc, insert_missing, metadata

from .model import OVER, Action, nothing_done

KEPT = timedelta(days=30)  # how long a key stands for the call it was first used for

keys = Table(
    "action_keys",
    metadata,
    Column("project", String, primary_key=True),
    Column("agent", String, primary_key=True),
    Column("tool", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("action", String, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("expires_at", Utc, nullable=False),
    Index("ix_action_keys_action", "action"),
    Index("ix_action_keys_expires", "expires_at"),
)


_ACTIONS = table("actions", column("id"), column("state"))


def holder(
    tx: Tx, *, agent: str, tool: str, key: str, action_id: str, digest: str
) -> tuple[str, str]:
    """The action and digest that a key stands for, after trying to take it for `action_id`.

    The row stays locked, so of two who use a key at once one sees the other's.
    """
    place = and_(
        keys.c.project == tx.project,
        keys.c.agent == agent,
        keys.c.tool == tool,
        keys.c.key == key,
    )
    tx.conn.execute(delete(keys).where(place, _outlived(tx)))
    row = {
        "project": tx.project,
        "agent": agent,
        "tool": tool,
        "key": key,
        "action": action_id,
        "digest": digest,
        "expires_at": tx.now + KEPT,
    }
    wanted = select(keys.c.action, keys.c.digest).where(place).with_for_update()
    while True:
        insert_missing(tx, keys, [row])
        # Between the two, whoever held the key may have given it back.
        if (found := tx.conn.execute(wanted).first()) is not None:
            return found.action, found.digest


def any_outlived(tx: Tx) -> bool:
    return (
        tx.conn.execute(select(keys.c.action).where(_outlived(tx)).limit(1)).first() is not None
    )


def prune(tx: Tx) -> int:
    """Forget the keys, of every project, that have stood long enough; how many."""
    return int(tx.conn.execute(delete(keys).where(_outlived(tx))).rowcount)


def _outlived(tx: Tx) -> ColumnElement[bool]:
    """Keys whose time is up and whose action is over: what may yet happen keeps its key."""
    over = select(_ACTIONS.c.id).where(
        _ACTIONS.c.id == keys.c.action, _ACTIONS.c.state.in_(sorted(OVER))
    )
    return and_(keys.c.expires_at <= tx.now, over.exists())


def free(tx: Tx, action: Action) -> None:
    """Give the keys of an action back that stand for something that did not happen."""
    if action.key and nothing_done(action):
        tx.conn.execute(delete(keys).where(keys.c.action == action.id))
