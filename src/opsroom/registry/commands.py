"""What changes the registry: artifacts, versions and labels. Proposals are in proposals.py."""

from opsroom.access import ruling
from opsroom.access.rules import Action, Thing
from opsroom.kit.canonical import digest
from opsroom.kit.db import Tx
from opsroom.kit.faults import boundary
from opsroom.kit.redaction import example, secrets_out
from opsroom.kit.texts import texts

from . import environments, queries, rules, store
from .errors import (
    ArtifactExists,
    BadName,
    LabelMoved,
    LabelProtected,
    NeverLabelled,
    NothingBefore,
    RolledBackFrom,
    SecretInVersion,
    SourceChanged,
    VersionNotFound,
    VersionsKept,
)
from .kinds import Kinds, kind_of
from .model import (
    LABEL,
    LATEST,
    Artifact,
    ArtifactDraft,
    Label,
    LabelMove,
    Version,
    VersionDraft,
)


def create_artifact(tx: Tx, draft: ArtifactDraft, *, kinds: Kinds) -> Artifact:
    """Make an artifact, or find the one that is there already.

    Safe to repeat. Raises `ArtifactExists` where the one that is there has another
    criticality or owner than the draft asks for.
    """
    kind_of(kinds, draft.kind)
    owner = draft.owner or tx.actor.person
    if (there := store.artifact(tx, draft.kind, draft.name)) is not None:
        return _same(there, draft)
    wanted = Thing(kind=draft.kind, name=draft.name, criticality=draft.criticality.value)
    ruling.check(tx, Action.AUTHOR, wanted)
    refuse_secrets(f"{draft.kind}/{draft.name}", [draft.purpose, list(draft.tags)])
    made = Artifact(
        id=tx.ids.new("art"),
        kind=draft.kind,
        name=draft.name,
        owner=owner,
        purpose=draft.purpose,
        criticality=draft.criticality,
        tags=draft.tags,
        created_at=tx.now,
        created_by=tx.actor.name,
    )
    if not store.add_artifact(tx, made):
        return _same(queries.artifact(tx, draft.kind, draft.name), draft)
    tx.record("artifact.created", made.ref, owner=owner, criticality=made.criticality.value)
    return made


def _same(there: Artifact, draft: ArtifactDraft) -> Artifact:
    if there.criticality is not draft.criticality:
        raise ArtifactExists(draft.kind, draft.name, "criticality")
    if draft.owner and there.owner != draft.owner:
        raise ArtifactExists(draft.kind, draft.name, "owner")
    return there


def archive(tx: Tx, of: Artifact, *, reason: str) -> bool:
    """Put away what nobody needs any more: lists and reviews leave it out from now on. A new
    version of it, or a label that moves, brings it back. False where it was put away already.
    """
    if of.archived_at is not None:
        return False
    store.set_archived(tx, of.id, tx.now)
    tx.record("artifact.archived", of.ref, reason=reason)
    return True


def needed(tx: Tx, of: Artifact) -> None:
    """Bring back what was put away, where it was."""
    if of.archived_at is not None:
        store.set_archived(tx, of.id, None)
        tx.record("artifact.restored", of.ref)


def create_version(
    tx: Tx, kind: str, name: str, draft: VersionDraft, *, kinds: Kinds, keeper: str = ""
) -> Version:
    """Store a new state of an artifact, with references pinned and every default spelt out.

    Safe to repeat: content that equals the latest version, or a source that was imported
    before, gives back the version that is there. Content that equals an *older* version is a
    new version that `reverts` it. Raises `VersionsKept` where only a `keeper` makes versions.
    """
    of = queries.artifact(tx, kind, name)
    if (alone := rules.keeper(kind, name)) != keeper and alone:
        raise VersionsKept(of.ref, alone)
    shape = kind_of(kinds, kind)
    check_may(tx, Action.AUTHOR, of)
    store.lock_artifact(tx, of.id)
    spec = shape.write(shape.pin(shape.read(draft.spec), queries.lookup(tx)))
    refuse_secrets(of.ref, [spec, draft.message])
    content = digest(spec)
    if draft.source is not None and (there := store.version_from(tx, of, draft.source)):
        if there.digest != content:
            raise SourceChanged(of.ref, there.number, draft.source)
        return there
    parent = store.latest(tx, of)
    if parent is not None and parent.digest == content and draft.source is None:
        return parent
    made = Version(
        kind=kind,
        name=name,
        number=(parent.number if parent else 0) + 1,
        digest=content,
        spec=spec,
        author=draft.author or tx.actor.person,
        made_by=tx.actor.person,
        message=draft.message,
        parent=parent.number if parent else None,
        reverts=reverts(tx, of, parent, content),
        source=draft.source,
        created_at=draft.at or tx.now,
    )
    store.add_version(tx, of.id, made)
    needed(tx, of)
    tx.record(
        "version.created",
        of.ref,
        number=made.number,
        digest=content,
        author=made.author,
        reverts=made.reverts,
    )
    for label in draft.labels:
        set_label(tx, kind, name, label, made.number, reason="set with the version")
    return made


