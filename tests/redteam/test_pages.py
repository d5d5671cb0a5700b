"""Attacks in the browser: reachable for everyone, in light and dark, wide and narrow."""

import pytest
from playwright.sync_api import Page
from tests.pages import Site, holds


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/redteam", "/redteam/runs/{run}"])
def test_every_page_holds(page: Page, shown: Site, base: str, path: str) -> None:
    holds(page, shown, base, path)
