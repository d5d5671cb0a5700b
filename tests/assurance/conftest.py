from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.installation import home, home_template, own_environment, shell
from tests.pages import base, day, shown, site

__all__ = [
    "api",
    "base",
    "browser",
    "day",
    "home",
    "home_template",
    "own_environment",
    "page",
    "shell",
    "shown",
    "site",
    "sqlite_api",
]
