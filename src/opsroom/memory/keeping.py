"""Removing memories of what was erased, or was kept long enough."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from opsroom.kit.db import Tx

from .store import memories, memory_marks

_CHUNK = 500


def remove(tx: Tx, action_ids: Sequence[str]) -> int:
    """Remove what is remembered of these actions, for good; how much it was."""
    done = 0
    for start in range(0, len(action_ids), _CHUNK):
        mine = (
            memories.c.project == tx.project,
            memories.c.action.in_(action_ids[start : start + _CHUNK]),
        )
        marks = select(memories.c.seq).where(*mine)
        tx.conn.execute(delete(memory_marks).where(memory_marks.c.memory.in_(marks)))
        done += tx.conn.execute(delete(memories).where(*mine)).rowcount
    return done
