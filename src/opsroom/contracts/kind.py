"""What the registry needs to know about contracts."""

from collections.abc import Sequence
from dataclasses import replace

import yaml

from opsroom.kit.wire import plain
from opsroom.registry import Finding, Kind, Lookup

from . import lint as linting
from .checking import checker
from .citing import check_secret
from .closing import closed
from .model import ContractSpec


def pin(spec: ContractSpec, lookup: Lookup) -> ContractSpec:
    """Replace references by the versions they name now, close the input, and refuse schemas
    that are none.
    """
    check_secret(spec)
    shut = closed(spec.input)
    checker(shut, tool=spec.tool)
    if spec.output is not None:
        checker(spec.output, tool=spec.tool, place="output")
    cited = {
        role: lookup(reference, kind="contract")
        for role, reference in (("lookup", spec.lookup), ("compensator", spec.compensator))
        if reference
    }
    named = {role: f"{one.name}@{one.number}" for role, one in cited.items()}
    return replace(
        spec,
        input=shut,
        lookup=named.get("lookup"),
        compensator=named.get("compensator"),
        cites={one.ref: one.digest for one in cited.values()},
    )


def lint(spec: ContractSpec, before: ContractSpec | None, _lookup: Lookup) -> Sequence[Finding]:
    return linting.lint(spec, before)


def references(spec: ContractSpec) -> Sequence[str]:
    return tuple(spec.cites)


def text(spec: ContractSpec) -> str:
    """The contract as YAML, one setting a line."""
    return yaml.safe_dump(plain(spec), sort_keys=False, allow_unicode=True, width=88)


KIND = Kind(
    name="contract", shape=ContractSpec, text=text, pin=pin, lint=lint, references=references
)
