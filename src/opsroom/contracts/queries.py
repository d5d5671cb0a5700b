"""Finding a contract."""

from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Ref, Version
from opsroom.registry import queries as registry

from .model import ContractSpec


def contract(tx: Tx, reference: str) -> tuple[Version, ContractSpec]:
    """The contract that `name@3`, `name@label` or `name` cites.

    Raises what the registry raises for references that lead nowhere.
    """
    version = registry.version(tx, Ref.parse(reference, kind="contract"))
    return version, adapter(ContractSpec).validate_python(version.spec)
