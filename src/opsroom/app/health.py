"""Is it alive, is it ready, and what of it is not well?

The first two are for supervisors and load balancers and open to everybody. The third is what
`opsroom doctor` asks, which cannot see the server's disk, settings and telemetry itself.
"""

import shutil
from dataclasses import dataclass
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request

import opsroom
from opsroom.access.http import NOBODY, Read, database
from opsroom.journal import queries
from opsroom.kit.db import Database
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import Wire
from opsroom.traces.telemetry import Traces

from .settings import Settings
from .telemetry import FOLDER

router = APIRouter(tags=["health"])
LEAST_SPACE = 1024**3  # bytes
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Wire):
    """A part of this server, and how it is. `fix` says what to do where it is not well."""

    check: str
    ok: bool
    found: str
    fix: str = ""


@router.get("/healthz")
def alive(_: Request) -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def ready(db: Annotated[Database, Depends(database)]) -> dict[str, str]:
    """The process answers and its database does, too; 503 where it does not."""
    with db.read(NOBODY) as tx:
        queries.head(tx)
    return {"status": "ready", "version": opsroom.__version__}


@router.get("/v1/health")
def examine(request: Request, _: Read) -> list[Part]:
    """What of this server is well and what is not: disk, telemetry, models. Changes nothing."""
    settings = cast("Settings", request.app.state.settings)
    traces = cast("Traces", request.app.state.traces)
    return [_space(settings), _telemetry(settings, traces), _models(settings)]


def _space(settings: Settings) -> Part:
    try:
        free = shutil.disk_usage(settings.data).free
    except OSError as error:
        return Part(
            check="server disk",
            ok=False,
            found=f"the server's folder cannot be looked at: {error.strerror}",
            fix="see that the folder of OPSROOM_HOME is there and belongs to the server",
        )
    return Part(
        check="server disk",
        ok=free >= LEAST_SPACE,
        found=f"{free / 1024**3:,.1f} GiB free",
        fix="make room on the server's disk, or keep less telemetry (OPSROOM_TELEMETRY_GIGABYTES)",
    )


def _telemetry(settings: Settings, traces: Traces) -> Part:
    where = "ClickHouse at OPSROOM_TELEMETRY_URL" if settings.telemetry_url else "in the folder"
    if not settings.telemetry_url and not (settings.data / FOLDER).exists():
        return Part(check="telemetry", ok=True, found=f"{where}, nothing came yet")
    try:
        traces.rows("SELECT 1 AS one")
    except OpsroomError as error:
        fix = "see that ClickHouse runs, and that OPSROOM_TELEMETRY_URL leads to it"
        return Part(check="telemetry", ok=False, found=str(error), fix=fix)
    return Part(check="telemetry", ok=True, found=f"{where}, answers")


def _models(settings: Settings) -> Part:
    if not settings.model_url:
        found = "no endpoint (OPSROOM_MODEL_URL): evaluations use recorded answers"
        return Part(check="models", ok=True, found=found)
    host = urlsplit(settings.model_url).hostname or "?"
    return Part(
        check="models",
        ok=bool(settings.model_key) or host in _HERE,
        found=f"{host}, {'with a key' if settings.model_key else 'without a key'}",
        fix="set OPSROOM_MODEL_KEY where the server runs, and start it again",
    )
