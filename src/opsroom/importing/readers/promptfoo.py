"""A configuration of promptfoo: `promptfooconfig.yaml`, or a folder that holds one."""

from pathlib import Path

from opsroom.importing.errors import NothingToImport
from opsroom.importing.model import Bundle
from opsroom.importing.promptfoo import bundled, read_suite
from opsroom.importing.promptfoo.bundling import FORMAT

FILES = ("promptfooconfig.yaml", "promptfooconfig.yml", "promptfooconfig.json")


def read(path: Path) -> Bundle:
    """What the configuration comes to. Raises `NotRunnable` with all that is missing."""
    if path.is_dir():
        found = next((path / name for name in FILES if (path / name).is_file()), None)
        if found is None:
            raise NothingToImport(str(path), FORMAT, FILES[0])
        path = found
    bundle, _ = bundled(*read_suite(path))
    return bundle
