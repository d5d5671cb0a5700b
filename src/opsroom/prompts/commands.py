"""Storing prompts as they stand in a folder: all of them, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import Wire, plain
from opsroom.registry import (
    ArtifactDraft,
    ArtifactNotFound,
    Criticality,
    Finding,
    Kinds,
    Ref,
    Version,
    VersionDraft,
    VersionNotFound,
)
from opsroom.registry import commands as registry
from opsroom.registry import queries as registry_queries
from opsroom.registry.diff import Span, word_diff
from opsroom.registry.kinds import kind_of
from opsroom.registry.proposals import lint

from .errors import IncludeCycle, IncludeTooDeep, PromptTwice
from .includes import MAX_DEPTH
from .model import PromptSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedPrompt(Wire):
    """A prompt as somebody wrote it. What is None stays as it is, or is as for a new prompt."""

    name: str
    spec: PromptSpec
    owner: str | None = None
    purpose: str | None = None
    criticality: Criticality | None = None
    tags: tuple[str, ...] | None = None
    message: str = ""


class Outcome(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed(Wire):
    """What became of one prompt: its version now, what changed in it, what the linter says."""

    name: str
    outcome: Outcome
    before: int | None
    version: Version
    spans: tuple[Span, ...]
    findings: tuple[Finding, ...]


def push(
    tx: Tx, prompts: Sequence[PushedPrompt], *, message: str = "", kinds: Kinds
) -> list[Pushed]:
    """Make every prompt's latest version what is given here.

    Prompts that include each other may come in any order; `name` without a version means the
    one that comes along. Safe to repeat. Raises `PromptTwice`, `IncludeCycle`, and whatever is
    wrong with one of them.
    """
    pushed: list[Pushed] = []
    for one in _in_order(prompts):
        try:
            pushed.append(_push(tx, one, message, kinds))
        except OpsroomError as error:
            # Which of many it was; the error itself only knows the place within one.
            if isinstance(place := error.facts.get("place"), str):
                error.place = f"prompt {one.name!r}, {place}"  # type: ignore[attr-defined]  # a field, as the facts show
            raise
    return pushed


def compare(tx: Tx, prompts: Sequence[PushedPrompt], *, kinds: Kinds) -> list[Pushed]:
    """What `push` would do now; done, looked at and undone, so that both always agree."""
    with tx.undone():
        return push(tx, prompts, kinds=kinds)


def _push(tx: Tx, one: PushedPrompt, message: str, kinds: Kinds) -> Pushed:
    there = _criticality(tx, one.name)
    draft = ArtifactDraft(
        kind="prompt",
        name=one.name,
        owner=one.owner or "",
        purpose=one.purpose or "",
        criticality=one.criticality or there or Criticality.ASSISTIVE,
        tags=one.tags or (),
    )
    registry.create_artifact(tx, draft, kinds=kinds)
    before = _latest(tx, one.name)
    wanted = VersionDraft(spec=plain(one.spec), message=one.message or message)
    made = registry.create_version(tx, "prompt", one.name, wanted, kinds=kinds)
    return Pushed(
        name=one.name,
        outcome=_outcome(before, made),
        before=before.number if before else None,
        version=made,
        spans=_spans(before, made, kinds),
        findings=tuple(lint(tx, made, kinds=kinds)),
    )


def _in_order(prompts: Sequence[PushedPrompt]) -> list[PushedPrompt]:
    """What is included before what includes it."""
    by_name: dict[str, PushedPrompt] = {}
    for one in prompts:
        if one.name in by_name:
            raise PromptTwice(one.name)
        by_name[one.name] = one
    order: dict[str, PushedPrompt] = {}
    for name in by_name:
        _visit(name, by_name, order, ())
    return list(order.values())


def _visit(
    name: str,
    by_name: Mapping[str, PushedPrompt],
    order: dict[str, PushedPrompt],
    chain: tuple[str, ...],
) -> None:
    if name in chain:
        raise IncludeCycle(" → ".join((*chain[chain.index(name) :], name)))
    if name in order:
        return
    if len(chain) > MAX_DEPTH:
        raise IncludeTooDeep(" → ".join((*chain, name)), MAX_DEPTH)
    for reference in by_name[name].spec.includes.values():
        cited = Ref.parse(reference, kind="prompt")
        if cited.at in {"", "latest"} and cited.name in by_name:
            _visit(cited.name, by_name, order, (*chain, name))
    order[name] = by_name[name]


def _criticality(tx: Tx, name: str) -> Criticality | None:
    try:
        return registry_queries.artifact(tx, "prompt", name).criticality
    except ArtifactNotFound:
        return None


def _latest(tx: Tx, name: str) -> Version | None:
    try:
        return registry_queries.version(tx, Ref("prompt", name))
    except VersionNotFound:
        return None


def _outcome(before: Version | None, made: Version) -> Outcome:
    if before is None:
        return Outcome.NEW
    return Outcome.SAME if before.number == made.number else Outcome.CHANGED


def _spans(before: Version | None, made: Version, kinds: Kinds) -> tuple[Span, ...]:
    kind = kind_of(kinds, "prompt")
    after = kind.text(kind.read(made.spec))
    return word_diff(kind.text(kind.read(before.spec)) if before else "", after)
