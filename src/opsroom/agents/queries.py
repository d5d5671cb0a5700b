"""What an agent consists of, and whether it may act at all."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from opsroom.access import queries as access
from opsroom.access.errors import AgentGone
from opsroom.access.model import ClosedIdentity
from opsroom.contracts.model import ContractSpec
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.policies.model import PolicySpec
from opsroom.registry import Ref, Version
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION, Stamp

from . import store
from .errors import AgentRetired, AgentWindingDown, BrokenManifest
from .model import AgentSpec, Ending

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

    Two small queries once a version has been read in this process. Raises `AgentRetired` or
    `AgentGone`, and what the registry raises for agents and versions that are not there.
    """
    _check_open(tx, agent)
    return cited(tx, Ref("agent", agent, environment if number is None else str(number)))


def cited(tx: Tx, ref: Ref) -> Manifest:
    """What a version of an agent consists of, whether or not it may act."""
    stamp = registry.stamp(tx, ref)
    found = _kept.get(stamp)
    if found is None:
        found = _read(tx, Ref("agent", ref.name, str(stamp.number)))
        _kept.put(stamp, found)
    return found


def admit(tx: Tx, agent: str, key: str | None) -> Ending | None:
    """Let a call of an agent in, or refuse it; how far the agent is on its way out, if it is.

    `key` is what the call is for (a subject, a session): of an agent that serves a share of its
    calls, the same key is always served or never. Without a key only an agent that serves nobody
    refuses. Raises `AgentWindingDown`, `AgentGone` or `AgentRetired`.
    """
    _check_open(tx, agent)
    found = store.ending(tx, agent)
    if found is not None:
        served = found.share > 0 if key is None else found.serves(key)
        if not served:
            raise AgentWindingDown(agent, found.share, found.successor)
    return found


def ending(tx: Tx, agent: str) -> Ending | None:
    """How far an agent is on its way out; None for one that is not."""
    return store.ending(tx, agent)


def _check_open(tx: Tx, agent: str) -> None:
    closed = retired(tx, agent)
    if closed is None:
        return
    if closed.sunset:
        raise AgentGone(agent, closed.successor)
    raise AgentRetired(agent, closed.reason)


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
