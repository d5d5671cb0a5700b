"""Putting tools into quarantine."""

from opsroom.contracts.model import ContractSpec, Mcp
from opsroom.kit.db import Tx
from opsroom.registry import Version

from . import store
from .model import Quarantined, SeenTool, approved

GONE = "0" * 64


def quarantine(tx: Tx, version: Version, spec: ContractSpec, seen: SeenTool | None) -> bool:
    """Put on record that a tool is not what was approved; True when this is news.

    Each new face of a tool is a security event of its own, told once.
    """
    assert isinstance(spec.executor, Mcp), "only tools of MCP servers are quarantined"
    face = GONE if seen is None else seen.face
    if store.noted(tx, version.digest, face):
        return False
    one = Quarantined(
        id=tx.ids.new("qua"),
        contract=version.ref,
        digest=version.digest,
        tool=spec.tool,
        url=spec.executor.url,
        face=face,
        approved=approved(spec),
        seen=seen,
        seen_at=tx.now,
    )
    if not store.add(tx, one):
        return False
    tx.record(
        "gateway.tool_quarantined",
        version.ref,
        quarantine=one.id,
        tool=spec.tool,
        url=one.url,
        face=face,
        what="is gone" if seen is None else "was changed",
    )
    return True
