"""An installation in a folder of its own, and a server process on it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.patience import PATIENCE

from opsroom.app import Settings, local_token, open_runtime
from opsroom.cli.main import run
from opsroom.sdk import Opsroom

OPSROOM = [sys.executable, "-c", "from opsroom.cli import main; main()"]


@pytest.fixture(scope="session")
def home_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "template"
    runtime = open_runtime(Settings(data=folder))
    local_token(runtime)
    runtime.close()
    return folder


@pytest.fixture
def home(home_template: Path, tmp_path: Path) -> Path:
    """The folder of a fresh installation that nobody serves."""
    folder = tmp_path / "home"
    shutil.copytree(home_template, folder)
    return folder


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing outside a test says where opsroom is, and no snapshot outlives one."""
    for name in [name for name in os.environ if name.startswith("OPSROOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPSROOM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OPSROOM_CONFIG", str(tmp_path / "config"))


@pytest.fixture
def local(home: Path) -> Iterator[Opsroom]:
    """A client that opens the folder itself."""
    with Opsroom(data_dir=home) as client:
        yield client


class Shell:
    """Runs commands on one installation and remembers what they said."""

    def __init__(self, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self._home, self._capfd = home, capfd
        self.out = self.err = ""

    def __call__(self, *arguments: object) -> int:
        code = run([*map(str, arguments), "--data", str(self._home)])
        self.out, self.err = self._capfd.readouterr()
        return code

    def data(self, *arguments: object) -> Any:
        """The answer of a command that works, as data."""
        assert self(*arguments, "--json") == 0, self.err
        return json.loads(self.out)

    def refused(self, *arguments: object) -> dict[str, Any]:
        """The error of a command that does not work, with its exit code."""
        code = self(*arguments, "--json")
        assert code, self.out
        error: dict[str, Any] = json.loads(self.err)["error"]
        return {**error, "exit_code": code}


@pytest.fixture
def shell(home: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(home, capfd)


class Process:
    """A server process; `pause` makes it hang the way an overloaded machine does."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [*OPSROOM, "up", "--data", str(folder), "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            text=True,
        )
        self.url = self._wait()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.go_on()
        self.process.terminate()
        return self._ended()

    def kill(self) -> None:
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        self.said, self.complained = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def _wait(self) -> str:
        announced = self.folder / "server.json"
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(self.process.communicate()[1])
            if announced.exists():
                facts = json.loads(announced.read_text())
                if facts["pid"] == self.process.pid:
                    return str(facts["url"])
            time.sleep(0.02)
        self.kill()
        raise AssertionError("the server did not come up")


@contextmanager
def running(folder: Path, *arguments: str, **environment: str) -> Iterator[Process]:
    server = Process(folder, *arguments, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
