"""Every table of every slice, in one metadata.

Tables live in the `store` modules of the slices; this is the one place that knows them all.
"""

from importlib import import_module
from pathlib import Path

from sqlalchemy import MetaData

from opsroom.kit.db import metadata

PACKAGE = Path(__file__).parents[1]


def load() -> MetaData:
    """The metadata, once the tables of every slice have been declared in it."""
    for store in sorted(PACKAGE.glob("*/*store.py")):
        import_module(f"opsroom.{store.parent.name}.{store.stem}")
    return metadata
