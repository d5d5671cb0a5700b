"""Versions of datasets that follow one another, and content that is what it says."""

import pytest
from sqlalchemy import update

from opsroom.app.kinds import KINDS
from opsroom.datasets import ContentInTwoSplits, Item, ItemChanged, commands, queries
from opsroom.datasets.store import items_table
from opsroom.kit.db import Actor, Database

NAME = "questions"


@pytest.fixture
def kept(db: Database, actor: Actor) -> Database:
    items = [Item(id=f"i{n}", input=f"question {n}", expected="yes") for n in range(3)]
    with db.write(actor) as tx:
        commands.put(tx, NAME, items, kinds=KINDS)
    return db


def revise(db: Database, actor: Actor, *items: Item) -> int:
    with db.write(actor) as tx:
        return commands.revise(
            tx, NAME, items, kinds=KINDS, message="told otherwise", source="here"
        ).number


def test_an_item_takes_the_place_of_the_one_with_its_id(kept: Database, actor: Actor) -> None:
    moved = Item(id="i1", input="question 1", expected="yes", split="retired")
    new = Item(id="i9", input="question 9", expected="no", split="train")
    assert revise(kept, actor, moved, new) == 2
    with kept.read(actor) as tx:
        version, spec = queries.dataset(tx, NAME)
        assert [one.id for one in spec.items] == ["i0", "i1", "i2", "i9"]
        assert spec.splits == {"test": 2, "retired": 1, "train": 1}
        assert spec.lineage.parent == f"dataset/{NAME}@1"
        assert queries.items(tx, spec, split="train") == [new]
    assert revise(kept, actor, moved, new) == version.number


def test_the_same_content_does_not_come_into_a_second_split(
    kept: Database, actor: Actor
) -> None:
    with pytest.raises(ContentInTwoSplits):
        revise(kept, actor, Item(id="x", input="question 1", expected="yes", split="train"))
    with kept.read(actor) as tx:
        assert queries.dataset(tx, NAME)[0].number == 1


def test_content_that_somebody_changed_is_not_measured_on(kept: Database, actor: Actor) -> None:
    with kept.write(actor) as tx:
        _, spec = queries.dataset(tx, NAME)
        tx.conn.execute(
            update(items_table)
            .where(items_table.c.hash == spec.items[1].hash)
            .values(content='{"expected":"no","input":"question 1"}')
        )
    with kept.read(actor) as tx, pytest.raises(ItemChanged, match="i1"):
        queries.items(tx, spec)
