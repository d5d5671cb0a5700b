"""Integrations of a system that runs beside the tests."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.integrations.world import (
    DOCUMENT,
    NAME,
    OPS,
    ORDER,
    System,
    agent,
    check,
    prober,
    spec,
    store,
    system,
)
from tests.pages import Site, base, day, shown
from tests.pages import site as bare_site

from opsroom.integrations import commands
from opsroom.kit.clock import ManualClock

__all__ = ["api", "bare_site", "base", "browser", "day", "here", "page", "shown", "sqlite_api"]


@pytest.fixture
def here() -> Iterator[System]:
    """Somebody else's system, with the document and the answers of world.py."""
    with system() as made:
        yield made


@pytest.fixture(scope="module")
def seen(shown: Site) -> Iterator[Site]:
    """A site with integrations in every state: `orders` has drifted, `bank` is broken."""
    db, clock = shown.api.db, shown.api.db.clock
    assert isinstance(clock, ManualClock)
    with system() as orders, system() as bank:
        by = shown.api.app.state.prober = prober(
            orders, bank, environment={"OPSROOM_SECRET_BANK": "s3cret"}
        )
        recorded = {"name": "an order as it was", "path": "/orders", "recorded": [ORDER]}
        store(db, spec(orders, derive=True, tests=[recorded], description="Where orders live."))
        store(db, spec(orders), name="quiet")
        store(db, spec(bank, auth={"secret": "OPSROOM_SECRET_BANK"}), name="bank")
        store(db, spec(orders), name="fresh")
        agent(db, "order-clerk", "read-order", "list-orders")
        for name in (NAME, "quiet", "bank"):
            check(db, by, name=name)
        for number in range(130):
            clock.move(timedelta(minutes=9))
            with db.write(OPS) as tx:
                commands.observe(
                    tx,
                    NAME,
                    failure=number % 31 == 0 or 60 < number < 66,
                    seconds=0.05 * (1 + number % 7),
                    fault="timeout" if number % 2 else "status",
                )
        order = DOCUMENT["components"]["schemas"]["Order"]
        fields = {"id": {"type": "integer"}, "currency": {"type": "string"}}
        changed = {**order, "properties": fields, "required": ["id"]}
        orders.document = {**DOCUMENT, "components": {"schemas": {"Order": changed}}}
        orders.orders = [{"id": 7, "lines": [{"sku": "a", "count": 2}], "note": "x"}]
        bank.status = 503
        check(db, by)
        check(db, by, name="bank")
        clock.move(timedelta(minutes=5))
        check(db, by, name="bank")
        yield shown
