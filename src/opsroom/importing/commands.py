"""Taking a bundle in: one transaction, so an import is there entirely or not at all."""

from collections import Counter
from dataclasses import replace

from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.datasets import queries as dataset_queries
from opsroom.inbox import overriding
from opsroom.inbox import queries as inbox
from opsroom.inbox.overriding import IMPORTED
from opsroom.kit.db import Tx
from opsroom.kit.faults import boundary
from opsroom.models import Recording, recordings
from opsroom.registry import ArtifactNotFound, Kinds, Ref, VersionNotFound, environments
from opsroom.registry import commands as registry
from opsroom.registry import queries as registry_queries

from .errors import UnknownSubject
from .model import Bundle, LeftOut, NewDataset, NewVersion, Report


def take_in(tx: Tx, bundle: Bundle, *, kinds: Kinds) -> Report:
    """Store everything in `bundle` that is not here yet, and say what was new.

    Safe to repeat: the same bundle again changes nothing and is not journalled.
    """
    tally = _Tally()
    for draft in bundle.artifacts:
        before = _has_artifact(tx, draft.kind, draft.name)
        registry.create_artifact(tx, draft, kinds=kinds)
        tally.count(draft.kind, new=not before)
    digests = {
        (one.kind, one.name, one.draft.source): _take_version(tx, one, tally, kinds)
        for one in bundle.versions
    }
    boundary("import.versions")
    for dataset in bundle.datasets:
        _take_dataset(tx, dataset, bundle, tally, kinds)
    boundary("import.datasets")
    new: list[Recording] = []
    for one in bundle.recordings:
        subject = digests.get((one.kind, one.name, one.source))
        if subject is None:
            raise UnknownSubject(f"{one.kind}/{one.name} from {one.source}")
        new.append(
            Recording(
                subject=subject,
                item=one.item,
                variant=one.variant,
                trial=one.trial,
                output=one.output,
            )
        )
    added = recordings.add(tx, new)
    tally.new["recording"] += added
    tally.known["recording"] += len(new) - added
    for override in bundle.overrides:
        there = inbox.overrides(tx, subject=override.draft.subject, limit=1)
        tally.count("override", new=not there)
        if not there:
            overriding.override(tx, override.draft, by=f"{IMPORTED}{bundle.format}")
    report = Report(
        format=bundle.format,
        new=dict(tally.new),
        known=dict(tally.known),
        reverts=tally.reverts,
        left_out=(*bundle.left_out, *tally.left_out()),
    )
    if report.changed:
        files = [{"name": file.name, "sha256": file.sha256} for file in bundle.files]
        tx.record("import.done", f"import/{bundle.format}", files=files, new=report.new)
    return report


class _Tally:
    """What was new and what was known, by kind of thing."""

    def __init__(self) -> None:
        self.new: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self.reverts = 0
        self.held: Counter[str] = Counter()

    def count(self, what: str, *, new: bool) -> None:
        (self.new if new else self.known)[what] += 1

    def left_out(self) -> list[LeftOut]:
        """Labels that no import moves in this project."""
        return [
            LeftOut(what="label", count=count, why=f"{label} moves by a proposal here")
            for label, count in sorted(self.held.items())
        ]


def _take_version(tx: Tx, one: NewVersion, tally: _Tally, kinds: Kinds) -> str:
    latest_before = _latest(tx, one.kind, one.name)
    held = [label for label in one.draft.labels if environments.reviewed(tx, label)]
    tally.held.update(held)
    free = tuple(label for label in one.draft.labels if label not in held)
    draft = replace(one.draft, labels=free)
    made = registry.create_version(tx, one.kind, one.name, draft, kinds=kinds)
    tally.count("version", new=made.number > latest_before)
    if made.number > latest_before and made.reverts is not None:
        tally.reverts += 1
    return made.digest


def _take_dataset(tx: Tx, new: NewDataset, bundle: Bundle, tally: _Tally, kinds: Kinds) -> None:
    there: list[Item] = []
    description, evaluators = new.description, new.evaluators
    if _latest(tx, "dataset", new.name):
        _, spec = dataset_queries.dataset(tx, new.name)
        there = dataset_queries.items(tx, spec)
        description, evaluators = spec.description, spec.evaluators
    known = {item.hash for item in there}
    fresh = [item for item in new.items if item.hash not in known]
    tally.new["item"] += len(fresh)
    tally.known["item"] += len(new.items) - len(fresh)
    if new.replaces:
        there, fresh = [], list(new.items)
        description, evaluators = new.description, new.evaluators
    if fresh or not there:
        datasets.put(
            tx,
            new.name,
            [*there, *fresh],
            kinds=kinds,
            description=description,
            evaluators=evaluators,
            message=f"imported from {', '.join(file.name for file in bundle.files)}",
        )


def _has_artifact(tx: Tx, kind: str, name: str) -> bool:
    try:
        registry_queries.artifact(tx, kind, name)
    except ArtifactNotFound:
        return False
    return True


def _latest(tx: Tx, kind: str, name: str) -> int:
    try:
        return registry_queries.version(tx, Ref(kind, name)).number
    except (ArtifactNotFound, VersionNotFound):
        return 0
