"""The composition root: the one place that knows every slice and puts them together.

`open_runtime` opens an installation, `build` makes the HTTP application over it, and `serve`
runs that until it is told to stop.
"""

from opsroom.web import fields

fields.put_off()  # before any route is declared

# ruff: noqa: E402
from .background import at_work
from .build import build, guarded
from .runtime import Runtime, local_token, open_runtime
from .settings import Settings, from_environment

__all__ = [
    "Runtime",
    "Settings",
    "at_work",
    "build",
    "from_environment",
    "guarded",
    "local_token",
    "open_runtime",
]
