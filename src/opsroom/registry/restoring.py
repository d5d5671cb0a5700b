"""Taking an artifact out whole and putting it back elsewhere: versions with their numbers and
digests, and how its labels moved.

What is put back is what somebody claims. So a version counts as made by whoever brings it, the
movers of labels are marked as imported, and nothing is stored whose digest is not that of its
content, or whose references are not exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import AwareDatetime, JsonValue

from opsroom.access.rules import Action
from opsroom.kit.canonical import digest
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from . import commands, queries, store
from .errors import NotRestorable
from .kinds import Kinds, kind_of
from .model import Artifact, Criticality, Label, LabelMove, Version

IMPORTED = "imported:"
HOW = frozenset({"set", "merge", "release", "rollback", "import"})
PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMove(Wire):
    """One step of a label, as another installation tells it."""

    label: str
    revision: int
    before: int | None
    after: int
    how: str
    reason: str
    by: str
    at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptArtifact(Wire):
    """What is said of an artifact beside its versions, and every step of its labels."""

    kind: str
    name: str
    owner: str
    purpose: str
    criticality: Criticality
    tags: tuple[str, ...]
    archived: bool
    versions: int
    moves: tuple[KeptMove, ...]

    @property
    def ref(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def labels(self) -> dict[str, int]:
        """Where each label points at the end."""
        return {one.label: one.after for one in self.moves}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVersion(Wire):
    """A version without who brought it here: that is another person elsewhere."""

    number: int
    digest: str
    spec: dict[str, JsonValue]
    author: str
    message: str
    source: str | None
    created_at: AwareDatetime


def kept(tx: Tx, of: Artifact) -> KeptArtifact:
    """An artifact as it is taken out."""
    moves = [
        KeptMove(
            label=one.label,
            revision=one.revision,
            before=one.before,
            after=one.after,
            how=one.how,
            reason=one.reason,
            by=one.by.removeprefix(IMPORTED),
            at=one.at,
        )
        for one in store.all_moves(tx, of)
    ]
    newest = store.latest(tx, of)
    return KeptArtifact(
        kind=of.kind,
        name=of.name,
        owner=of.owner,
        purpose=of.purpose,
        criticality=of.criticality,
        tags=of.tags,
        archived=of.archived_at is not None,
        versions=newest.number if newest else 0,
        moves=tuple(moves),
    )


def kept_versions(tx: Tx, of: Artifact) -> Iterator[KeptVersion]:
    """Its versions, oldest first, a few of them in memory at a time."""
    after = 0
    while page := store.versions_after(tx, of, after, limit=PAGE):
        for one in page:
            yield KeptVersion(
                number=one.number,
                digest=one.digest,
                spec=one.spec,
                author=one.author,
                message=one.message,
                source=one.source,
                created_at=one.created_at,
            )
        after = page[-1].number


def digests(tx: Tx, of: Artifact) -> list[str]:
    """The digests of its versions, oldest first."""
    return store.digests_of(tx, of)


def check_kept(one: KeptArtifact) -> None:
    """Raise `NotRestorable` for a history of labels that no registry could have written."""
    at: dict[str, KeptMove] = {}
    for move in one.moves:
        was = at.get(move.label)
        if move.revision != (was.revision + 1 if was else 1):
            raise NotRestorable(one.ref, f"steps of label {move.label[:64]!r} are missing")
        if move.before != (was.after if was else None) or move.how not in HOW:
            raise NotRestorable(one.ref, f"label {move.label[:64]!r} jumps in its history")
        if not 1 <= move.after <= one.versions:
            raise NotRestorable(one.ref, f"label {move.label[:64]!r} names no version of it")
        commands.check_label(move.label)
        at[move.label] = move


def check_version(one: KeptArtifact, version: KeptVersion, *, kinds: Kinds) -> None:
    """Raise `NotRestorable` or `BadSpec` for a version that is not what it says."""
    if digest(version.spec) != version.digest:
        raise NotRestorable(f"{one.ref}@{version.number}", "its content has another digest")
    kind_of(kinds, one.kind).read(version.spec)


def restore_version(tx: Tx, of: Artifact, kept: KeptVersion, *, kinds: Kinds) -> Version:
    """Put a version back under its number. `check_restored` has to follow, once everything
    that it may cite is there. Raises `NotRestorable`, `BadSpec` or `SecretInVersion`.
    """
    commands.check_may(tx, Action.AUTHOR, of)
    kind_of(kinds, of.kind).read(kept.spec)
    commands.refuse_secrets(of.ref, [kept.spec, kept.message])
    parent = store.latest(tx, of)
    if kept.number != (parent.number if parent else 0) + 1:
        raise NotRestorable(f"{of.ref}@{kept.number}", "a version before it is missing")
    if digest(kept.spec) != kept.digest:
        raise NotRestorable(f"{of.ref}@{kept.number}", "its content has another digest")
    if kept.source is not None and store.version_from(tx, of, kept.source):
        raise NotRestorable(f"{of.ref}@{kept.number}", "another version has its source")
    made = Version(
        kind=of.kind,
        name=of.name,
        number=kept.number,
        digest=kept.digest,
        spec=kept.spec,
        author=kept.author,
        made_by=tx.actor.person,
        message=kept.message,
        parent=parent.number if parent else None,
        reverts=commands.reverts(tx, of, parent, kept.digest),
        source=kept.source,
        created_at=kept.created_at,
    )
    store.add_version(tx, of.id, made)
    tx.record(
        "version.created",
        of.ref,
        number=made.number,
        digest=made.digest,
        author=made.author,
        reverts=made.reverts,
    )
    return made


def check_restored(tx: Tx, of: Artifact, number: int, *, kinds: Kinds) -> None:
    """Raise `NotRestorable` where a version does not cite exact versions that are there, and
    whatever its kind refuses.
    """
    version = store.version(tx, of, number)
    assert version is not None, "a version that was restored is there"
    shape = kind_of(kinds, of.kind)
    spec = shape.read(version.spec)
    if shape.write(shape.pin(spec, queries.lookup(tx))) != shape.write(spec):
        raise NotRestorable(
            version.ref, "it cites what may change, or other versions than here"
        )


def restore_moves(tx: Tx, of: Artifact, moves: Sequence[KeptMove]) -> None:
    """Put the labels of an artifact that has none back, with every step that they took."""
    last: dict[str, Label] = {}
    for one in moves:
        was = last.get(one.label)
        move = LabelMove(
            id=tx.ids.new("mov"),
            label=one.label,
            revision=one.revision,
            before=one.before,
            after=one.after,
            how=one.how,
            reason=one.reason,
            by=f"{IMPORTED}{one.by}",
            at=one.at,
        )
        store.move_label(tx, of, move, was)
        last[one.label] = Label(
            label=one.label,
            number=one.after,
            moved_at=one.at,
            moved_by=move.by,
            revision=one.revision,
        )
    for label in last.values():
        tx.record(
            "label.moved",
            of.ref,
            label=label.label,
            before=None,
            after=label.number,
            how="import",
            reason="as it was where it comes from",
        )
