from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.pages import base, day, shown, site

__all__ = ["api", "base", "browser", "day", "page", "shown", "site", "sqlite_api"]
