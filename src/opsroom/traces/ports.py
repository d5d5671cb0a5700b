"""What holds telemetry: ClickHouse, in this process or far away. One SQL for both."""

from collections.abc import Mapping
from typing import Any, Protocol

Row = dict[str, Any]


class Telemetry(Protocol):
    """Statements against one store. Safe to call from any thread.

    Raises `TelemetryUnavailable` when the store does not answer, and `TelemetryRefused` when
    it does not accept what it was given.
    """

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """What a SELECT finds. Parameters stand in it as `{name:Type}`."""
        ...

    def run(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """A statement without a result."""
        ...

    def insert(
        self, table: str, data: bytes, *, form: str, settings: Mapping[str, str]
    ) -> None:
        """Rows in one of ClickHouse's formats. They are durable when this has returned."""
        ...

    def close(self) -> None: ...
