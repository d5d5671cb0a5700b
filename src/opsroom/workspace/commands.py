"""Storing a workspace as its files say: all of it, or nothing."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from opsroom.datasets import commands as datasets
from opsroom.datasets.model import DatasetSpec, Lineage, dataset_spec
from opsroom.kit.canonical import digest
from opsroom.kit.db import Tx
from opsroom.kit.errors import Invalid, NotFound
from opsroom.kit.faults import boundary
from opsroom.kit.wire import adapter
from opsroom.registry import (
    Artifact,
    ArtifactDraft,
    Criticality,
    Kinds,
    Ref,
    Version,
    VersionDraft,
    VersionNotFound,
    environments,
    restoring,
)
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.registry.diff import Span, word_diff
from opsroom.registry.kinds import kind_of
from opsroom.registry.model import LATEST
from opsroom.registry.proposals import lint

from .errors import FileRefused, ServerMoved
from .model import (
    Entry,
    Files,
    Plan,
    Planned,
    PlannedLabel,
    State,
    commit_of,
    decide,
    in_order,
)

MOST_ONLY_THERE = 1000


def push(tx: Tx, files: Files, *, kinds: Kinds) -> Plan:
    """Make the latest version of everything what its file says, and point the labels there that
    nobody serves from.

    Safe to repeat: what the server has already makes no version. Raises `ServerMoved`, with
    names, where a file and the server both went on, and `FileRefused` with whatever is wrong
    with a file; then nothing is stored.
    """
    done = _all(tx, files, kinds)
    boundary("workspace.pushed")
    if conflicts := [one.ref for one in done.files if one.state is State.CONFLICT]:
        raise ServerMoved(", ".join(conflicts))
    return done


def plan(tx: Tx, files: Files, *, kinds: Kinds) -> Plan:
    """What `push` would do now; done, looked at and undone, so that both always agree."""
    with tx.undone():
        return _all(tx, files, kinds)


def _all(tx: Tx, files: Files, kinds: Kinds) -> Plan:
    environments.check_within(tx, files.at)
    return Plan(
        files=tuple(_push(tx, one, files, kinds) for one in in_order(files.entries)),
        only_there=tuple(islice(_only_there(tx, files), MOST_ONLY_THERE)),
    )


def _push(tx: Tx, one: Entry, files: Files, kinds: Kinds) -> Planned:
    try:
        return _carry_out(tx, one, files, kinds)
    except (Invalid, NotFound) as error:
        raise FileRefused(one.file, str(error), error.hint.format(error)) from error


def _carry_out(tx: Tx, one: Entry, files: Files, kinds: Kinds) -> Planned:
    of = registered.found(tx, one.kind, one.name)
    there = _version(tx, one, files.at) if of else None
    spec = _spec(tx, one, there, kinds)
    content = digest(spec)
    about = tuple(_about(of, one)) if of else ()
    state = _state(tx, one, files, of, there, content)
    why = _WHY.get(state, "")
    if grave := [told for told in about if told.startswith(_BY_PEOPLE)]:
        state, why = State.CONFLICT, f"{grave[0]}; people change that there"
    found = Planned(
        kind=one.kind,
        name=one.name,
        file=one.file,
        state=state,
        why=why,
        before=there.number if there else None,
        before_digest=there.digest if there else "",
        after=there.number if state is State.UNCHANGED and there else None,
        digest=content,
        spans=() if state is State.UNCHANGED else _spans(there, spec, one.kind, kinds),
        about=about,
        commit=commit_of(there.message) if there else "",
    )
    if files.at != LATEST or state in {State.BEHIND, State.CONFLICT}:
        return found
    if state is not State.UNCHANGED:
        made = _store(tx, one, of, spec, kinds)
        findings = tuple(lint(tx, made, kinds=kinds))
        found = replace(found, after=made.number, digest=made.digest, findings=findings)
    assert found.after is not None, "what was stored has a number"
    return replace(found, labels=tuple(_labels(tx, one, found.after, files)))


def _state(
    tx: Tx, one: Entry, files: Files, of: Artifact | None, there: Version | None, content: str
) -> State:
    # A base that this server never had says nothing of it: it is another server's.
    base = one.base
    if base is not None and of is not None and base.digest not in restoring.digests(tx, of):
        base = None
    state = decide(
        here=content,
        there=there.digest if there else "",
        base=base,
        touched=one.touched or files.over,
    )
    if state is State.UNCHANGED or there is None:
        return state
    return State.NEW_VERSION if files.over or files.at != LATEST else state


_BY_PEOPLE = ("criticality", "owner")
_WHY = {
    State.BEHIND: "the server went on; pull brings it",
    State.CONFLICT: "the server has something that this file was never in step with",
}


def _version(tx: Tx, one: Entry, at: str) -> Version | None:
    try:
        return registered.version(tx, Ref(one.kind, one.name, at))
    except VersionNotFound:
        return None


def _spec(tx: Tx, one: Entry, there: Version | None, kinds: Kinds) -> dict[str, object]:
    """The spec as it would be stored: with every default, and what it cites by number."""
    shape = kind_of(kinds, one.kind)
    spec = shape.read(one.spec) if one.items is None else _dataset(tx, one, there)
    return shape.write(shape.pin(spec, registered.lookup(tx)))


def _dataset(tx: Tx, one: Entry, there: Version | None) -> DatasetSpec:
    """A dataset whose items are those of a file. Where it came from is no difference."""
    about = adapter(DatasetSpec).validate_python({**one.spec, "items": ()})
    fresh = dataset_spec(
        one.items or (), description=about.description, evaluators=about.evaluators
    )
    if there is not None:
        known = adapter(DatasetSpec).validate_python(there.spec)
        pinned = _pinned(tx, fresh)
        if replace(known, lineage=Lineage()) == pinned:
            return known
    parent = there.ref if there else None
    return replace(fresh, lineage=Lineage(source=one.file, parent=parent))


def _pinned(tx: Tx, spec: DatasetSpec) -> DatasetSpec:
    found = [
        registered.version(tx, Ref.parse(one, kind="evaluator")) for one in spec.evaluators
    ]
    return replace(spec, evaluators=tuple(f"{one.name}@{one.number}" for one in found))


def _store(
    tx: Tx, one: Entry, of: Artifact | None, spec: dict[str, object], kinds: Kinds
) -> Version:
    usual = Criticality.ADVISORY if one.kind == "dataset" else Criticality.ASSISTIVE
    draft = ArtifactDraft(
        kind=one.kind,
        name=one.name,
        owner=one.owner or "",
        purpose=one.purpose or "",
        criticality=one.criticality or (of.criticality if of else usual),
        tags=one.tags or (),
    )
    registry.create_artifact(tx, draft, kinds=kinds)
    if one.items is not None:
        datasets.keep(tx, one.items)
    wanted = VersionDraft(spec=spec, message=one.message)
    return registry.create_version(tx, one.kind, one.name, wanted, kinds=kinds)


def _labels(tx: Tx, one: Entry, number: int, files: Files) -> Iterator[PlannedLabel]:
    for label in files.labels:
        registry.check_label(label)
        now = registered.label(tx, one.kind, one.name, label)
        if now is not None and now.number == number:
            continue
        proposed = environments.reviewed(tx, label)
        if not proposed:
            registry.set_label(
                tx, one.kind, one.name, label, number, reason=f"what {one.file} says"
            )
        yield PlannedLabel(
            label=label,
            before=now.number if now else None,
            after=number,
            proposed=proposed,
        )


def _about(of: Artifact, one: Entry) -> Iterator[str]:
    """What a file says of an artifact otherwise than the server, in words."""
    for field in ("criticality", "owner", "purpose", "tags"):
        here, there = getattr(one, field), getattr(of, field)
        if here is not None and _said(here) != _said(there):
            yield f"{field} is {_said(there)!r} on the server, not {_said(here)!r}"


def _said(value: object) -> object:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _spans(
    before: Version | None, after: dict[str, object], kind: str, kinds: Kinds
) -> tuple[Span, ...]:
    shape = kind_of(kinds, kind)
    was = shape.text(shape.read(before.spec)) if before else ""
    return word_diff(was, shape.text(shape.read(after)))


def _only_there(tx: Tx, files: Files) -> Iterator[str]:
    """Artifacts that no file describes, the first thousand of them."""
    described = {one.ref for one in files.entries}
    for kind in dict.fromkeys(files.kinds):
        after = ""
        while page := registered.artifacts(tx, kind, after=after):
            for artifact, count, _ in page:
                if count and artifact.ref not in described:
                    yield artifact.ref
            after = page[-1][0].name
