"""Artifacts, versions, labels and proposals, the same for every kind. No I/O."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import AwareDatetime

from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire

from .errors import BadName, BadReference

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
LABEL = re.compile(r"[a-z][a-z0-9._-]{0,63}", re.ASCII)
NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
PRODUCTION = "production"
LATEST = "latest"


Op = Literal["equal", "delete", "insert"]


class Criticality(StrEnum):
    """How much harm a wrong version can do, and so how much proof a change needs."""

    ADVISORY = "advisory"
    ASSISTIVE = "assistive"
    AUTONOMOUS = "autonomous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(Wire):
    """Where programs run, and what it takes to change what they run there.

    Its name is that of the label which programs there read. Where it is `reviewed`, the label
    moves by a proposal, a release or a rollback only, and what that takes is what the
    artifact's criticality asks for, at least as much as the environment's. With `movers`, one of
    these roles is needed to move it forward; with `after`, a version must have been in that
    environment first. `position` is where it stands on the way, small before large.
    """

    name: str
    position: int = 50
    reviewed: bool = False
    criticality: Criticality = Criticality.ADVISORY
    movers: tuple[str, ...] = ()
    after: str = ""
    note: str = ""
    changed_at: AwareDatetime | None = None
    changed_by: str = ""


class ProposalState(StrEnum):
    OPEN = "open"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(Wire):
    """A piece of text that is in both texts, only in the earlier, or only in the later one."""

    op: Op
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Wire):
    """Something a linter noticed. An `error` blocks a proposal; the rest is for the reader."""

    code: str
    severity: Severity
    message: str
    place: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Ref(Wire):
    """How a version is cited everywhere: `kind/name@7`, `kind/name@production`, `kind/name`."""

    kind: str
    name: str
    at: str = ""

    @classmethod
    def parse(cls, text: str, *, kind: str = "") -> Self:
        """Read a reference; `kind` stands in where the text names none."""
        head, _, at = text.partition("@")
        before, slash, name = head.rpartition("/")
        found = before if slash else kind
        if not NAME.fullmatch(found) or not NAME.fullmatch(name) or ("@" in text and not at):
            raise BadReference(text)
        if at and not NUMBER.fullmatch(at) and not LABEL.fullmatch(at):
            raise BadReference(text)
        return cls(found, name, at)

    @property
    def number(self) -> int | None:
        return int(self.at) if NUMBER.fullmatch(self.at) else None

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" + (f"@{self.at}" if self.at else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact(Wire):
    """Something that has versions: a prompt, a dataset, an agent … What nobody needs any more is
    archived: lists leave it out, everything of it stays and can be read.
    """

    id: str
    kind: str
    name: str
    owner: str
    purpose: str = ""
    criticality: Criticality = Criticality.ASSISTIVE
    tags: tuple[str, ...] = ()
    created_at: datetime
    created_by: str
    archived_at: datetime | None = None

    @property
    def ref(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Wire):
    """One immutable state of an artifact. `digest` is over the canonical JSON of `spec`.

    `author` is who wrote it, as an import may claim; `made_by` is who put it here.
    `reverts` is the number of the earlier version that this one returns to, if any; `source`
    says where an imported version came from, so that importing it again finds it.
    """

    kind: str
    name: str
    number: int
    digest: str
    spec: dict[str, Any]
    author: str
    made_by: str = ""
    message: str = ""
    parent: int | None = None
    reverts: int | None = None
    source: str | None = None
    created_at: datetime

    @property
    def ref(self) -> str:
        return f"{self.kind}/{self.name}@{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Which version of which artifact, and the digest of its content."""

    artifact: str
    number: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Wire):
    """A name that points at a version, and who pointed it there."""

    label: str
    number: int
    moved_at: datetime
    moved_by: str
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMove(Wire):
    """One step in the history of a label. `how` is set, merge, release, rollback or import.

    `revision` counts the steps of one label; it, not the time, is their order.
    """

    id: str
    label: str
    revision: int
    before: int | None
    after: int
    how: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Wire):
    """One thing that was looked at before a proposal may be merged.

    `evidence` is the digest of what the check rests on, for example a gate verdict.
    """

    name: str
    state: str
    summary: str
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal(Wire):
    """Move `label` of an artifact to version `number`: a pull request in spirit."""

    id: str
    kind: str
    name: str
    label: str
    number: int
    digest: str
    base: int | None
    title: str
    description: str = ""
    author: str
    state: ProposalState = ProposalState.OPEN
    checks: tuple[Check, ...] = ()
    created_at: datetime
    revision: int = 1

    @property
    def subject(self) -> str:
        return f"proposal/{self.id}"

    @property
    def binding(self) -> str:
        """The digest an approval is bound to: what moves where, from what, on which evidence."""
        return digest(
            {
                "artifact": f"{self.kind}/{self.name}",
                "label": self.label,
                "version": self.digest,
                "number": self.number,
                "base": self.base,
                "evidence": [
                    [check.name, check.state, check.evidence or ""]
                    for check in sorted(self.checks, key=lambda one: one.name)
                ],
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactDraft(Wire):
    """What somebody asks for when they make an artifact."""

    kind: str
    name: str
    owner: str = ""
    purpose: str = ""
    criticality: Criticality = Criticality.ASSISTIVE
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if NAME.fullmatch(self.name) is None:
            raise BadName(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDraft(Wire):
    """What somebody asks for when they make a version. `at` and `author` are for imports."""

    spec: dict[str, Any]
    message: str = ""
    source: str | None = None
    author: str | None = None
    at: AwareDatetime | None = None
    labels: tuple[str, ...] = field(default=())
