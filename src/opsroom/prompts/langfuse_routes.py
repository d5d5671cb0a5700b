"""Prompts at the address where Langfuse's SDKs look for them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from opsroom.access.http import Read
from opsroom.kit.texts import as_name
from opsroom.registry import environments
from opsroom.registry import queries as registry
from opsroom.registry.model import LATEST, NAME, PRODUCTION

from . import queries
from .errors import LabelAndVersion
from .langfuse import for_langfuse

router = APIRouter(prefix="/api/public/v2/prompts", tags=["prompts"])


@router.get("/{name:path}")
def read_as_langfuse(
    name: str,
    tx: Read,
    label: str | None = None,
    version: Annotated[int | None, Query(ge=1)] = None,
) -> dict[str, Any]:
    """A version as `langfuse.get_prompt` takes it; at the label production, if nothing is said.

    Names that cannot be ours stand for the name that an import would give them.
    """
    if label is not None and version is not None:
        raise LabelAndVersion(label, version)
    at = str(version) if version is not None else (label or PRODUCTION)
    environments.check_within(tx, at)
    ours = name if NAME.fullmatch(name) else as_name(name)
    found = queries.version(tx, ours, at)
    reading = queries.reading(tx, found)
    shown = for_langfuse(reading.spec, include=reading.includes.__getitem__)
    labels = [
        one.label for one in registry.labels(tx, "prompt", ours) if one.number == found.number
    ]
    if queries.version(tx, ours, LATEST).number == found.number:
        labels.append(LATEST)
    return {
        "type": shown.type,
        "name": name,
        "version": found.number,
        "prompt": shown.prompt,
        "config": shown.config,
        "labels": labels,
        "tags": list(registry.artifact(tx, "prompt", ours).tags),
        "commitMessage": found.message or None,
        "resolutionGraph": None,
    }
