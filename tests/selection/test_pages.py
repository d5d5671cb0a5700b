"""Scorecards in a browser, in both colours and on narrow screens; and beside a release."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page
from tests.pages import ADMIN, Site, holds
from tests.selection.world import MODELS

from opsroom.journal import queries as journal
from opsroom.releases import queries as releases
from opsroom.selection.commands import attach_to_release, draw_up
from opsroom.selection.model import Ask, Aspect, Benchmark, Candidate, Fact, Kept


@pytest.fixture(scope="module")
def compared(shown: Site) -> tuple[Site, Kept]:
    """A site with a scorecard of three versions of the customs desk."""
    fact = Fact(aspect=Aspect.RESIDENCY, value="EU", source="contract with the provider, §7")
    boast = Benchmark(name="CustomsBench", value=0.999, source="https://example.org/customs")
    ask = Ask(
        name="customs-model",
        candidates=(
            Candidate(subject="customs-classifier@1", facts=(fact,), benchmark=boast),
            Candidate(subject="customs-classifier@2", facts=(fact,)),
            Candidate(subject="customs-classifier@3"),
        ),
        cost_ceiling=Decimal("0.01"),
        latency_ceiling=10.0,
        volume=20_000,
    )
    return shown, draw_up(shown.api.db, ADMIN, ask, models=MODELS)


@pytest.mark.browser
@pytest.mark.parametrize("place", ["", "/customs-model"])
def test_pages_hold(page: Page, compared: tuple[Site, Kept], base: str, place: str) -> None:
    holds(page, compared[0], base, f"/scorecards{place}")


def test_a_release_keeps_it_in_its_history(compared: tuple[Site, Kept]) -> None:
    site, kept = compared
    versions = {one.version for one in kept.card.standings}
    with site.api.db.write(ADMIN) as tx:
        release = next(one for one in releases.releases(tx) if one.digest in versions)
        attach_to_release(tx, kept.digest, release.id)
    with site.api.db.read(ADMIN) as tx:
        entry, _ = journal.entries(tx, subject=release.subject, limit=5)[0]
        assert entry.event == "release.scorecard_attached"
        assert entry.facts["digest"] == kept.digest
    shown = site.api.person("viewer").send("GET", f"/releases/{release.id}").text
    assert "attached the scorecard customs-model@1" in shown
