"""The pages about acting, over an office whose agent acts, hold what every page promises."""

import pytest
from playwright.sync_api import Page
from tests.acting import Acted, act
from tests.browser import browser, page
from tests.pages import Site, base, day, holds, shown

__all__ = ["base", "browser", "day", "page", "shown"]


@pytest.fixture(scope="module")
def acted(shown: Site) -> Acted:
    return act(shown.api.db)


@pytest.mark.parametrize(
    "path",
    [
        "/turns",
        "/turns/{turn_id}",
        "/policies/what-if",
        "/inbox",
        "/inbox?request={request_id}",
        "/inbox/overrides",
        "/budgets",
        "/budgets/{budget_id}",
        "/autonomy",
        "/autonomy/{agent}",
        "/agents/{agent}",
        "/contracts/pay-invoice",
        "/quarantine",
    ],
)
def test_every_page_about_acting_holds(
    page: Page, shown: Site, acted: Acted, base: str, path: str
) -> None:
    holds(page, shown, base, path.format(**acted.ids))
