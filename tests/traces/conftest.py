from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.installation import home, home_template, own_environment, shell
from tests.pages import base, day, shown
from tests.telemetry import _telemetry_of_this_process, room
from tests.traces.world import office, sender, stuck

__all__ = [
    "_telemetry_of_this_process",
    "api",
    "base",
    "browser",
    "day",
    "home",
    "home_template",
    "office",
    "own_environment",
    "page",
    "room",
    "sender",
    "shell",
    "shown",
    "sqlite_api",
    "stuck",
]
