from tests.api import api, sqlite_api
from tests.installation import home, home_template, local, own_environment, shell

__all__ = ["api", "home", "home_template", "local", "own_environment", "shell", "sqlite_api"]
