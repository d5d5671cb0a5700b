"""What an agent consists of, and whether it may act at all."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from opsroom.access import queries as access
from opsroom.access.model import ClosedIdentity
from opsroom.contracts.model import ContractSpec
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.policies.model import PolicySpec
from opsroom.registry import Ref, Version
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION, Stamp

from .errors import AgentRetired, BrokenManifest
from .model import AgentSpec

KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A version of an agent with everything it cites, read.

    `contracts` are found by the name of their tool. `policies` come with the reference that
    the manifest cites them by; there may be none, and then the shipped ones hold.
    """

    version: Version
    spec: AgentSpec
    contracts: Mapping[str, tuple[Version, ContractSpec]]
    policies: tuple[tuple[str, PolicySpec], ...]

    @property
    def digest(self) -> str:
        return self.version.digest


class _Kept:
    """Manifests that were read, the latest `KEPT` of them.

    Versions never change, so nothing here is ever out of date; the digest in the key keeps
    apart what only two databases would number alike.
    """

    def __init__(self) -> None:
        self._read: dict[Stamp, Manifest] = {}
        self._lock = threading.Lock()

    def get(self, stamp: Stamp) -> Manifest | None:
        with self._lock:
            found = self._read.pop(stamp, None)
            if found is not None:
                self._read[stamp] = found
            return found

    def put(self, stamp: Stamp, manifest: Manifest) -> None:
        with self._lock:
            self._read[stamp] = manifest
            while len(self._read) > KEPT:
                del self._read[next(iter(self._read))]


_kept = _Kept()


def manifest(
    tx: Tx, agent: str, environment: str = PRODUCTION, number: int | None = None
) -> Manifest:
    """What `agent` acts on: the version that serves `environment`, or the one with `number`.

    Two small queries once a version has been read in this process. Raises `AgentRetired`,
    and what the registry raises for agents and versions that are not there.
    """
    if (closed := retired(tx, agent)) is not None:
        raise AgentRetired(agent, closed.reason)
    return cited(tx, Ref("agent", agent, environment if number is None else str(number)))


def cited(tx: Tx, ref: Ref) -> Manifest:
    """What a version of an agent consists of, whether or not it may act."""
    stamp = registry.stamp(tx, ref)
    found = _kept.get(stamp)
    if found is None:
        found = _read(tx, Ref("agent", ref.name, str(stamp.number)))
        _kept.put(stamp, found)
    return found


def retired(tx: Tx, agent: str) -> ClosedIdentity | None:
    """Since when and why an agent is retired; None for one that is not."""
    return access.closed_identity(tx, agent)


def _read(tx: Tx, ref: Ref) -> Manifest:
    version = registry.version(tx, ref)
    spec = adapter(AgentSpec).validate_python(version.spec)
    touched = [_pinned(tx, version, spec, one, kind="contract") for one in spec.contracts]
    obeyed = [_pinned(tx, version, spec, one, kind="policy") for one in spec.policies]
    contracts = [(one, adapter(ContractSpec).validate_python(one.spec)) for one in touched]
    return Manifest(
        version=version,
        spec=spec,
        contracts={contract.tool: (one, contract) for one, contract in contracts},
        policies=tuple(
            (one.ref, adapter(PolicySpec).validate_python(one.spec)) for one in obeyed
        ),
    )


def _pinned(tx: Tx, by: Version, spec: AgentSpec, reference: str, *, kind: str) -> Version:
    """A cited version, which has to be the very one that the manifest's digest covers."""
    found = registry.version(tx, Ref.parse(reference, kind=kind))
    if spec.cites.get(found.ref) != found.digest:
        raise BrokenManifest(by.ref, found.ref)
    return found
