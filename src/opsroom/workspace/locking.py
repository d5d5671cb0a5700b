"""`opsroom.lock`: which version each file was last in step with.

It belongs into the repository, beside `opsroom.yaml`. It is how a push knows that the server went
on meanwhile, whoever pulls next. One line an artifact, sorted, so that git merges it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from opsroom.kit.files import JsonWrong, read_object, read_text
from opsroom.kit.wire import Wire, adapter, plain

from .errors import FileRefused
from .model import Base

LOCK = "opsroom.lock"
MAX_SIZE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked(Wire):
    """`content` is the digest of what the file said then."""

    base: Base
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock(Wire):
    """By artifact, as `prompt/triage`."""

    files: dict[str, Locked] = field(default_factory=dict[str, Locked])

    def after(self, now: Mapping[str, Locked]) -> "Lock":
        return Lock(files={**self.files, **now})


def read_lock(root: Path) -> Lock:
    """The lock of a workspace; an empty one where there is none. Raises `FileRefused`."""
    path = root / LOCK
    if path.is_symlink() or not path.exists():
        return Lock()
    try:
        return adapter(Lock).validate_python(
            read_object(read_text(path, max_inflated=MAX_SIZE))
        )
    except (JsonWrong, ValidationError) as error:
        why = "it is not one of ours, or two branches were merged into it badly"
        fix = "delete it and pull: files that say what the server says stay as they are"
        raise FileRefused(LOCK, why, fix) from error


def lock_text(lock: Lock) -> str:
    """The lock as it is written."""
    lines = [
        f"    {json.dumps(ref)}: {json.dumps(plain(lock.files[ref]), sort_keys=True)}"
        for ref in sorted(lock.files)
    ]
    return '{\n  "files": {\n' + ",\n".join(lines) + "\n  }\n}\n"
