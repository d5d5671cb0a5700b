"""Alerts in a browser, in both colours and on narrow screens."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page
from tests.alerts.world import SYSTEM, end
from tests.pages import Site, holds

from opsroom.actions.model import Final
from opsroom.alerts import looking, queries, store
from opsroom.alerts.figures import past


@pytest.fixture(scope="module")
def alarmed(shown: Site) -> Site:
    """A site where an agent fails more than it usually does."""
    hour = timedelta(hours=1)
    with shown.api.db.write(SYSTEM) as tx:
        for since, _ in past(tx.now, hour):
            end(tx, "clerk", since, [Final.DONE] * 40)
        end(tx, "clerk", tx.now - hour, [*[Final.DONE] * 28, *[Final.FAILED] * 12])
        tx.record("release.security_event", "release/rel_1", what="<script>alert(1)</script>")
        store.hurry(tx)
    looking.look(shown.api.db, None)
    return shown


def of(site: Site, rule: str) -> str:
    with site.api.db.read(SYSTEM) as tx:
        return next(one.id for one in queries.alerts(tx) if one.rule == rule)


@pytest.mark.browser
@pytest.mark.parametrize("rule", ["", "errors-high", "failing-unusually", "security"])
def test_pages_hold(page: Page, alarmed: Site, base: str, rule: str) -> None:
    path = f"/alerts/{of(alarmed, rule)}" if rule else "/alerts"
    holds(page, alarmed, base, path)
