"""The calendar in a browser, in both colours and on narrow screens."""

import pytest
from playwright.sync_api import Page
from tests.cadence.world import ADA, on, project, start, tick
from tests.pages import Site, holds

from opsroom.cadence import queries
from opsroom.cadence.model import Kind


@pytest.fixture(scope="module")
def kept(shown: Site) -> dict[str, str]:
    """Pages of an office where one audit was begun and the rest is overdue."""
    db = shown.api.db
    project(db)
    tick(db)
    with db.read(ADA) as tx:
        some = {one.kind: one for one in queries.due(tx)}
    start(db, some[Kind.PROMPT_AUDIT])
    start(db, some[Kind.ACCESS_REVIEW])
    on(db.clock, "2026-12-01")  # type: ignore[arg-type]
    tick(db)
    return {
        "month": "/cadence?month=2026-11",
        "all": "/cadence/all",
        "audit": f"/cadence/{some[Kind.PROMPT_AUDIT].id}",
        "access": f"/cadence/{some[Kind.ACCESS_REVIEW].id}",
    }


@pytest.mark.browser
@pytest.mark.parametrize("which", ["month", "all", "audit", "access"])
def test_pages_hold(
    page: Page, shown: Site, base: str, kept: dict[str, str], which: str
) -> None:
    holds(page, shown, base, kept[which])
