"""Is it alive, and is it ready? For supervisors and load balancers; open to everybody."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

import opsroom
from opsroom.access.http import NOBODY, database
from opsroom.journal import queries
from opsroom.kit.db import Database

router = APIRouter(tags=["health"])


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
