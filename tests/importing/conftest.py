from tests.api import sqlite_api
from tests.installation import home, home_template, own_environment, shell

__all__ = ["home", "home_template", "own_environment", "shell", "sqlite_api"]
