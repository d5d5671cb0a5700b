"""What is taken out is counted once, with the transaction, and by many at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.keyring import KEYRING

from opsroom.app.runtime import recorded
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx, open_engine
from opsroom.kit.ids import seeded_ids
from opsroom.redactions import queries
from opsroom.redactions.commands import without_credentials

KEY = "sk-proj-" + "a1B2" * 8
LINK = "postgresql://clerk:s3cr3tW0rd@db/x"
ANA = Actor("ana", "default")


@pytest.fixture
def kept(database_url: str, clock: ManualClock) -> Iterator[Database]:
    """A database that commits as the product does."""
    engine = open_engine(database_url)
    yield Database(
        engine, clock=clock, ids=seeded_ids(clock, 1), on_commit=recorded, keyring=KEYRING
    )
    engine.dispose()


def counted(db: Database) -> dict[tuple[str, str], int]:
    with db.read(ANA) as tx:
        return {(one.door, one.rule): one.count for one in queries.redacted(tx)}


class Undone(Exception):
    pass


def take_out_and_fail(tx: Tx, told: object, door: str) -> None:
    without_credentials(tx, told, door)
    raise Undone


def test_what_is_undone_is_not_counted(kept: Database) -> None:
    with kept.write(ANA) as tx:
        without_credentials(tx, KEY, "turns")
        with pytest.raises(Undone), tx.part():
            take_out_and_fail(tx, [KEY, LINK], "turns")
        assert KEY not in without_credentials(tx, {"said": KEY}, "turns")["said"]
    with pytest.raises(Undone), kept.write(ANA) as tx:
        take_out_and_fail(tx, LINK, "actions")
    assert counted(kept) == {("turns", "key"): 2}


def test_nobody_waits_in_a_ring_for_counts(kept: Database) -> None:
    """Transactions that take the same things out in opposite orders all come through."""

    def work(doors: tuple[str, str]) -> None:
        for _ in range(25):
            with kept.write(ANA) as tx:
                for door in doors:
                    without_credentials(tx, KEY, door)
                tx.record("token.issued", "token/x", note=LINK)

    orders = [("turns", "actions"), ("actions", "turns")] * 2
    with ThreadPoolExecutor(len(orders)) as pool:
        list(pool.map(work, orders))
    assert counted(kept) == {
        ("turns", "key"): 100,
        ("actions", "key"): 100,
        ("journal", "connection"): 100,
    }
