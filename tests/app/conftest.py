from tests.api import api, sqlite_api
from tests.installation import home, home_template, local, own_environment
from tests.telemetry import _telemetry_of_this_process, room

__all__ = [
    "_telemetry_of_this_process",
    "api",
    "home",
    "home_template",
    "local",
    "own_environment",
    "room",
    "sqlite_api",
]
