"""The store of telemetry of this process, for the tests of scoring."""

from tests.api import sqlite_api
from tests.telemetry import _telemetry_of_this_process, room

__all__ = ["_telemetry_of_this_process", "room", "sqlite_api"]
