from tests.api import sqlite_api

__all__ = ["sqlite_api"]
