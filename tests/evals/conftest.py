from tests.api import sqlite_api
from tests.browser import browser, page
from tests.pages import base, day, shown, site

__all__ = ["base", "browser", "day", "page", "shown", "site", "sqlite_api"]
