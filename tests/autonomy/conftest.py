"""Agents that earned, lost and were stopped, for the tests of pages."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.pages import ANA, BEN, DESK, Site, base, day, shown

from opsroom.autonomy import Envelope, Level, WideningDraft, commands
from opsroom.contracts.model import Tier
from opsroom.kit.clock import ManualClock

__all__ = ["api", "base", "browser", "day", "page", "shown", "sqlite_api"]
POST = "contract/post-invoice"


@pytest.fixture(scope="module")
def lived(shown: Site) -> dict[str, str]:
    """Two weeks: the customs desk earned twice, the invoice desk lost, the quotes are stopped.

    Returns the ids of the widenings that wait.
    """
    db, clock = shown.api.db, shown.api.db.clock
    assert isinstance(clock, ManualClock)

    def see(agent: str, **what: int) -> None:
        with db.write(DESK) as tx:
            commands.observe(tx, agent, POST, Tier.WRITE, "production", **what)

    def ask(agent: str, level: Level, scope: str, envelope: Envelope) -> tuple[str, str]:
        draft = WideningDraft(
            agent=agent, scope=scope, level=level, envelope=envelope, reason="it does well"
        )
        with db.write(ANA) as tx:
            made = commands.propose_widening(tx, draft)
        return made.id, made.binding

    for agent in ("customs-classifier", "invoice-matcher"):
        see(agent, agreed=1)
    clock.move(timedelta(days=8))
    for agent in ("customs-classifier", "invoice-matcher"):
        see(agent, agreed=140, corrected=2)
        asked, binding = ask(agent, Level.BOUNDED, POST, Envelope(max_amount=Decimal(250)))
        with db.write(BEN) as tx:
            commands.widen(tx, asked, binding=binding, reason="I read thirty of them")
    see("customs-classifier", succeeded=60)
    see("invoice-matcher", succeeded=11)
    see("invoice-matcher", incident=1)
    with db.write(ANA) as tx:
        commands.kill(tx, "quote-writer", "it promised a price that we do not have")
    waiting, _ = ask(
        "customs-classifier",
        Level.BOUNDED,
        "tier/write",
        Envelope(max_amount=Decimal(50), max_per_day=40, min_confidence=0.8),
    )
    return {"waiting": waiting}
