"""Making versions of datasets."""

from collections.abc import Sequence

from opsroom.kit.db import Tx
from opsroom.kit.wire import plain
from opsroom.registry import ArtifactDraft, Criticality, Kinds, Version, VersionDraft
from opsroom.registry import commands as registry_commands

from . import store
from .model import Item, Lineage, dataset_spec


def put(
    tx: Tx,
    name: str,
    items: Sequence[Item],
    *,
    kinds: Kinds,
    description: str = "",
    message: str = "",
    lineage: Lineage | None = None,
    source: str | None = None,
    evaluators: Sequence[str] = (),
) -> Version:
    """Store `items` as the next version of dataset `name`, making the dataset if need be.

    Safe to repeat: the same items give the version that is there. Raises what
    `dataset_spec` raises; then nothing is stored.
    """
    spec = dataset_spec(items, description=description, lineage=lineage, evaluators=evaluators)
    draft = ArtifactDraft(kind="dataset", name=name, criticality=Criticality.ADVISORY)
    registry_commands.create_artifact(tx, draft, kinds=kinds)
    store.add(tx, items)
    version = VersionDraft(spec=plain(spec), message=message, source=source)
    return registry_commands.create_version(tx, "dataset", name, version, kinds=kinds)
