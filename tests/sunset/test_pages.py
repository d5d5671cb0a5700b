"""Sunset in a browser, in both colours and on narrow screens."""

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page
from tests.pages import ANA, BEN, Site, holds

from opsroom.app.kinds import KINDS
from opsroom.kit.db import Tx
from opsroom.registry import Criticality
from opsroom.sunset import commands, queries, reviewing, store
from opsroom.sunset.model import Observed, Plan, Seen, State, Sunset, SunsetDraft
from opsroom.sunset.zombies import Facts, lingers

AGENT, NEXT, OTHER = "customs-classifier", "invoice-matcher", "quote-writer"
PLAN = Plan(at_100=0, at_50=0, at_10=0, dormant=30)


@pytest.fixture(scope="module")
def ended(shown: Site) -> tuple[Site, dict[str, str]]:
    """A site where one agent sleeps and is still called, one is proposed, and one lingers."""
    db = shown.api.db
    actor = commands.clockwork(ANA)
    with db.write(ANA) as tx:
        one = _proposed(tx, AGENT)
        other = _proposed(tx, OTHER, "Its quotes are not read. " + "x" * 300)
        names = tuple(
            Seen(
                by="token",
                caller=f"token:nightly-{number}",
                token=f"tok_{number:026d}",
                where="POST /v1/turns",
                last_at=tx.now - timedelta(hours=number),
            )
            for number in range(30)
        )
    with db.write(BEN) as tx:
        commands.approve(tx, one.id, binding=one.binding, reason="two do the same")
    for _ in range(4):
        with db.write(actor) as tx:
            commands.advance(tx, one.id, None, kinds=KINDS)
    with db.write(actor) as tx:
        asleep = queries.sunset(tx, one.id)
        assert asleep.state is State.DORMANT
        seen = Observed(since=asleep.since, at=tx.now, callers=names)
        store.save(tx, replace(asleep, seen=seen))
        facts = Facts(
            agent=NEXT,
            criticality=Criticality.AUTONOMOUS,
            owner="gus",
            owner_here=False,
            created_at=tx.now - timedelta(days=400),
            usd=4210.5,
            turns=900,
            done=3,
        )
        reviewing.take_in(tx, facts, lingers(facts, now=tx.now))
    return shown, {
        "list": "/sunsets?everything=true",
        "asleep": f"/sunsets/{one.id}",
        "proposed": f"/sunsets/{other.id}",
        "zombies": "/sunsets/zombies",
        "agents": "/agents",
        "agent": f"/agents/{AGENT}",
        "lingers": f"/agents/{NEXT}",
    }


def _proposed(tx: Tx, agent: str, because: str = "the harbour took over") -> Sunset:
    draft = SunsetDraft(agent=agent, because=because, successor=NEXT, plan=PLAN)
    return commands.propose(tx, draft)


@pytest.mark.browser
@pytest.mark.parametrize(
    "which", ["list", "asleep", "proposed", "zombies", "agents", "agent", "lingers"]
)
def test_pages_hold(
    page: Page, ended: tuple[Site, dict[str, str]], base: str, which: str
) -> None:
    site, found = ended
    holds(page, site, base, found[which])
