"""What of a contract matters to grounding, worked out once per contract and tape."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opsroom.contracts.infer import tier_of
from opsroom.contracts.model import ArgumentKind, ContractSpec, Tier
from opsroom.contracts.sinks import sinks_of

from .asking import Doing, doing

IDENTIFYING = frozenset(
    {
        ArgumentKind.RECIPIENT,
        ArgumentKind.ACCOUNT,
        ArgumentKind.URL,
        ArgumentKind.SECRET,
        ArgumentKind.IDENTIFIER,
    }
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A contract as grounding sees it. `offered` are the values that its schema itself lists."""

    kinds: Mapping[str, ArgumentKind]  # by path, where `*` stands for every item
    offered: frozenset[str]
    does: Doing
    reads: bool

    def kind_at(self, path: str) -> ArgumentKind:
        """What the argument at a path (`/to/0`) names; parts of it are of its kind."""
        steps = path.split("/")
        shape = "/".join("*" if step.isdecimal() else step for step in steps)
        while shape:
            kind = self.kinds.get(shape) or self.kinds.get(f"{shape}/*")
            if kind is not None:
                return kind
            shape = shape.rpartition("/")[0]
        return ArgumentKind.OTHER


def plan(spec: ContractSpec) -> Plan:
    return Plan(
        kinds={sink.path: sink.kind for sink in sinks_of(spec)},
        offered=frozenset(_offered(spec.input)),
        does=doing(spec.tool, spec.description),
        reads=_only_reads(spec),
    )


def _only_reads(spec: ContractSpec) -> bool:
    """A tool that fetches what an address names is external, and yet changes nothing."""
    if spec.risk is Tier.READ or spec.effects.read_only:
        return True
    return spec.risk is Tier.EXTERNAL and tier_of(spec.tool, spec.description) is Tier.READ


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text and number in arguments, with its path."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, f"{path}/{key}")
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from leaves(part, f"{path}/{number}")
    elif value is not None and not isinstance(value, bool) and value != "":
        yield path, str(value)


def _offered(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        listed = schema.get("enum")
        if isinstance(listed, list):
            yield from map(str, listed)
        for part in schema.values():
            yield from _offered(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _offered(part)
