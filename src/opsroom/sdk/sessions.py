"""Logins of the person at this terminal, kept between commands.

Only the command line uses them: a program has a token of its own, and what it does is not
done by a person.
"""

import json
import os
from pathlib import Path

from .snapshots import replace_private


def read(place: str) -> str | None:
    """The session that was begun at a place, if one is kept."""
    return _all().get(place)


def keep(place: str, secret: str) -> None:
    _write({**_all(), place: secret})


def forget(place: str) -> None:
    _write({name: secret for name, secret in _all().items() if name != place})


def _file() -> Path:
    named = os.environ.get("OPSROOM_CONFIG")
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "opsroom"
    return (Path(named) if named else folder) / "sessions.json"


def _all() -> dict[str, str]:
    try:
        kept = json.loads(_file().read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): str(secret) for name, secret in kept.items()}


def _write(sessions: dict[str, str]) -> None:
    replace_private(_file(), json.dumps(sessions, indent=2))
