"""Open pages hear of what happens."""

import threading
import time
from pathlib import Path

import httpx2
from tests.installation import running
from tests.patience import PATIENCE

from opsroom.sdk import Opsroom


class Listener:
    """Reads the stream in a thread and keeps its lines."""

    def __init__(self, url: str, token: str, **headers: str) -> None:
        self.lines: list[str] = []
        self.open = threading.Event()
        self._ask = (f"{url}/v1/events", {"Authorization": f"Bearer {token}", **headers})
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        assert self.open.wait(PATIENCE)

    def _read(self) -> None:
        address, headers = self._ask
        try:
            with httpx2.stream("GET", address, headers=headers, timeout=30) as response:
                for line in response.iter_lines():
                    self.open.set()
                    self.lines.append(line)
        except httpx2.HTTPError:
            pass

    def hears(self, what: str) -> bool:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if any(what in line for line in self.lines):
                return True
            time.sleep(0.02)
        return False

    def number_of(self, what: str) -> str:
        """The number of the first event that says this; a server tells of its own doings too."""
        said = next(at for at, line in enumerate(self.lines) if what in line)
        return self.lines[said - 1].removeprefix("id: ")


def test_a_page_hears_what_happens_and_nothing_confidential(home: Path) -> None:
    with running(home) as server, Opsroom(data_dir=home) as client:
        viewer = client.post("/v1/tokens", {"name": "page", "roles": ["viewer"]})["secret"]
        listener = Listener(server.url, viewer)
        client.post("/v1/users", {"name": "ludovica", "roles": []})
        client.post("/v1/artifacts/prompt", {"name": "greeting"})
        assert listener.hears('{"event": "artifact.created", "subject": "prompt/greeting"}')
        assert not any("ludovica" in line for line in listener.lines)
        seen = listener.number_of("prompt/greeting")
        client.post("/v1/artifacts/prompt", {"name": "second"})
        back = Listener(server.url, viewer, **{"Last-Event-ID": seen})
        assert back.hears("prompt/second")
        assert not any("prompt/greeting" in line for line in back.lines)


def test_a_listener_does_not_keep_the_server_up(home: Path) -> None:
    with running(home) as server:
        Listener(server.url, (home / "token").read_text())
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 8
