"""The application over the store of telemetry of this process, for the tests of sunset."""

from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.installation import home, home_template, local, own_environment, shell
from tests.pages import base, day, shown, site
from tests.telemetry import _telemetry_of_this_process, room

__all__ = [
    "_telemetry_of_this_process",
    "api",
    "base",
    "browser",
    "day",
    "home",
    "home_template",
    "local",
    "own_environment",
    "page",
    "room",
    "shell",
    "shown",
    "site",
    "sqlite_api",
]
