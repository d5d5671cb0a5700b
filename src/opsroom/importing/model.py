"""What an import consists of, whatever the format it came in."""

from dataclasses import dataclass, field
from typing import Any

from opsroom.datasets import Item
from opsroom.inbox.model import OverrideDraft
from opsroom.kit.wire import Wire
from opsroom.models import Output
from opsroom.registry import ArtifactDraft, VersionDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile(Wire):
    """A file that was read, so that the journal can say what exactly came in."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion(Wire):
    """A version of `kind/name`. Its `source` finds it again on the next import."""

    kind: str
    name: str
    draft: VersionDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDataset(Wire):
    """Items for a dataset. They join those that are there; same content counts once.

    Where the file is the whole of it, `replaces` makes the next version hold these items alone.
    """

    name: str
    items: tuple[Item, ...]
    description: str = ""
    evaluators: tuple[str, ...] = ()
    replaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecording(Wire):
    """What a version answered to an item. The version is named by kind, name and source."""

    kind: str
    name: str
    source: str
    item: str
    output: Output
    variant: str = ""
    trial: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOverride(Wire):
    """What people decided otherwise; its subject finds it again on the next import."""

    draft: OverrideDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut(Wire):
    """What stood in the files and does not come in: how many of what, and why."""

    what: str
    count: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle(Wire):
    """Everything one import brings, in the order in which it is stored."""

    format: str
    files: tuple[SourceFile, ...] = ()
    artifacts: tuple[ArtifactDraft, ...] = ()
    versions: tuple[NewVersion, ...] = ()
    datasets: tuple[NewDataset, ...] = ()
    recordings: tuple[NewRecording, ...] = ()
    overrides: tuple[NewOverride, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Wire):
    """What an import changed. `new` and `known` count by kind of thing."""

    format: str
    new: dict[str, int] = field(default_factory=dict[str, int])
    known: dict[str, int] = field(default_factory=dict[str, int])
    reverts: int = 0
    left_out: tuple[LeftOut, ...] = ()

    @property
    def changed(self) -> bool:
        return any(self.new.values())


def agent_draft(model: str, **settings: Any) -> dict[str, Any]:
    """The manifest of a recorded agent: its model, and whatever else told runs apart."""
    known = {key: value for key, value in settings.items() if value is not None}
    return {"model": {"model": model}, "settings": known}
