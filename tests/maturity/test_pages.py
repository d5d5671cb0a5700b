"""Maturity in a browser, in both colours and on narrow screens."""

import pytest
from playwright.sync_api import Page
from tests.pages import Site, holds


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/maturity", "/maturity/agent/customs-classifier"])
def test_pages_hold(page: Page, shown: Site, base: str, path: str) -> None:
    holds(page, shown, base, path)
