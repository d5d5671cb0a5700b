"""What deciding needs and would be slow to make anew: compiled policies, and tapes of turns.

Both are found by content that never changes: contracts by their digest, policies by that of the
manifest that cites them, a tape by its turn, whose texts are only ever added to. So nothing here can be stale, and
losing it costs time alone.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from opsroom.agents.queries import Manifest
from opsroom.contracts.model import ContractSpec
from opsroom.contracts.queries import contract
from opsroom.grounding.tape import Tape
from opsroom.kit.db import Tx
from opsroom.policies.engine import Bundle, compile_bundle
from opsroom.policies.shipped import NAME, shipped

from . import turn_store
from .model import Action, Turn

BUNDLES = 256
SPECS = 2048
TAPES = 512
T = TypeVar("T")


class Latest(Generic[T]):
    """The `most` values that were used last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], T]) -> T:
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found
        made = make()
        with self._lock:
            made = self._kept.setdefault(key, made)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


class Heard:
    """The tape of a turn as far as it has been read, and the lock that reading it takes."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.seq = 0
        self.lock = threading.Lock()


_specs: Latest[ContractSpec] = Latest(SPECS)
_bundles: Latest[Bundle] = Latest(BUNDLES)
_tapes: Latest[Heard] = Latest(TAPES)


def bundle_of(manifest: Manifest) -> Bundle:
    """The policies of a manifest, ready to decide; the shipped ones where it cites none."""

    def compiled() -> Bundle:
        cited = [(reference.partition("/")[2], spec) for reference, spec in manifest.policies]
        contracts = [spec for _, spec in manifest.contracts.values()]
        return compile_bundle(cited or [(NAME, shipped())], contracts)

    return _bundles.get(manifest.digest, compiled)


def spec_of(tx: Tx, action: Action) -> ContractSpec:
    """The contract that an action was proposed under."""
    return spec(tx, action.contract, action.contract_digest)


def spec(tx: Tx, reference: str, digest: str) -> ContractSpec:
    """The contract that a reference names exactly, whose digest is known."""
    return _specs.get(digest, lambda: contract(tx, reference)[1])


def heard(tx: Tx, turn: Turn, manifest: Manifest) -> Heard:
    """What was said in a turn so far. Hold its lock while you read the tape."""
    contracts = {tool: spec for tool, (_, spec) in manifest.contracts.items()}
    found = _tapes.get(turn.id, lambda: Heard(Tape(contracts)))
    with found.lock:
        for seq, piece in turn_store.texts(tx, turn.id, after=found.seq):
            found.tape.add(piece)
            found.seq = seq
    return found
