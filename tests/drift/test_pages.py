"""Drift in a browser, in both colours and on narrow screens."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from tests.drift.world import look, work
from tests.pages import Site, holds
from tests.telemetry import KEEP, MOST, QUICK, Room, no_own_price, shared

from opsroom.drift.model import Aspect, Drift
from opsroom.traces.telemetry import Traces


@pytest.fixture(scope="module")
def moved(shown: Site) -> Iterator[tuple[Site, dict[str, Drift]]]:
    """A site where the clerk does other things than before."""
    api = shown.api
    traces = Traces(
        shared, clock=api.db.clock, own=no_own_price, keep=KEEP, most=MOST, bounds=QUICK
    )
    api.app.state.traces = traces
    room = Room(traces, api.db.clock, project="default")
    work(room, api.db.clock.now(), days=14, strange_share=0.6)
    yield shown, look(api.db, room)
    traces.close()


@pytest.mark.browser
@pytest.mark.parametrize("aspect", ["", *Aspect])
def test_pages_hold(
    page: Page, moved: tuple[Site, dict[str, Drift]], base: str, aspect: str
) -> None:
    site, found = moved
    holds(page, site, base, f"/drift/{found[aspect].id}" if aspect else "/drift")