def refuse_secrets(ref: str, told: object) -> None:
    """Raise `SecretInVersion` where a text that is to be kept for good holds a credential."""
    for text in texts(told):
        for rule, found in secrets_out().spotted(text):
            if not example(found):
                raise SecretInVersion(ref, rule)


def reverts(tx: Tx, of: Artifact, parent: Version | None, content: str) -> int | None:
    """The older version that this content returns to; going on unchanged is no return."""
    if parent is None or parent.digest == content:
        return None
    return store.earliest_with(tx, of, content)


def set_label(
    tx: Tx, kind: str, name: str, label: str, number: int, *, reason: str = ""
) -> Label:
    """Point a label that nobody serves from at a version.

    Raises `LabelProtected` for labels that only a proposal, a release or a rollback moves.
    """
    of = queries.artifact(tx, kind, name)
    check_label(label)
    if environments.reviewed(tx, label):
        needs = environments.needs(tx, of.criticality, label)
        way, verb = (
            ("a release", "release start") if needs.release else ("a proposal", "propose")
        )
        raise LabelProtected(name, label, of.criticality.value, way, verb)
    check_may(tx, Action.AUTHOR, of, label)
    environments.check_move(tx, of, label, number)
    return move_label(tx, of, label, number, how="set", reason=reason)


def roll_back(
    tx: Tx,
    kind: str,
    name: str,
    label: str,
    *,
    reason: str,
    to: int | None = None,
    expected: int | None = None,
) -> Label:
    """Point a label back at a version that had it before; without `to`, at the one that the
    present version replaced. Going back twice goes back further, never forth again.

    Needs no approval: it is the quick way back to something that was proven. `expected` is
    where the caller saw the label. Raises `NeverLabelled` for a version that never had it,
    `RolledBackFrom` for one that was itself rolled back (nothing proved it since),
    `NothingBefore` where the history ends, and `LabelMoved` when somebody was faster.
    """
    of = queries.artifact(tx, kind, name)
    check_may(tx, Action.OPERATE, of, label)
    store.lock_artifact(tx, of.id)
    now = store.label(tx, of, label)
    if now is None:
        raise VersionNotFound(kind, name, label)
    if expected is not None and now.number != expected:
        raise LabelMoved(name, label)
    if to is None:
        to = store.before_it_came(tx, of, now)
        if to is None:
            raise NothingBefore(name, label)
    elif not store.had_label(tx, of, label, to):
        raise NeverLabelled(name, label, to)
    elif store.left_by(tx, of, label, to) == "rollback":
        raise RolledBackFrom(name, label, to)
    return move_label(tx, of, label, to, how="rollback", reason=reason)


def move_label(
    tx: Tx,
    of: Artifact,
    label: str,
    number: int,
    *,
    how: str,
    reason: str,
    expected: int | None = None,
) -> Label:
    """Move a label and write its history. For those that have decided that it may move.

    Safe to repeat: a label that is there already is left alone. `expected` is where the
    decision saw it; raises `LabelMoved` when it is elsewhere by now.
    """
    check_label(label)
    store.lock_artifact(tx, of.id)
    was = store.label(tx, of, label)
    if was is not None and was.number == number:
        return was
    if expected is not None and (was is None or was.number != expected):
        raise LabelMoved(of.name, label)
    if store.version(tx, of, number) is None:
        raise VersionNotFound(of.kind, of.name, str(number))
    move = LabelMove(
        id=tx.ids.new("mov"),
        label=label,
        before=was.number if was else None,
        after=number,
        how=how,
        reason=reason,
        by=tx.actor.name,
        at=tx.now,
        revision=was.revision + 1 if was else 1,
    )
    store.move_label(tx, of, move, was)
    needed(tx, of)
    boundary("label.moved")
    tx.record(
        "label.moved",
        of.ref,
        label=label,
        before=move.before,
        after=number,
        how=how,
        reason=reason,
    )
    return Label(
        label=label,
        number=number,
        moved_at=tx.now,
        moved_by=tx.actor.name,
        revision=was.revision + 1 if was else 1,
    )


def check_may(tx: Tx, action: Action, of: Artifact, label: str = "") -> None:
    """Raise `AccessDenied` where the access rules keep whoever acts from doing this to it, and
    `OtherEnvironment` where their token is for another one.
    """
    if label:
        environments.check_within(tx, label)
    ruling.check(tx, action, _thing(of, label))


def why_not(tx: Tx, action: Action, of: Artifact, label: str = "") -> str:
    """Why whoever acts may not do this to it, by role or by rule; empty where they may."""
    return ruling.why_not(tx, action, _thing(of, label))


def _thing(of: Artifact, label: str) -> Thing:
    criticality = of.criticality.value
    return Thing(kind=of.kind, name=of.name, label=label, criticality=criticality)


def check_label(label: str) -> None:
    """Raise `BadName` for what cannot be a label; `latest` is computed, nobody moves it."""
    if LABEL.fullmatch(label) is None or label == LATEST:
        raise BadName(label)
