"""Environments over HTTP."""

from dataclasses import dataclass

from fastapi import APIRouter

from opsroom.access.http import Read, Write
from opsroom.kit.wire import Wire

from . import environments
from .model import Criticality, Environment

router = APIRouter(prefix="/v1/environments", tags=["registry"])


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentDraft(Wire):
    """What it takes to change what runs in an environment; see `Environment`."""

    position: int = 50
    reviewed: bool = False
    criticality: Criticality = Criticality.ADVISORY
    movers: tuple[str, ...] = ()
    after: str = ""
    note: str = ""


@router.get("")
def list_environments(tx: Read) -> list[Environment]:
    """The environments of this project, in their order."""
    return environments.environments(tx)


@router.put("/{environment}")
def set_environment(environment: str, wanted: EnvironmentDraft, tx: Write) -> Environment:
    """Make an environment, or change what it asks for from the next command on."""
    new = Environment(
        name=environment,
        position=wanted.position,
        reviewed=wanted.reviewed,
        criticality=wanted.criticality,
        movers=wanted.movers,
        after=wanted.after,
        note=wanted.note,
    )
    return environments.set_environment(tx, new)


@router.delete("/{environment}", status_code=204)
def remove_environment(environment: str, tx: Write) -> None:
    """Forget an environment; its label stays where it is."""
    environments.remove_environment(tx, environment)
