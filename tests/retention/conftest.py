from tests.api import api, sqlite_api

__all__ = ["api", "sqlite_api"]
