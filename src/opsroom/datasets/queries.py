"""Reading items."""

from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import BadReference, Ref, Version
from opsroom.registry import queries as registry

from . import store
from .model import DatasetSpec, Item


def dataset(tx: Tx, reference: str) -> tuple[Version, DatasetSpec]:
    """The version of a dataset that a reference names, and what it cites."""
    ref = Ref.parse(reference, kind="dataset")
    if ref.kind != "dataset":
        raise BadReference(reference)
    version = registry.version(tx, ref)
    return version, adapter(DatasetSpec).validate_python(version.spec)


def items(
    tx: Tx,
    spec: DatasetSpec,
    *,
    split: str | None = None,
    start: int = 0,
    limit: int | None = None,
) -> list[Item]:
    """The items of a version, of one split or of all, in order."""
    refs = spec.items if split is None else spec.only(split)
    end = None if limit is None else start + limit
    return store.read(tx, refs[start:end])
