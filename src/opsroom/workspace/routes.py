"""Workspaces over HTTP: files against the server, and a whole project as one archive."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opsroom.access.http import Caller, Write, database
from opsroom.registry.routes import KnownKinds

from . import carrying, commands
from .carrying import Import
from .model import Files, Plan

router = APIRouter(prefix="/v1/workspace", tags=["workspace"])
ARCHIVE = "application/gzip"


@router.post("/plan")
def plan(files: Files, tx: Write, known: KnownKinds) -> Plan:
    """How the files stand to the server, word by word, and what a push would do. Nothing is
    stored.
    """
    return commands.plan(tx, files, kinds=known)


@router.post("/push")
def push(files: Files, tx: Write, known: KnownKinds) -> Plan:
    """Make everything what its file says: all of it, or nothing."""
    return commands.push(tx, files, kinds=known)


@router.post("/export", response_class=Response)
def export(request: Request, actor: Caller, known: KnownKinds) -> Response:
    """The project's whole registry as one archive; the same registry makes the same bytes."""
    db = database(request)
    with db.read(actor) as tx:
        manifest, packed = carrying.export(tx, kinds=known)
    with db.write(actor) as tx:
        carrying.record_export(tx, manifest)
    return Response(
        packed, media_type=ARCHIVE, headers={"Opsroom-Workspace-Digest": manifest.digest}
    )


@router.post("/import/plan")
async def plan_import(request: Request, actor: Caller, known: KnownKinds) -> Import:
    """What an import of the archive in the body would do. Nothing is stored."""
    packed = await request.body()

    def look() -> Import:
        manifest = carrying.check(packed, kinds=known)
        with database(request).write(actor) as tx:
            return carrying.plan(tx, packed, manifest, kinds=known)

    return await run_in_threadpool(look)


@router.post("/import")
async def take_in(request: Request, actor: Caller, known: KnownKinds) -> Import:
    """Bring in the archive in the body: all of it, or nothing."""
    packed = await request.body()

    def store() -> Import:
        manifest = carrying.check(packed, kinds=known)
        with database(request).write(actor) as tx:
            return carrying.take_in(tx, packed, manifest, kinds=known)

    return await run_in_threadpool(store)
