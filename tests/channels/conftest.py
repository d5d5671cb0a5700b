"""The application, a site in the middle of its day, and somebody who is told."""

from collections.abc import Iterator

import pytest
from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.channels.world import Receiver, receiver
from tests.pages import base, day, shown, site

__all__ = ["api", "base", "browser", "day", "page", "shown", "site", "sqlite_api"]


@pytest.fixture
def here() -> Iterator[Receiver]:
    with receiver() as found:
        yield found
