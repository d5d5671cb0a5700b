"""The clerk's office, and the site, for the tests of thresholds."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.actions.world import TEXT, Office, put, schema
from tests.api import Api, api, sqlite_api
from tests.browser import browser, page
from tests.pages import Site, base, day, shown
from tests.thresholds.world import SYSTEM, Source, asks_each, examine, rated, sure_when_right

from opsroom.autonomy import store as grants
from opsroom.autonomy.model import Envelope, Grant, Level
from opsroom.contracts.model import ContractSpec, Effects, Tier
from opsroom.kit.clock import ManualClock
from opsroom.kit.wire import plain
from opsroom.registry import Ref
from opsroom.registry import queries as registered

__all__ = ["api", "base", "browser", "day", "page", "shown", "sqlite_api"]


@pytest.fixture
def office(sqlite_api: Api, clock: ManualClock) -> Office:
    """Where every booking is asked about."""
    return asks_each(sqlite_api, clock)


@pytest.fixture
def offices(api: Api, clock: ManualClock) -> Office:
    """The same on both engines."""
    return asks_each(api, clock)


@pytest.fixture(scope="module")
def rated_site(shown: Site) -> Site:
    """Three desks: one that knows when it is right and acts alone above its cut-off, one whose
    confidence says nothing, one that never says.
    """
    db = shown.api.db
    put(db, "contract", "post-invoice", plain(POST))
    put(db, "contract", "file-entry", plain(replace(POST, tool="file_entry")))
    for agent in ("customs-classifier", "invoice-matcher"):
        rated(db, LABELS[agent], agent=agent, contract="post-invoice")
        examine(db, agent, "post-invoice")
    rated(db, sure_when_right(40, seed=8), agent="customs-classifier", contract="file-entry")
    with db.write(SYSTEM) as tx:
        serving = registered.version(
            tx, Ref("agent", "customs-classifier", "production")
        ).digest
        grants.put(
            tx,
            Grant(
                id=tx.ids.new("gra"),
                agent="customs-classifier",
                scope="contract/post-invoice",
                environment="production",
                level=Level.BOUNDED,
                envelope=Envelope(max_amount=Decimal(250), min_confidence=0.6, spot_share=0.1),
                manifest=serving,
                reason="tests",
                changed_at=tx.now,
                changed_by="ben",
            ),
        )
    for source in (Source.ALONE, Source.SPOT):
        rated(
            db,
            [(0.9, number % 40 == 0) for number in range(120)],
            agent="customs-classifier",
            contract="post-invoice",
            source=source,
        )
    return shown


LABELS = {
    "customs-classifier": sure_when_right(1_400),
    "invoice-matcher": [(0.9 + number % 3 / 100, number % 7 == 0) for number in range(300)],
}
POST = ContractSpec(
    tool="post_invoice", input=schema(number=TEXT), risk=Tier.WRITE, effects=Effects()
)
