"""Where the values of an action's arguments come from. No I/O.

Text that came from tools is untrusted, whatever it says. A tape holds what was said in one
turn, in order; grounding an argument is finding it there, and saying in whose words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from opsroom.contracts.model import ArgumentKind
from opsroom.kit.wire import Wire


class Voice(StrEnum):
    """Who speaks in a piece of tape."""

    SYSTEM = "system"  # the deployer: the agent's own instructions
    USER = "user"
    MODEL = "model"
    TOOL = "tool"


class Source(StrEnum):
    """Where a value comes from, from most to least to be relied on."""

    USER = "user"  # the user's own words (or the deployer's)
    FOLLOWED = "followed"  # reached by following the user's words through trusted records
    RECORD = "record"  # stands in a trusted record, but the user's words do not lead there
    UNTRUSTED = "untrusted"  # only in text that anybody may have written
    MODEL = "model"  # nowhere: the model's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece(Wire):
    """One thing that was said. For `TOOL`: which tool, with which arguments, was answered."""

    voice: Voice
    text: str
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground(Wire):
    """Where one value of one sink argument comes from. `because` says so in words."""

    path: str
    kind: ArgumentKind
    source: Source
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding(Wire):
    """The grounds of an action. `facts` is what policies see of it, flat and typed the same
    for every contract (the names are listed in docs/reference/policy-facts.md).
    """

    grounds: tuple[Ground, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    kind: Literal["grounding"] = "grounding"
