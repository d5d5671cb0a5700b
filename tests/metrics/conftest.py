from tests.api import api, sqlite_api
from tests.pages import base, day, shown
from tests.telemetry import _telemetry_of_this_process, room

__all__ = [
    "_telemetry_of_this_process",
    "api",
    "base",
    "day",
    "room",
    "shown",
    "sqlite_api",
]
