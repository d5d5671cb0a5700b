"""Making versions of datasets."""

from collections.abc import Sequence
from dataclasses import replace

from opsroom.kit.db import Raced, Tx
from opsroom.kit.wire import plain
from opsroom.registry import ArtifactDraft, Criticality, Kinds, Version, VersionDraft
from opsroom.registry import commands as registry_commands

from . import queries, store
from .model import Item, Lineage, check_references, cite, dataset_spec


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
    keeper: str = "",
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
    return registry_commands.create_version(
        tx, "dataset", name, version, kinds=kinds, keeper=keeper
    )


def keep(tx: Tx, items: Sequence[Item]) -> int:
    """Keep the contents of items, for whoever stores the versions that cite them; how many were
    new. Raises `BadItem` where one cannot be stored.
    """
    for item in items:
        cite(item)
    return store.add(tx, items)


def append(
    tx: Tx, name: str, item: Item, *, kinds: Kinds, message: str, source: str
) -> tuple[Version, bool]:
    """Store a version of dataset `name` with `item` behind those of the latest one.

    Safe to repeat: where the latest version has an item of that id it is given back, and False.
    Raises what `revise` raises.
    """
    latest, spec = queries.dataset(tx, f"{name}@latest")
    if any(ref.id == item.id for ref in spec.items):
        return latest, False
    return revise(tx, name, [item], kinds=kinds, message=message, source=source), True


def revise(
    tx: Tx,
    name: str,
    items: Sequence[Item],
    *,
    kinds: Kinds,
    message: str,
    source: str,
    keeper: str = "",
) -> Version:
    """Store a version of dataset `name` in which `items` take the places of those with their
    ids, and new ones come behind.

    Safe to repeat: where nothing changes the latest version is given back. Raises what
    `dataset_spec` raises, and `Raced` where the dataset changed meanwhile, so that nobody's
    item is lost.
    """
    latest, spec = queries.dataset(tx, f"{name}@latest")
    refs = {ref.id: ref for ref in spec.items} | {item.id: cite(item) for item in items}
    if tuple(refs.values()) == spec.items:
        return latest
    check_references(tuple(refs.values()))
    lineage = Lineage(source=source, parent=latest.ref, made_by=tx.actor.name)
    store.add(tx, items)
    revised = replace(spec, items=tuple(refs.values()), lineage=lineage)
    draft = VersionDraft(spec=plain(revised), message=message)
    made = registry_commands.create_version(
        tx, "dataset", name, draft, kinds=kinds, keeper=keeper
    )
    if made.parent != latest.number:
        raise Raced
    return made
