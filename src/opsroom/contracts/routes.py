"""Contracts over HTTP: trying arguments on one. The rest is the registry's."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import APIRouter

from opsroom.access.http import Read
from opsroom.kit.wire import Wire

from . import queries
from .canonical import Note, canonicalise
from .keys import amount_of, key_of
from .model import Tier
from .words import title

router = APIRouter(prefix="/v1/contracts", tags=["contracts"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Wire):
    """Arguments to try on a version of a contract."""

    arguments: dict[str, Any]
    at: str = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried(Wire):
    """What a call would be: in canonical form, in words, its key, and what it spends in USD."""

    contract: str
    risk: Tier
    title: str
    arguments: dict[str, Any]
    notes: tuple[Note, ...]
    key: str
    amount: Decimal | None


@router.post("/{name}/check")
def check(name: str, trial: Trial, tx: Read) -> Tried:
    """The canonical form of these arguments, if the contract takes them. Nothing is done."""
    version, spec = queries.contract(tx, f"{name}@{trial.at}")
    found = canonicalise(spec, trial.arguments)
    return Tried(
        contract=version.ref,
        risk=spec.risk,
        title=title(spec, found.arguments),
        arguments=found.arguments,
        notes=found.notes,
        key=key_of(spec, found.arguments),
        amount=amount_of(spec, found.arguments),
    )
