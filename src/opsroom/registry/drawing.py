"""What others bring to the registry's pages.

The registry knows no kind and no evidence by name, so it cannot draw them. The composition
root hands it a table of those that can: a page of each kind, and panels for checks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from starlette.requests import Request

from opsroom.kit.db import Tx

from .model import Artifact, Check, Proposal, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of a page that another slice draws: its template, which finds `facts` as `panel`."""

    template: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button on an artifact's page that leads to another slice."""

    title: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A word beside an artifact in the list, and where it is explained."""

    word: str
    href: str
    tone: str = "warn"


Draw = Callable[[Tx, Version], Panel]
DrawCheck = Callable[[Tx, Proposal, Check | None], Panel | None]
Offer = Callable[[Tx, Artifact, Version], Sequence[Action]]
Beside = Callable[[Tx, Artifact, Version], Sequence[Panel]]
Flags = Callable[[Tx], Mapping[str, Sequence[Flag]]]
Weigh = Callable[[Tx, Proposal], Panel | None]
Between = Callable[[Version, Version], Sequence[Action]]


def _no_actions(_tx: Tx, _of: Artifact, _version: Version) -> Sequence[Action]:
    return ()


def _nothing_beside(_tx: Tx, _of: Artifact, _version: Version) -> Sequence[Panel]:
    return ()


def _no_flags(_tx: Tx) -> Mapping[str, Sequence[Flag]]:
    return {}


def _not_weighed(_tx: Tx, _proposal: Proposal) -> Panel | None:
    return None


def _nothing_between(_before: Version, _after: Version) -> Sequence[Action]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindPage:
    """How one kind is shown. `path` begins the addresses of its pages.

    `draw` makes what only this kind shows of a version. `offer` gives the ways from a version
    to other slices, `between` those from a difference; `beside` is what they show of an artifact, `flags` what they say of it in the list. Programs ask for the production
    version of what is `served`; the rest is `cited`, in words. `absent` and `command` tell somebody who has none how to get the first one.
    """

    kind: str
    path: str
    plural: str
    question: str
    absent: str
    command: str
    draw: Draw
    served: bool = True
    cited: str = "is cited by its version"
    offer: Offer = _no_actions
    beside: Beside = _nothing_beside
    between: Between = _nothing_between
    flags: Flags = _no_flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawings:
    """Everything that the registry's pages get from elsewhere, by kind and by check.

    A check is drawn with what it found, or with None while it has not been made. `weigh` draws what
    a change adds to every call.
    """

    kinds: Mapping[str, KindPage]
    checks: Mapping[str, DrawCheck] = field(default_factory=dict[str, DrawCheck])
    weigh: Weigh = _not_weighed

    def address(self, kind: str, name: str, number: int | None = None) -> str:
        """The page of an artifact or a version, or nothing for a kind without pages."""
        found = self.kinds.get(kind)
        if found is None:
            return ""
        return f"{found.path}/{name}" + ("" if number is None else f"?at={number}")


def drawings(request: Request) -> Drawings:
    return cast("Drawings", request.app.state.drawings)
