from tests.api import api, sqlite_api
from tests.installation import home, home_template, own_environment

__all__ = ["api", "home", "home_template", "own_environment", "sqlite_api"]
