"""The store of telemetry as an engine: opened, closed, opened again, and never by two."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from tests.telemetry import alone, shared

from opsroom.engines import clickhouse
from opsroom.traces import schema
from opsroom.traces.errors import TelemetryRefused, TelemetryUnavailable
from opsroom.traces.view import stages

KEEP = timedelta(days=30)


def test_what_was_stored_is_there_for_the_next_to_open_it(tmp_path: Path) -> None:
    with alone():
        for expected in (0, 1):
            store = clickhouse.embedded(tmp_path / "telemetry")
            schema.prepare(store, keep=KEEP)
            (found,) = store.rows("SELECT count() AS n FROM prices")
            assert found["n"] == expected
            store.insert("prices", b'{"model": "m"}\n', form="JSONEachRow", settings={})
            store.close()
            with pytest.raises(TelemetryUnavailable):
                store.rows("SELECT 1")


def test_a_folder_belongs_to_one_process(tmp_path: Path) -> None:
    other = (
        "import sys; from pathlib import Path; from opsroom.engines import clickhouse\n"
        "from opsroom.traces.errors import TelemetryUnavailable\n"
        "try: clickhouse.embedded(Path(sys.argv[1]))\n"
        "except TelemetryUnavailable: sys.exit(3)\n"
    )
    with alone():
        store = clickhouse.embedded(tmp_path / "telemetry")
        done = subprocess.run(
            [sys.executable, "-c", other, tmp_path / "telemetry"], check=False
        )
        store.close()
    assert done.returncode == 3


def test_steps_may_be_repeated_where_a_process_died_between(tmp_path: Path) -> None:
    with alone():
        store = clickhouse.embedded(tmp_path / "telemetry")
        inbox = schema.prepare(store, keep=KEEP)
        store.run("TRUNCATE TABLE steps")  # taken, and never noted
        store.run(f"DROP TABLE {inbox}_1_view")
        assert schema.prepare(store, keep=timedelta(days=7)) == inbox
        taken = {row["name"] for row in store.rows("SELECT name FROM steps")}
        (made,) = store.rows(
            "SELECT create_table_query AS made FROM system.tables WHERE name = 'spans'"
        )
        views = store.rows(
            "SELECT count() AS n FROM system.tables WHERE name LIKE 'inbox%view'"
        )
        store.close()
    assert taken == {name for name, _ in schema.STEPS}
    assert "toIntervalDay(7)" in made["made"]
    assert views[0]["n"] == len(stages())


def test_parameters_are_no_part_of_a_statement() -> None:
    hostile = "x' OR 1 = 1 --\n\\"
    (row,) = shared().rows("SELECT {text:String} AS text", {"text": hostile})
    assert row == {"text": hostile}
    with pytest.raises(TelemetryRefused):
        shared().rows("SELECT nonsense FROM nowhere")


@pytest.mark.parametrize("url", ["", "postgres://host/db", "clickhouse://", "nonsense"])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(clickhouse.BadTelemetryUrl):
        clickhouse.server(url)


def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(TelemetryUnavailable):
        clickhouse.server("clickhouse://127.0.0.1:9")
