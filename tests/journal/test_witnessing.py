"""Checkpoints at work: posted where one says, and what is wrong is told once, and loudly."""

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import text, update

from opsroom.journal import checkpoints, witnessing
from opsroom.journal.checkpoints import Notary
from opsroom.journal.store import head_table
from opsroom.kit.db import Actor, Database


class Outside:
    """Somebody who keeps checkpoints."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.status = 204
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outside.kept.append(self.rfile.read(length).decode())
                self.send_response(outside.status)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def outside() -> Iterator[Outside]:
    it = Outside()
    thread = threading.Thread(target=it.server.serve_forever)
    thread.start()
    yield it
    it.server.shutdown()
    thread.join()
    it.server.server_close()


def work(db: Database, actor: Actor) -> None:
    with db.write(actor) as tx:
        tx.record("label.moved", "prompt/a")


def test_each_new_checkpoint_is_posted_once(
    sqlite_db: Database,
    actor: Actor,
    outside: Outside,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    notary = Notary(tmp_path)
    witness = witnessing.Witness(
        sqlite_db, notary, url=f"http://{outside.host}/", allow=(outside.host,)
    )
    witness.look()
    witness.look()
    assert outside.kept == [notary.kept()]
    outside.status = 500
    for _ in range(3):
        work(sqlite_db, actor)
        witness.look()
    assert [one.message for one in caplog.records] == [
        "the checkpoint was not taken by 127.0.0.1: it answered 500"
    ]
    outside.status = 200
    work(sqlite_db, actor)
    witness.look()
    assert outside.kept[-1] == notary.kept()


def test_what_was_put_back_is_told_at_the_start(
    sqlite_db: Database, actor: Actor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notary = Notary(tmp_path)
    witnessing.notice(sqlite_db, notary)
    for _ in range(5):
        work(sqlite_db, actor)
    checkpoints.make(sqlite_db, notary)
    witnessing.notice(sqlite_db, notary)
    assert caplog.records == []
    with sqlite_db.write(actor) as tx:
        tx.conn.execute(text("DELETE FROM journal WHERE seq > 2"))
        tx.conn.execute(update(head_table).values(seq=2))
    witnessing.notice(sqlite_db, notary)
    [told] = caplog.records
    assert told.levelno == logging.ERROR
    assert "4 entries that the last checkpoint counted are missing" in told.message
    witness = witnessing.Witness(sqlite_db, notary)
    witness.look()
    witness.look()
    assert len(caplog.records) == 2


def test_a_process_without_the_key_is_quiet(
    sqlite_db: Database, actor: Actor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints.make(sqlite_db, Notary(tmp_path / "one"))
    work(sqlite_db, actor)
    witnessing.Witness(sqlite_db, Notary(tmp_path / "other")).look()
    assert caplog.records == []
