"""Reading prompts the way programs use them: with everything they include."""

from dataclasses import dataclass

from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire, adapter
from opsroom.registry import Ref, Version
from opsroom.registry import queries as registry

from .includes import whole
from .kind import include_from
from .model import PromptSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Wire):
    """A version of a prompt with all that it includes, so that it renders without a server.

    `includes` maps every reference, however deep, to what it names.
    """

    name: str
    number: int
    digest: str
    label: str | None
    spec: PromptSpec
    includes: dict[str, PromptSpec]


def version(tx: Tx, name: str, at: str) -> Version:
    """The version of a prompt at a label or a number."""
    return registry.version(tx, Ref.parse(f"{name}@{at}", kind="prompt"))


def reading(tx: Tx, of: Version, *, label: str | None = None) -> Reading:
    """A version with everything it includes."""
    spec = adapter(PromptSpec).validate_python(of.spec)
    complete = whole(spec, include=include_from(registry.lookup(tx)))
    return Reading(
        name=of.name,
        number=of.number,
        digest=of.digest,
        label=label,
        spec=spec,
        includes=dict(complete.specs),
    )
