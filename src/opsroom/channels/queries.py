"""Looking at channels in force, and at what went through them."""

from datetime import datetime

from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Ref, Version, listing
from opsroom.registry import queries as registry
from opsroom.registry.errors import VersionNotFound
from opsroom.registry.model import PRODUCTION

from . import store
from .errors import ChannelSilent
from .model import ChannelSpec, Delivery, State

KIND = "channel"
MOST = 100
PAGE = 50
InForce = tuple[Version, ChannelSpec]


def in_force(tx: Tx) -> list[InForce]:
    """The channels that tell anything: those with a version in production."""
    return [
        _read(registry.version(tx, Ref(KIND, row.artifact.name, PRODUCTION)))
        for row in listing.rows(tx, KIND, limit=MOST)
        if PRODUCTION in row.labels
    ]


def channel(tx: Tx, name: str) -> InForce:
    """One channel as production has it. Raises `ArtifactNotFound`, or `ChannelSilent` where no
    version is in production or that one is switched off.
    """
    try:
        version, spec = _read(registry.version(tx, Ref(KIND, name, PRODUCTION)))
    except VersionNotFound as error:
        raise ChannelSilent(name, "no version of it is in production") from error
    if not spec.enabled:
        raise ChannelSilent(name, f"{version.ref} is switched off")
    return version, spec


def deliveries(
    tx: Tx, name: str, *, before: str | None = None, limit: int = PAGE
) -> list[Delivery]:
    """What went through a channel, newest first. Raises `ArtifactNotFound`."""
    registry.artifact(tx, KIND, name)
    return store.page(tx, name, before=before, limit=limit)


def unheard(tx: Tx, *, since: datetime) -> dict[tuple[str, State], int]:
    """How many notices are pending, and how many were abandoned since, by channel."""
    names = [row.artifact.name for row in listing.rows(tx, KIND, limit=MOST)]
    return store.unheard(tx, names, since)


def _read(version: Version) -> InForce:
    return version, adapter(ChannelSpec).validate_python(version.spec)
