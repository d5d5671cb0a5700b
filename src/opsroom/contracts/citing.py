"""The secret that a contract cites: how it is written, and whose it is when it is used."""

from dataclasses import replace

from opsroom.vault import is_reference, within
from opsroom.vault.errors import BrokenSecret

from .model import ContractSpec, InProcess


def check_secret(spec: ContractSpec) -> None:
    """Raise `BrokenSecret` where a contract cites its secret in no way that is known."""
    if isinstance(spec.executor, InProcess) or not spec.executor.secret:
        return
    if not is_reference(spec.executor.secret):
        raise BrokenSecret("a contract cites it as secret:NAME or OPSROOM_SECRET_…")


def executed_in(spec: ContractSpec, project: str) -> ContractSpec:
    """The contract as it is carried out for a project: what it cites is that project's."""
    if isinstance(spec.executor, InProcess) or not spec.executor.secret:
        return spec
    secret = within(spec.executor.secret, project)
    return replace(spec, executor=replace(spec.executor, secret=secret))
