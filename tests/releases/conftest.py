"""Releases at the stage that a test is about."""

from collections.abc import Callable

import pytest
from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.pages import base, day, shown, site
from tests.releases import world

from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.releases.model import Release

__all__ = ["api", "base", "browser", "day", "page", "shown", "site", "sqlite_api"]

Reach = Callable[[Database], Release]


@pytest.fixture
def shadowing(clock: ManualClock) -> Reach:
    """Makes the world and a release in it whose candidate answers unseen."""

    def reach(db: Database) -> Release:
        world.build(db, cases=2)
        return world.reach_shadow(db)

    return reach


@pytest.fixture
def canarying(clock: ManualClock) -> Reach:
    """Makes the world and a release in it whose candidate has met traffic."""

    def reach(db: Database) -> Release:
        world.build(db, cases=2)
        return world.reach_canary(db, clock)

    return reach
