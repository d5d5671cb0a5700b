from tests.api import api, sqlite_api
from tests.browser import browser, page
from tests.installation import home, home_template, own_environment, shell

__all__ = [
    "api",
    "browser",
    "home",
    "home_template",
    "own_environment",
    "page",
    "shell",
    "sqlite_api",
]
