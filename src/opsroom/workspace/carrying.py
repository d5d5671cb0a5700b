"""A project's whole registry out into an archive, and an archive into a project.

Taken along: artifacts of every kind, their versions with numbers, digests, authors and times,
labels with every step that they took, and the contents of datasets. Left behind: secrets, tokens,
people, environments and rules, because they are what the other side has decided for itself; and
proposals, evaluations and traces, which are about work that was done here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from opsroom.access import ruling
from opsroom.access.rules import Action
from opsroom.datasets import commands as datasets
from opsroom.datasets import queries as dataset_queries
from opsroom.datasets.model import DatasetSpec, Item, ItemRef
from opsroom.kit.canonical import digest
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.faults import boundary
from opsroom.kit.wire import Wire, adapter
from opsroom.registry import Artifact, ArtifactDraft, Kinds, environments, restoring, rules
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.registry.restoring import KeptArtifact, KeptVersion

from . import archive
from .archive import Manifest, Record
from .errors import ArchiveRefused, ProjectDiffers, WorkspaceTooLarge

CHUNK = 200
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Content(Wire):
    """What one item of a dataset asks and expects, with its labels."""

    hash: str
    content: dict[str, Any]
    tags: tuple[str, ...]
    metadata: dict[str, Any]


class Stands(StrEnum):
    """How an artifact of an archive stands to the project."""

    NEW = "new"
    GROWS = "grows"
    SAME = "same"
    AHEAD = "ahead"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought(Wire):
    """What an import does about one artifact. `held` are labels that only people move here."""

    kind: str
    name: str
    stands: Stands
    why: str = ""
    versions: int = 0
    labels: dict[str, int] = field(default_factory=dict[str, int])
    held: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def ref(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import(Wire):
    """What an import does, artifact by artifact. `digest` names the archive; `whole` says that
    the project was empty, and has been given every step of every label.
    """

    digest: str
    whole: bool
    artifacts: tuple[Brought, ...]
    items: int


def export(tx: Tx, *, kinds: Kinds) -> tuple[Manifest, bytes]:
    """The project's registry as an archive, for a transaction that only reads: it has to be of
    one moment, and nobody is to wait for it. Raises `WorkspaceTooLarge`.
    """
    environments.check_within(tx, "")
    found = [one for kind in sorted(kinds) for one in _all_of(tx, kind)]
    return archive.write(_contents(tx, found), _registry(tx, found), artifacts=len(found))


def record_export(tx: Tx, manifest: Manifest) -> None:
    """Put on record that whoever acts was given an archive."""
    tx.record(
        "workspace.exported",
        f"workspace/{manifest.digest[:12]}",
        digest=manifest.digest,
        artifacts=manifest.artifacts,
        versions=manifest.versions,
        items=manifest.items,
    )


def check(packed: bytes, *, kinds: Kinds) -> Manifest:
    """Read an archive to its end before anything of it is stored.

    Raises `ArchiveRefused`, `ArchiveBomb`, or what is wrong with one of its records.
    """
    contents: set[bytes] = set()
    described: set[str] = set()
    now: KeptArtifact | None = None
    left = number = 0
    for record in archive.walk(packed):
        if record.member == archive.ITEMS:
            contents.add(bytes.fromhex(_content(record).hash))
        elif left == 0:
            now = _artifact(record)
            if now.ref in described or now.kind not in kinds:
                why = "stands here twice" if now.ref in described else "is of no kind we know"
                raise archive.wrong(record, f"{now.ref} {why}")
            described.add(now.ref)
            left, number = now.versions, 0
        else:
            assert now is not None, "versions follow an artifact"
            number, left = number + 1, left - 1
            _check_version(record, now, number, contents, kinds)
    if left:
        raise ArchiveRefused("versions are missing at its end")
    return archive.read_manifest(packed)


def take_in(tx: Tx, packed: bytes, manifest: Manifest, *, kinds: Kinds) -> Import:
    """Put everything of an archive that was checked into the project, or nothing.

    Safe to repeat. Into an empty project it brings every version and every step of every label.
    Elsewhere what is new is added and what goes on is continued; labels that are reviewed here
    stay where they are. Raises `ProjectDiffers`, with names, where the project has other
    versions, and `NotRestorable` for a version that cites what is not there.
    """
    environments.check_within(tx, "")
    done = _carry_out(tx, packed, manifest, kinds)
    differing = [one.ref for one in done.artifacts if one.stands is Stands.DIFFERS]
    if differing:
        more = (
            "" if len(differing) <= MOST_NAMED else f" and {len(differing) - MOST_NAMED} more"
        )
        raise ProjectDiffers(", ".join(differing[:MOST_NAMED]) + more)
    boundary("workspace.imported")
    changed = [one for one in done.artifacts if one.versions or one.labels]
    if changed:
        tx.record(
            "workspace.imported",
            f"workspace/{manifest.digest[:12]}",
            digest=manifest.digest,
            artifacts=len(changed),
            versions=sum(one.versions for one in changed),
            items=done.items,
        )
    return done


def plan(tx: Tx, packed: bytes, manifest: Manifest, *, kinds: Kinds) -> Import:
    """What `take_in` would do now; done, looked at and undone, so that both always agree."""
    environments.check_within(tx, "")
    with tx.undone():
        return _carry_out(tx, packed, manifest, kinds)


# -- out --


def _all_of(tx: Tx, kind: str) -> list[Artifact]:
    found: list[Artifact] = []
    for archived in (False, True):
        after = ""
        while page := registered.artifacts(tx, kind, after=after, archived=archived):
            found += [artifact for artifact, _, _ in page]
            after = page[-1][0].name
    return sorted(found, key=lambda one: one.name)


def _registry(tx: Tx, found: list[Artifact]) -> Iterator[KeptArtifact | KeptVersion]:
    for one in found:
        yield restoring.kept(tx, one)
        yield from restoring.kept_versions(tx, one)


def _contents(tx: Tx, found: list[Artifact]) -> Iterator[Content]:
    """What the datasets cite, by hash, a few of them in memory at a time."""
    cited: dict[str, ItemRef] = {}
    for one in found:
        if one.kind == "dataset":
            for version in restoring.kept_versions(tx, one):
                spec = adapter(DatasetSpec).validate_python(version.spec)
                cited |= {ref.hash: ref for ref in spec.items}
                if len(cited) > archive.MAX_RECORDS:
                    raise WorkspaceTooLarge("the project", f"{archive.MAX_RECORDS:,} items")
    refs = [cited[hash_] for hash_ in sorted(cited)]
    for start in range(0, len(refs), CHUNK):
        chunk = DatasetSpec(items=tuple(refs[start : start + CHUNK]))
        for item in dataset_queries.items(tx, chunk):
            yield Content(
                hash=item.hash,
                content={"input": item.input, "expected": item.expected},
                tags=item.tags,
                metadata=item.metadata,
            )


# -- in --


def _content(record: Record) -> Content:
    try:
        found = adapter(Content).validate_python(record.data)
    except ValueError as error:
        raise archive.wrong(record, "it is no item") from error
    try:
        same = digest(found.content) == found.hash
    except OpsroomError as error:
        raise archive.wrong(record, str(error)) from error
    if not same or set(found.content) != {"input", "expected"}:
        raise archive.wrong(record, "its content has another digest")
    return found


def _artifact(record: Record) -> KeptArtifact:
    try:
        found = adapter(KeptArtifact).validate_python(record.data)
    except ValueError as error:
        raise archive.wrong(record, "it is no artifact") from error
    try:
        ArtifactDraft(kind=found.kind, name=found.name)
        restoring.check_kept(found)
    except OpsroomError as error:
        raise archive.wrong(record, str(error)) from error
    if not 0 <= found.versions <= archive.MAX_RECORDS:
        raise archive.wrong(record, "it cannot have so many versions")
    return found


def _version(record: Record) -> KeptVersion:
    try:
        return adapter(KeptVersion).validate_python(record.data)
    except ValueError as error:
        raise archive.wrong(record, "it is no version") from error


def _check_version(
    record: Record, of: KeptArtifact, number: int, contents: set[bytes], kinds: Kinds
) -> None:
    version = _version(record)
    if version.number != number:
        raise archive.wrong(record, f"version {number} of {of.ref} is missing")
    try:
        restoring.check_version(of, version, kinds=kinds)
    except OpsroomError as error:
        raise archive.wrong(record, str(error)) from error
    if of.kind == "dataset":
        spec = adapter(DatasetSpec).validate_python(version.spec)
        for ref in spec.items:
            if not _HASH.fullmatch(ref.hash) or bytes.fromhex(ref.hash) not in contents:
                raise archive.wrong(record, f"the content of item {ref.id!r} is missing")


def _carry_out(tx: Tx, packed: bytes, manifest: Manifest, kinds: Kinds) -> Import:
    whole = not registered.counts(tx) and not registered.counts(tx, archived=True)
    items: list[Item] = []
    kept_items = 0
    bringing: _Bringing | None = None
    begun: list[_Bringing] = []
    for record in archive.walk(packed):
        if record.member == archive.ITEMS:
            items.append(_item(_content(record)))
            if len(items) == CHUNK:
                kept_items += datasets.keep(tx, items)
                items = []
        elif bringing is None or bringing.complete:
            bringing = _Bringing(tx, _artifact(record), whole=whole, kinds=kinds)
            begun.append(bringing)
        else:
            bringing.take(_version(record))
    kept_items += datasets.keep(tx, items)
    boundary("workspace.versions")
    for one in begun:
        one.check()
    # Labels come last: nobody is served a version before all that it cites was looked at.
    done = [one.finish() for one in begun]
    return Import(digest=manifest.digest, whole=whole, artifacts=tuple(done), items=kept_items)


def _item(content: Content) -> Item:
    return Item(
        id=content.hash,
        input=content.content["input"],
        expected=content.content["expected"],
        tags=content.tags,
        metadata=content.metadata,
    )


class _Bringing:
    """One artifact on its way into the project, version by version."""

    def __init__(self, tx: Tx, kept: KeptArtifact, *, whole: bool, kinds: Kinds) -> None:
        self._tx, self._kept, self._whole, self._kinds = tx, kept, whole, kinds
        self._of = registered.found(tx, kept.kind, kept.name)
        self._there = restoring.digests(tx, self._of) if self._of else []
        self._stands = Stands.SAME if self._of else Stands.NEW
        self._why = ""
        self._seen = self._added = 0
        if self._of and self._of.criticality is not kept.criticality:
            self._differs(f"it is {self._of.criticality.value} here")
        elif not whole and rules.keeper(kept.kind, kept.name) and not self._of:
            self._differs("only corrections make its versions")

    @property
    def complete(self) -> bool:
        return self._seen == self._kept.versions

    def take(self, version: KeptVersion) -> None:
        self._seen += 1
        if self._stands is Stands.DIFFERS:
            return
        if version.number <= len(self._there):
            if self._there[version.number - 1] != version.digest:
                self._differs(f"version {version.number} is another here")
            return
        if rules.keeper(self._kept.kind, self._kept.name) and not self._whole:
            self._differs("only corrections make its versions")
            return
        if self._stands is Stands.SAME:
            self._stands = Stands.GROWS
        restoring.restore_version(self._tx, self._artifact(), version, kinds=self._kinds)
        self._added += 1

    def check(self) -> None:
        """Look at what was added, now that everything it may cite is there."""
        if self._added and self._stands is not Stands.DIFFERS:
            of = self._artifact()
            for number in range(self._seen - self._added + 1, self._seen + 1):
                restoring.check_restored(self._tx, of, number, kinds=self._kinds)

    def finish(self) -> Brought:
        """Put the labels there, and say what was done."""
        labels: dict[str, int] = {}
        held: dict[str, int] = {}
        if self._stands is Stands.SAME and len(self._there) > self._kept.versions:
            self._stands = Stands.AHEAD
        elif self._stands is not Stands.DIFFERS:
            labels, held = self._labels()
        if self._stands is Stands.GROWS and not self._kept.archived:
            registry.needed(
                self._tx, registered.artifact(self._tx, self._kept.kind, self._kept.name)
            )
        if self._stands is Stands.NEW and self._kept.archived:
            registry.archive(self._tx, self._artifact(), reason="as it was where it comes from")
        return Brought(
            kind=self._kept.kind,
            name=self._kept.name,
            stands=self._stands,
            why=self._why,
            versions=self._added,
            labels=labels,
            held=held,
        )

    def _labels(self) -> tuple[dict[str, int], dict[str, int]]:
        tx, of, wanted = self._tx, self._artifact(), self._kept.labels
        reviewed = {one for one in wanted if environments.reviewed(tx, one)}
        if self._whole:
            if reviewed:
                ruling.check_lifts(tx)
            for label in wanted:
                environments.check_mover(tx, label)
                if label not in reviewed:
                    registry.check_may(tx, Action.AUTHOR, of, label)
            restoring.restore_moves(tx, of, self._kept.moves)
            return wanted, {}
        now = {one.label: one.number for one in registered.labels(tx, of.kind, of.name)}
        moving = {label: at for label, at in wanted.items() if now.get(label) != at}
        free = {label: at for label, at in moving.items() if label not in reviewed}
        for label, at in free.items():
            registry.set_label(tx, of.kind, of.name, label, at, reason="imported")
        return free, {label: at for label, at in moving.items() if label in reviewed}

    def _artifact(self) -> Artifact:
        if self._of is None:
            kept = self._kept
            draft = ArtifactDraft(
                kind=kept.kind,
                name=kept.name,
                owner=kept.owner,
                purpose=kept.purpose,
                criticality=kept.criticality,
                tags=kept.tags,
            )
            self._of = registry.create_artifact(self._tx, draft, kinds=self._kinds)
        return self._of

    def _differs(self, why: str) -> None:
        self._stands, self._why = Stands.DIFFERS, why
