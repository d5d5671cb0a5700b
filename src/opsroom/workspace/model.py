"""What a workspace holds, and what is to be done about each file of it. No I/O."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

from opsroom.datasets.model import Item
from opsroom.kit.wire import Wire
from opsroom.registry import BadName, BadReference, Criticality, Finding, Ref, UnknownKind
from opsroom.registry.model import LATEST, NAME, Span

from .errors import CitesItself, DescribedTwice, WorkspaceTooLarge

# In the order in which they cite each other: what is cited comes first.
KINDS = (
    "evaluator",
    "prompt",
    "contract",
    "policy",
    "integration",
    "channel",
    "alert-rule",
    "dataset",
    "route",
    "agent",
)
# Where files of a kind cite others of that kind.
_CITING = {"prompt": ("includes",), "contract": ("lookup", "compensator")}
MAX_FILES = 10_000
MAX_LABELS = 50
_TRAILER = re.compile(r"^Git-Commit: ([0-9a-f]{40,64})( dirty)?$", re.MULTILINE)


class State(StrEnum):
    """How a file stands to the server, and so what a push does about it."""

    CREATE = "create"
    NEW_VERSION = "new_version"
    UNCHANGED = "unchanged"
    BEHIND = "behind"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base(Wire):
    """The version that a file was last in step with."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Wire):
    """What one file says. What is None is left as it is on the server.

    `touched` says whether the file was changed since it was in step with `base`; `items` are
    those of a dataset.
    """

    kind: str
    name: str
    file: str
    spec: dict[str, JsonValue]
    items: tuple[Item, ...] | None = None
    purpose: str | None = None
    owner: str | None = None
    criticality: Criticality | None = None
    tags: tuple[str, ...] | None = None
    base: Base | None = None
    touched: bool = True
    message: str = ""

    def __post_init__(self) -> None:
        if NAME.fullmatch(self.name) is None:
            raise BadName(self.name)

    @property
    def ref(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files(Wire):
    """The files of a workspace, and the labels that are to point at what they say.

    `kinds` are those that the workspace is the home of, `at` the label that files are compared
    with, and `over` takes the files for right where the server went on as well. Raises
    `DescribedTwice`, `UnknownKind`, and `WorkspaceTooLarge` for more than is looked at at once.
    """

    entries: tuple[Entry, ...]
    labels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    at: str = LATEST
    over: bool = False

    def __post_init__(self) -> None:
        if len(self.entries) > MAX_FILES or len(self.labels) > MAX_LABELS:
            limit = f"{MAX_FILES:,} files and {MAX_LABELS} labels"
            raise WorkspaceTooLarge("the workspace", limit)
        described: dict[str, Entry] = {}
        for one in self.entries:
            if (there := described.setdefault(one.ref, one)) is not one:
                raise DescribedTwice(one.file, there.file, one.ref)
        for kind in {*self.kinds, *(one.kind for one in self.entries)}.difference(KINDS):
            raise UnknownKind(kind[:100], ", ".join(KINDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLabel(Wire):
    """A label that does not point at what a file says. `proposed` where only a proposal, a
    release or a rollback moves it.
    """

    label: str
    before: int | None
    after: int
    proposed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Wire):
    """What a push does about one file, or did. `before` is the server's version, `after` the one
    that holds what the file says; `commit` is that of `before`, where it was pushed from one.
    """

    kind: str
    name: str
    file: str
    state: State
    why: str = ""
    before: int | None = None
    before_digest: str = ""
    after: int | None = None
    digest: str = ""
    spans: tuple[Span, ...] = ()
    findings: tuple[Finding, ...] = ()
    labels: tuple[PlannedLabel, ...] = ()
    about: tuple[str, ...] = ()
    commit: str = ""

    @property
    def ref(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Wire):
    """What a push does, file by file; `only_there` are artifacts without a file."""

    files: tuple[Planned, ...]
    only_there: tuple[str, ...] = ()


def decide(*, here: str, there: str, base: Base | None, touched: bool) -> State:
    """How a file with the digest `here` stands to a server whose version has the digest `there`.

    Nothing that the server got meanwhile is written over: it is either what the file was last
    in step with, or a conflict.
    """
    if not there:
        return State.CREATE
    if here == there:
        return State.UNCHANGED
    if base is not None and base.digest == there:
        return State.NEW_VERSION
    if base is not None and not touched:
        return State.BEHIND
    return State.CONFLICT


def commit_of(message: str) -> str:
    """The commit that a version was pushed from, as its message says; empty where it was pushed
    from none, or with changes that no commit holds.
    """
    found = _TRAILER.search(message)
    return found[1] if found and not found[2] else ""


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """What is cited before what cites it. Raises `CitesItself`."""
    ordered: list[Entry] = []
    for kind in KINDS:
        mine = {one.name: one for one in entries if one.kind == kind}
        done: set[str] = set()
        for name in sorted(mine):
            _visit(name, mine, done, ordered)
    return ordered


def _visit(name: str, mine: Mapping[str, Entry], done: set[str], ordered: list[Entry]) -> None:
    """Depth first, without recursion that a long chain of files could exhaust."""
    path = [(name, iter(_cited(mine[name])))]
    while path:
        at, left = path[-1]
        if at in done:
            path.pop()
            continue
        following = next((one for one in left if one in mine and one not in done), None)
        if following is None:
            done.add(at)
            ordered.append(mine[at])
            path.pop()
        elif following in (open_ := [one for one, _ in path]):
            circle = (*open_[open_.index(following) :], following)
            raise CitesItself(" → ".join(circle))
        else:
            path.append((following, iter(_cited(mine[following]))))


def _cited(entry: Entry) -> list[str]:
    """The names of the same kind that an entry cites as they are now."""
    found: list[Any] = []
    for field in _CITING.get(entry.kind, ()):
        value = entry.spec.get(field)
        found += value.values() if isinstance(value, dict) else [value]
    names: list[str] = []
    for one in found:
        if isinstance(one, str) and one:
            try:
                ref = Ref.parse(one, kind=entry.kind)
            except BadReference:
                continue  # whoever reads the spec says what is wrong with it
            if ref.kind == entry.kind and ref.at in {"", LATEST}:
                names.append(ref.name)
    return names
