"""Items in the database: each content once, whichever datasets and versions cite it."""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import JSON, Column, String, Table, Text, select

from opsroom.kit.canonical import canonical, sha256
from opsroom.kit.db import Tx, insert_missing, metadata

from .errors import ItemChanged
from .model import Item, ItemRef

CHUNK = 500

items_table = Table(
    "dataset_items",
    metadata,
    Column("project", String, primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("content", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
)


def add(tx: Tx, items: Sequence[Item]) -> int:
    """Keep the contents that are new; return how many were."""
    rows = [
        {
            "project": tx.project,
            "hash": item.hash,
            "content": canonical({"input": item.input, "expected": item.expected}).decode(),
            "tags": list(item.tags),
            "metadata": item.metadata,
        }
        for item in items
    ]
    return insert_missing(tx, items_table, rows)


def read(tx: Tx, refs: Iterable[ItemRef]) -> list[Item]:
    """The items that these references cite, in the same order.

    Raises `ItemChanged` where the content is not what its hash says: then somebody changed the
    database, and nothing measured on the item would mean anything.
    """
    wanted = list(refs)
    found: dict[str, tuple[str, list[str], dict[str, object]]] = {}
    columns = select(
        items_table.c.hash, items_table.c.content, items_table.c.tags, items_table.c.metadata
    )
    for start in range(0, len(wanted), CHUNK):
        hashes = [ref.hash for ref in wanted[start : start + CHUNK]]
        rows = tx.conn.execute(
            columns.where(items_table.c.project == tx.project, items_table.c.hash.in_(hashes))
        )
        for hash_, content, tags, facts in rows:
            found[hash_] = (content, tags, facts)
    return [_item(ref, *found[ref.hash]) for ref in wanted]


def _item(ref: ItemRef, content: str, tags: list[str], facts: dict[str, object]) -> Item:
    if sha256(content.encode()) != ref.hash:
        raise ItemChanged(ref.id)
    parts = json.loads(content)
    return Item(
        id=ref.id,
        input=parts["input"],
        expected=parts["expected"],
        split=ref.split,
        tags=tuple(tags),
        metadata=facts,  # type: ignore[arg-type]  # JSON went in, JSON comes out
    )
