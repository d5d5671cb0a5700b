"""What has to reach the server although it is away: what came of an action, how a turn ended.

A report is put on disk before it is sent, and taken off once the server has it. So it survives
this process, and a later one delivers it; the server counts a report once, however often it
comes. Files are signed: nobody else can plant the news that something was done.
"""

import hmac
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsroom.kit.errors import OpsroomError

from .errors import RemoteError
from .snapshots import own_key, replace_private

if TYPE_CHECKING:
    from .client import Opsroom

log = logging.getLogger(__name__)
ASK_TIMEOUT = 10.0
FIRST_REST, LONGEST_REST = 0.5, 30.0
NOT_OURS = frozenset({401, 403})
NOT_NOW = frozenset({408, 425, 429})


def default_folder() -> Path:
    """`OPSROOM_SPOOL`, or `opsroom/reports` in the folder where this user's programs keep state."""
    if named := os.environ.get("OPSROOM_SPOOL"):
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "opsroom" / "reports"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Something to be posted; `to` names the opsroom."""

    to: str
    path: str
    body: dict[str, Any]
    written: float


class Reports:
    """The reports of one client that are on their way. Without `most`, its folder may take any
    number of bytes; with it, the oldest are given up for the newest.
    """

    def __init__(
        self, client: "Opsroom", folder: Path | None = None, *, most: int | None = None
    ) -> None:
        self._client = client
        self._folder = folder or default_folder()
        self._most = most
        self._lock = threading.Lock()
        self._courier: threading.Thread | None = None
        self._closed = threading.Event()
        self._not_ours: set[Path] = set()

    def keep(self, path: str, body: dict[str, Any]) -> Path:
        """Put a report on disk; where that fails, it can still be sent."""
        self._make_room()
        name = f"{time.time_ns()}-{os.getpid()}-{threading.get_ident()}.json"
        file = self._folder / name
        report = Report(to=self._client.place.name, path=path, body=body, written=time.time())
        try:
            text = json.dumps(asdict(report))
            replace_private(file, json.dumps({"signature": self._sign(text), "body": text}))
        except OSError as error:
            log.warning("a report cannot be kept in %s: %s", self._folder, error)
        return file

    def send(self, path: str, body: dict[str, Any], file: Path) -> Any | None:
        """Deliver a report now: the server's answer, or None where it has to be tried again
        or was refused.
        """
        try:
            answer = self._client.call("POST", path, body, timeout=ASK_TIMEOUT)
        except RemoteError as error:
            if error.status in NOT_OURS:  # another program's token may be the right one
                self._not_ours.add(file)
            elif error.status < 500 and error.status not in NOT_NOW and error.code != "raced":
                self._refused(file, error)
                return None
            self._later(file, error)
            return None
        except OpsroomError as error:
            self._later(file, error)
            return None
        file.unlink(missing_ok=True)
        return answer

    def post(self, path: str, body: dict[str, Any]) -> Any | None:
        """Deliver now what may also be delivered later: the server's answer, or None where it is
        away and the report waits on disk.

        Raises `RemoteError` where the server refuses it, and what kept the server from
        answering where there is no room on the disk either.
        """
        try:
            return self._client.call("POST", path, body, timeout=ASK_TIMEOUT)
        except OpsroomError as error:
            if isinstance(error, RemoteError) and not (
                error.status >= 500 or error.status in NOT_NOW
            ):
                raise
            if not self.keep(path, body).exists():
                raise
        self.wake()
        return None

    def waiting(self) -> list[tuple[Path, Report]]:
        """What this client has to deliver, the oldest first."""
        here = self._client.place.name
        return [
            (file, report)
            for file, report in self._all()
            if report.to == here and file not in self._not_ours
        ]

    def anything(self) -> bool:
        """Whether anything waits here, for whomever it is."""
        return next(self._folder.glob("*.json"), None) is not None

    def wake(self) -> None:
        """Deliver what waits, in the background, until it is gone."""
        with self._lock:
            if self._courier is None and not self._closed.is_set():
                self._courier = threading.Thread(
                    target=self._deliver, name="opsroom-reports", daemon=True
                )
                self._courier.start()

    def close(self) -> None:
        """Stop trying; what waits stays on disk."""
        self._closed.set()
        with self._lock:
            courier = self._courier
        if courier is not None:
            courier.join(timeout=ASK_TIMEOUT)

    def forked(self) -> None:
        """Begin anew in a forked child, which has no thread of ours."""
        self._lock = threading.Lock()
        self._courier = None

    def _deliver(self) -> None:
        rest = FIRST_REST
        while not self._closed.is_set():
            with self._lock:
                waiting = self.waiting()
                if not waiting:
                    self._courier = None
                    return
            answered = [self.send(one.path, one.body, file) for file, one in waiting]
            if all(one is None for one in answered):
                self._closed.wait(rest)
                rest = min(rest * 2, LONGEST_REST)
            else:
                rest = FIRST_REST

    def _later(self, file: Path, error: Exception) -> None:
        """Make sure that a report outlives the machine's power, and try again."""
        log.warning("a report waits in %s: %s", file, error)
        with suppress(OSError):
            for place in (file, file.parent):
                descriptor = os.open(place, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        self.wake()

    def _all(self) -> Iterator[tuple[Path, Report]]:
        for file in sorted(self._folder.glob("*.json")):
            try:
                kept = json.loads(file.read_bytes())
                text = str(kept["body"])
                if not hmac.compare_digest(self._sign(text), str(kept["signature"])):
                    log.warning("%s does not carry our signature", file)
                    continue
                yield file, Report(**json.loads(text))
            except FileNotFoundError:
                continue  # another process has delivered it
            except (OSError, ValueError, KeyError, TypeError) as error:
                log.warning("%s cannot be read: %s", file, error)

    def _make_room(self) -> None:
        if self._most is None:
            return
        with suppress(OSError):
            files = [
                (file, file.stat().st_size) for file in sorted(self._folder.glob("*.json"))
            ]
            over = sum(size for _, size in files) - self._most
            for file, size in files:
                if over <= 0:
                    break
                log.warning("there is no room for %s any more; it is given up", file)
                file.unlink(missing_ok=True)
                over -= size

    def _refused(self, file: Path, error: RemoteError) -> None:
        """Put aside what will never be taken, for a person to look at."""
        log.error("the server refuses a report, which is kept as %s.refused: %s", file, error)
        with suppress(FileNotFoundError):  # another process was faster
            file.rename(file.with_suffix(".json.refused"))

    def _sign(self, text: str) -> str:
        return hmac.new(own_key(self._folder), text.encode(), "sha256").hexdigest()
