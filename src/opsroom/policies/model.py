"""What agents must obey: policies as Cedar text, and what they say of one proposal. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from opsroom.kit.wire import Wire


class Verdict(StrEnum):
    """What policy says of a proposal, from gentlest to hardest."""

    PERMIT = "permit"
    MODIFY = "modify"
    ESCALATE = "escalate"
    DEFER = "defer"
    DENY = "deny"


class Mode(StrEnum):
    """Whether a policy decides, or only says what it would have decided."""

    ENFORCE = "enforce"
    LOG_ONLY = "log_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Wire):
    """One row of a policy's own table of tests: of a request like this, expect that."""

    name: str
    tool: str
    expect: Verdict
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    context: dict[str, Any] = field(default_factory=dict[str, Any])
    agent: str = "some-agent"
    human: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySpec(Wire):
    """A set of Cedar policies, each with an `@id`. Further annotations: `@reason("…")` in
    words, `@verdict("escalate" | "defer" | "modify")` on a forbid that asks instead of
    refusing, `@set("/amount=100")` what a modify puts in place.
    """

    cedar: str
    description: str = ""
    mode: Mode = Mode.ENFORCE
    tests: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest(Wire):
    """Everything a decision rests on; kept with the action, so that it can be decided again.

    `resource` is the integration or tenant object that is touched. `arguments` are canonical.
    `facts` are computed by opsroom, never by the agent: budget remaining, counts and sums over
    history, autonomy level, confidence band, grounding of arguments, time.
    """

    agent: str
    tool: str
    human: str = ""
    resource: str = ""
    risk: str = "write"
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Wire):
    """Which policy spoke, with what effect, and why in words."""

    policy: str
    verdict: Verdict
    words: str
    log_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling(Wire):
    """What the policies say together. `set` holds what is replaced, by JSON pointer: where
    another policy asks for more, people are asked about the call as it is then.

    `error` says why there is no verdict to rely on; then it is a denial. `would` is the
    verdict if policies that only log were enforced too.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    set: dict[str, Any] = field(default_factory=dict[str, Any])
    would: Verdict | None = None
    error: str = ""
    kind: Literal["ruling"] = "ruling"
