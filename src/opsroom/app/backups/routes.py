"""Backups over HTTP: made into the installation's own folder, and never sent anywhere."""

from dataclasses import dataclass

from fastapi import APIRouter, Request

from opsroom.access import organisations
from opsroom.access.errors import MayNot
from opsroom.access.http import Caller, database
from opsroom.app.runtime import Runtime
from opsroom.kit.wire import Wire

from . import making

router = APIRouter(tags=["health"])
FOLDER = "backups"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup(Wire):
    """A backup that was made: its folder on the server's machine, its bytes and files, and where
    the journal ends in it.
    """

    folder: str
    size: int
    files: int
    journal: str


@router.post("/v1/backups", status_code=201)
def make_backup(request: Request, actor: Caller) -> Backup:
    """Back everything up into the installation's folder, while it goes on. Takes somebody who
    administers the whole installation.
    """
    runtime: Runtime = request.app.state.runtime
    db = database(request)
    with db.read(actor) as tx:
        if not organisations.may_create(tx):
            raise MayNot(actor.name, "administer")
    name = f"{db.clock.now():%Y%m%dT%H%M%S}"
    folder = runtime.settings.data.resolve() / FOLDER / name
    made = making.make(runtime, request.app.state.traces, folder)
    found = Backup(
        folder=str(folder), size=made.size, files=len(made.files), journal=str(made.journal)
    )
    with db.write(actor) as tx:
        tx.record(
            "backup.made",
            f"backup/{name}",
            size=made.size,
            journal=found.journal,
            files=found.files,
        )
    return found
