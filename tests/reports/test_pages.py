"""Reports in a browser, in both colours and on narrow screens."""

import pytest
from playwright.sync_api import Page
from tests.channels.world import store
from tests.pages import Site, holds

from opsroom.kit.db import Actor
from opsroom.reports import commands, queries
from opsroom.reports.model import Ask, Every, ScheduleDraft, complete

OLGA = Actor("olga", "default", frozenset({"read", "operate"}), ("operator",))


@pytest.mark.browser
@pytest.mark.parametrize("name", ["", "/exposure", "/changes", "/copies/"])
def test_pages_hold(page: Page, shown: Site, base: str, name: str) -> None:
    copy = sent(shown)
    shown.api.app.state.traces = None
    holds(page, shown, base, f"/reports{name}{copy if name == '/copies/' else ''}")


def sent(site: Site) -> str:
    """What a schedule sent; the site is shared."""
    with site.api.db.read(OLGA) as tx:
        if there := queries.copies(tx):
            return there[0].id
    to = {"kind": "webhook", "url": "https://desk.example/", "secret": "OPSROOM_SECRET_DESK"}
    store(site.api.db, "desk", {"to": to})
    with site.api.db.write(OLGA) as tx:
        draft = ScheduleDraft(report="changes", every=Every.MONTH, channel="desk")
        schedule = commands.set_schedule(tx, draft)
        _, until = complete(Every.MONTH, tx.now)
        made = queries.answer(tx, "changes", Ask(since=until, until=tx.now))
        copy = commands.send(tx, schedule, made)
    assert copy is not None
    return copy.id
