"""What the registry needs to know about datasets."""

from collections.abc import Sequence
from dataclasses import replace

from opsroom.kit.errors import OpsroomError
from opsroom.registry import Finding, Kind, Lookup, Severity

from .model import DatasetSpec, check_references


def pin(spec: DatasetSpec, lookup: Lookup) -> DatasetSpec:
    """Replace labels of evaluators by the versions they name now."""
    found = [lookup(cited, kind="evaluator") for cited in spec.evaluators]
    return replace(spec, evaluators=tuple(f"{one.name}@{one.number}" for one in found))


def lint(spec: DatasetSpec, _before: DatasetSpec | None, _lookup: Lookup) -> Sequence[Finding]:
    """The rules of a version: own ids, one item per content, no content in two splits."""
    try:
        check_references(spec.items)
    except OpsroomError as error:
        return (Finding(code=error.code, severity=Severity.ERROR, message=str(error)),)
    return ()


def references(spec: DatasetSpec) -> Sequence[str]:
    return tuple(f"evaluator/{cited}" for cited in spec.evaluators)


def text(spec: DatasetSpec) -> str:
    """A dataset as lines, so that a diff shows which items came, went or changed."""
    lines = [f"{ref.id} [{ref.split}] {ref.hash[:12]}" for ref in spec.items]
    return "\n".join([spec.description, *lines])


KIND = Kind(
    name="dataset",
    shape=DatasetSpec,
    text=text,
    pin=pin,
    lint=lint,
    references=references,
    newest_counts="always",
)
