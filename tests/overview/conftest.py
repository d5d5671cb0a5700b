from tests.browser import browser, page
from tests.pages import base, day, shown, site
from tests.telemetry import _telemetry_of_this_process, room

__all__ = [
    "_telemetry_of_this_process",
    "base",
    "browser",
    "day",
    "page",
    "room",
    "shown",
    "site",
]
