"""The application on both engines, and the store of telemetry of this process."""

from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.channels.world import Receiver, receiver
from tests.installation import home, home_template, own_environment, shell
from tests.pages import base, day, shown, site
from tests.telemetry import _telemetry_of_this_process, room

__all__ = [
    "Receiver",
    "_telemetry_of_this_process",
    "api",
    "base",
    "browser",
    "day",
    "home",
    "home_template",
    "own_environment",
    "page",
    "receiver",
    "room",
    "shell",
    "shown",
    "site",
    "sqlite_api",
]
