"""Retraining in a browser, in both colours and on narrow screens."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page
from tests.pages import ANA, Site, holds
from tests.retraining.world import added, desk, found, merged

from opsroom.kit.db import Actor, Database
from opsroom.retraining import commands
from opsroom.retraining.model import Mode, Reason, Settings, Trigger

AGENT = "customs-classifier"


@pytest.fixture(scope="module")
def queue(shown: Site) -> tuple[Site, dict[str, str]]:
    """A site where one agent has many reasons, one is dismissed and one cites nothing."""
    db = shown.api.db
    with db.write(Actor("system:tests", "default", human=False)) as tx:
        for number in range(25):
            commands.notice(
                tx,
                AGENT,
                Reason(
                    trigger=Trigger.DRIFT,
                    because=f"12.{number} % of requests are unlike any before, 1.2 % were",
                    at=tx.now - timedelta(hours=number),
                    evidence=(f"drift/dft_{number}",),
                ),
            )
    with db.write(ANA) as tx:
        over = commands.add(tx, "invoice-matcher", because="suppliers complain")
        commands.dismiss(tx, over.id, reason="they complained of something else")
        commands.set_settings(tx, AGENT, Settings(mode=Mode.RELEASE, every_days=90))
        one = commands.add(tx, AGENT, because="x" * 400)
    return shown, {
        "list": "",
        "all": "?everything=true",
        "entry": f"/{one.id}",
        "over": f"/{over.id}",
        "settings": f"/settings/{AGENT}",
        "candidate": f"/{_merged(db)}",
    }


def _merged(db: Database) -> str:
    """An entry of which something was found and merged, so that its release can be started."""
    desk(db, cases=0, by=ANA)
    one = found(db, added(db))
    merged(db, one)
    return one.id


@pytest.mark.browser
@pytest.mark.parametrize(
    "which", ["list", "all", "entry", "over", "settings", "candidate", "overview"]
)
def test_pages_hold(
    page: Page, queue: tuple[Site, dict[str, str]], base: str, which: str
) -> None:
    site, where = queue
    path = "/" if which == "overview" else f"/retraining{where[which]}"
    holds(page, site, base, path)
