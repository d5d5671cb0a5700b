"""The application, a site to look at, and somebody who is sent secrets."""

from collections.abc import Iterator

import pytest
from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.channels.world import Receiver, receiver
from tests.installation import home, home_template, local, own_environment, shell
from tests.pages import base, day, shown, site

__all__ = [
    "api",
    "base",
    "browser",
    "day",
    "home",
    "home_template",
    "local",
    "own_environment",
    "page",
    "shell",
    "shown",
    "site",
    "sqlite_api",
]


@pytest.fixture
def here() -> Iterator[Receiver]:
    with receiver() as found:
        yield found
