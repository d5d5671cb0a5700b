"""Loops that outlive their process: what they promise on both engines."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.patience import eventually

from opsroom.kit.db import DatabaseUnavailable
from opsroom.kit.durable import Durable, JsonSerializer

FOREVER = 3_600.0


class Work:
    """Something to look after, and what was seen of it."""

    def __init__(self, *answers: float | None) -> None:
        self._answers = list(answers)
        self.looks = 0
        self._lock = threading.Lock()

    def look(self, key: str) -> float | None:
        assert key == "k"
        with self._lock:
            self.looks += 1
            answer = self._answers.pop(0) if self._answers else FOREVER
        if answer is not None and answer < 0:
            raise DatabaseUnavailable("it sleeps") if answer == -1 else ZeroDivisionError
        return answer

    def end(self) -> None:
        with self._lock:
            self._answers = [None]


@contextmanager
def running(url: str, work: Work) -> Iterator[Durable]:
    durable = Durable(url, loops={"loop": work.look})
    durable.launch()
    try:
        yield durable
    finally:
        durable.close()


def test_a_loop_lives_on_through_restarts_and_signals(database_url: str) -> None:
    work = Work(0.0, 0.05, FOREVER)
    with running(database_url, work) as durable:
        durable.begin("loop", "k")
        durable.begin("loop", "k")
        assert eventually(lambda: work.looks == 3)
        durable.signal("loop", "k", about="news-1")
        assert eventually(lambda: work.looks == 4)
        durable.signal("loop", "k", about="news-1")  # told again, as an outbox would
        time.sleep(0.6)
        assert work.looks == 4
        assert not durable.finished("loop", "k")
    work.end()
    with running(database_url, work) as durable:
        durable.signal("loop", "k", about="news-2")
        assert eventually(lambda: durable.finished("loop", "k"))
        assert work.looks == 5
        assert durable.rows("loop", "k") <= 3 * 5, "waiting writes nothing"


@pytest.mark.parametrize("problem", [-1.0, -2.0])
def test_a_loop_outlives_its_failures(sqlite_url: str, problem: float) -> None:
    work = Work(problem, None)
    with running(sqlite_url, work) as durable:
        durable.begin("loop", "k")
        assert eventually(lambda: durable.finished("loop", "k"))
    assert work.looks == 2


def test_a_signal_begins_what_nobody_began(sqlite_url: str) -> None:
    work = Work(None)
    with running(sqlite_url, work) as durable:
        durable.signal("loop", "k", about="news")
        assert eventually(lambda: durable.finished("loop", "k"))


def test_what_is_stored_is_plain_json_and_durable(sqlite_url: str, tmp_path: Path) -> None:
    with running(sqlite_url, Work(None)) as durable:
        durable.begin("loop", "k")
        assert eventually(lambda: durable.finished("loop", "k"))
        stored = sqlite3.connect(tmp_path / "workflows.sqlite")
        try:
            (inputs,) = stored.execute("SELECT inputs FROM workflow_input").fetchone()
            (mode,) = stored.execute("PRAGMA journal_mode").fetchone()
        finally:
            stored.close()
    assert (inputs, mode) == ('{"args":["loop","k"],"kwargs":{}}', "wal")


def test_errors_survive_as_text() -> None:
    json = JsonSerializer()
    again = json.deserialize(json.serialize(ValueError("no")))
    assert (type(again), str(again)) == (RuntimeError, "ValueError: no")
    with pytest.raises(ValueError, match="JSON compliant"):
        json.serialize(float("nan"))
