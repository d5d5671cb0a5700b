"""Where opsroom is: an address that was given, a server on this machine, or a folder."""

import fcntl
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

HOME = Path(".opsroom")
START_UP = 5.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers at `url`; `home` is its folder, where it runs on this machine."""

    url: str
    token: str | None = field(repr=False)
    home: Path | None = None

    @property
    def name(self) -> str:
        """What it is called when it is found again: an address may change, a folder stays."""
        return str(self.home.absolute()) if self.home else self.url


@dataclass(frozen=True, slots=True)
class Folder:
    """An installation that nobody serves; we open it ourselves."""

    data: Path

    @property
    def name(self) -> str:
        return str(self.data.absolute())


Place = Server | Folder


def environment() -> str:
    """Where this program runs: `OPSROOM_ENVIRONMENT`, or production. It is the label that its
    prompts and agents are read by.
    """
    return os.environ.get("OPSROOM_ENVIRONMENT") or "production"


def find(
    url: str | None = None,
    token: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
) -> Place:
    """The first of: `url`, `OPSROOM_URL` (unless a folder was named), a running server, the folder."""
    token = token or os.environ.get("OPSROOM_TOKEN") or None
    address = url or (None if data_dir else os.environ.get("OPSROOM_URL"))
    if address:
        return Server(address.rstrip("/"), token)
    data = Path(data_dir or os.environ.get("OPSROOM_HOME") or HOME)
    if (running := _running(data)) is not None:
        return Server(running, token or _read(data / "token"), data)
    return Folder(data)


def installed(data: Path) -> bool:
    """Whether there is an installation to open, in the folder or in a database of its own."""
    return bool(os.environ.get("OPSROOM_DATABASE_URL")) or (data / "opsroom.db").exists()


def _running(data: Path) -> str | None:
    """The address of the server that holds the folder's lock, waiting for one that is starting."""
    patience = time.monotonic() + START_UP
    while _locked(data / "lock"):
        announced = _read(data / "server.json")
        if announced:
            return str(json.loads(announced)["url"])
        if time.monotonic() > patience:
            return None
        time.sleep(0.05)
    return None


def _locked(path: Path) -> bool:
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, PermissionError):
        return None
