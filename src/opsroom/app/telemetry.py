"""The store of telemetry of this installation, opened when it is first needed."""

from collections.abc import Sequence
from datetime import timedelta

from opsroom.kit.db import Actor
from opsroom.models.rates import PriceFrom
from opsroom.retention import queries as retention
from opsroom.traces import keeping
from opsroom.traces.ports import Telemetry
from opsroom.traces.telemetry import Traces

from .runtime import Runtime

FOLDER = "telemetry"
GIGABYTE = 1_000_000_000


def traces(runtime: Runtime) -> Traces:
    """What takes telemetry in and finds it again."""
    settings, db = runtime.settings, runtime.db

    def connect() -> Telemetry:
        from opsroom.engines import clickhouse  # noqa: PLC0415  # half a second, with the first use

        if settings.telemetry_url:
            return clickhouse.server(settings.telemetry_url)
        return clickhouse.embedded(settings.data / FOLDER)

    def own(project: str, provider: str, model: str) -> Sequence[PriceFrom] | None:
        with db.read(Actor("system:prices", project, human=False)) as tx:
            return keeping.own_price(keeping.current(tx), provider, model)

    def held() -> bool:
        with db.read(Actor("system:retention", "", human=False)) as tx:
            return retention.anything_held(tx)

    return Traces(
        connect,
        held=held,
        clock=db.clock,
        own=own,
        keep=timedelta(days=settings.telemetry_days),
        most=int(settings.telemetry_gigabytes * GIGABYTE),
    )
