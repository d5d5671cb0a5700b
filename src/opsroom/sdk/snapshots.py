"""The last known answers, kept on this machine and signed.

A program that starts while the server is away goes on with what it was last told. The key is
made on first use and only readable by its owner, so nobody else can plant a text here; what
does not carry a right signature is not there.
"""

import contextlib
import hashlib
import hmac
import json
import logging
import os
import secrets
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


def default_folder() -> Path:
    """`OPSROOM_CACHE`, or `opsroom` in the user's cache folder."""
    if named := os.environ.get("OPSROOM_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "opsroom"


class Snapshots:
    """Signed JSON by key, in a folder. Never raises: a broken disk is no reason to stop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, *key: str) -> Any | None:
        """What was written under this key, if it is there and ours."""
        try:
            kept = json.loads(self._file(key).read_bytes())
            body = str(kept["body"])
            if hmac.compare_digest(self._sign(key, body), str(kept["signature"])):
                return json.loads(body)
            log.warning("a snapshot in %s does not carry our signature", self._folder)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("a snapshot in %s cannot be read: %s", self._folder, error)
        return None

    def write(self, *key: str, value: Any) -> None:
        """Keep `value` under this key: all of it, or what was there before."""
        try:
            body = json.dumps(value)
            kept = json.dumps({"signature": self._sign(key, body), "body": body})
            replace_private(self._file(key), kept)
        except OSError as error:
            log.warning("a snapshot in %s cannot be kept: %s", self._folder, error)

    def forget(self, *key: str) -> None:
        """Keep nothing under this key any more."""
        try:
            self._file(key).unlink(missing_ok=True)
        except OSError as error:
            log.warning("a snapshot in %s cannot be removed: %s", self._folder, error)

    def _file(self, key: tuple[str, ...]) -> Path:
        name = hashlib.sha256("\0".join(key).encode()).hexdigest()[:40]
        return self._folder / f"{name}.json"

    def _sign(self, key: tuple[str, ...], body: str) -> str:
        message = json.dumps([*key, body]).encode()
        return hmac.new(own_key(self._folder), message, "sha256").hexdigest()


def own_key(folder: Path) -> bytes:
    """The key that what is kept in a folder is signed with; made when first asked for."""
    path = folder / "key"
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    replace_private(path, secrets.token_hex(32), only_new=True)
    return path.read_bytes()


def replace_private(path: Path, text: str, *, only_new: bool = False) -> None:
    """Put a file there that only its owner may read: all of it, or what was there before."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    if not only_new:
        fresh.replace(path)
        return
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(fresh)  # two processes that start together end up with one key
    fresh.unlink()
