"""What a kind brings to the registry: its shape, its references, its linter, its text.

The registry knows no kind by name. The composition root hands it a table of these.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from opsroom.kit.wire import adapter

from .errors import BadSpec, UnknownKind
from .model import Finding, Version


class Lookup(Protocol):
    """Finds a version by reference, within the transaction that asks."""

    def __call__(self, reference: str, *, kind: str = "") -> Version: ...


def _keep(spec: Any, _lookup: Lookup) -> Any:
    return spec


def _no_findings(_spec: Any, _before: Any | None, _lookup: Lookup) -> Sequence[Finding]:
    return ()


def _no_references(_spec: Any) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of artifact. `shape` is the dataclass that a spec must fit.

    `pin` replaces references by exact versions, so that a digest covers what it cites.
    `lint` compares with the version before, or None. `references` lists what is cited.
    `text` gives what people read and what a diff shows. `newest_counts` says whether a version
    counts before a label was moved to it: never, while production names none, or always.
    """

    name: str
    shape: type[Any]
    text: Callable[[Any], str]
    pin: Callable[[Any, Lookup], Any] = _keep
    lint: Callable[[Any, Any | None, Lookup], Sequence[Finding]] = _no_findings
    references: Callable[[Any], Sequence[str]] = field(default=_no_references)
    newest_counts: Literal["never", "unlabelled", "always"] = "never"

    def read(self, spec: Mapping[str, Any]) -> Any:
        """The typed form of a spec. Raises `BadSpec` naming the first place that is wrong."""
        try:
            return adapter(self.shape).validate_python(spec)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "spec"
            raise BadSpec(self.name, place, first["msg"]) from error

    def write(self, spec: Any) -> dict[str, Any]:
        """The plain form of a spec, with every default spelt out, as it is stored."""
        data: dict[str, Any] = adapter(self.shape).dump_python(spec, mode="json")
        return data


Kinds = Mapping[str, Kind]


def kind_of(kinds: Kinds, name: str) -> Kind:
    try:
        return kinds[name]
    except KeyError:
        raise UnknownKind(name, ", ".join(sorted(kinds))) from None
