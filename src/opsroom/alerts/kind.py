"""What the registry needs to know about alert rules."""

from collections.abc import Iterator, Sequence

import yaml

from opsroom.kit.wire import plain
from opsroom.registry import Finding, Kind, Lookup, Severity

from .conditions import holds
from .errors import BrokenRule
from .figures import figures
from .model import COUNTED, LONGEST, SHORTEST, AlertRuleSpec, Scope


def pin(spec: AlertRuleSpec, _lookup: Lookup) -> AlertRuleSpec:
    """Refuse what could never be decided."""
    holds(spec.when, figures({}, {}))
    if not SHORTEST <= spec.window <= LONGEST:
        raise BrokenRule("its window lasts five minutes at least, and seven days at most")
    if not 0 <= spec.quiet_after <= LONGEST:
        raise BrokenRule("it is resolved after seven days of quiet at most")
    if spec.remind_every and not SHORTEST <= spec.remind_every <= LONGEST:
        raise BrokenRule("it is told again after five minutes at least, and seven days at most")
    if unknown := set(spec.events) - COUNTED:
        raise BrokenRule(f"{min(unknown)} is no event that it may count")
    if not spec.description.strip():
        raise BrokenRule("it has no description, which is what people are told")
    return spec


def lint(
    spec: AlertRuleSpec, _before: AlertRuleSpec | None, _lookup: Lookup
) -> Sequence[Finding]:
    return list(_findings(spec))


def _findings(spec: AlertRuleSpec) -> Iterator[Finding]:
    if spec.events and spec.scope is Scope.AGENT:
        yield Finding(
            code="events_of_the_project",
            severity=Severity.ERROR,
            message="events are counted for the project, not for each agent",
            place="scope",
            hint="write `scope: project`",
        )
    if holds(spec.when, figures({}, {})):
        yield Finding(
            code="holds_of_nothing",
            severity=Severity.WARNING,
            message="it holds where nothing has happened, so it is always open somewhere",
            place="when",
            hint="compare with `usual.turns.low`, or ask for some turns",
        )
    if ".rate" in spec.when and not any(word in spec.when for word in (".low", ".high")):
        yield Finding(
            code="bare_rate",
            severity=Severity.WARNING,
            message="it compares a rate without its interval, which few turns cross by chance",
            place="when",
            hint="compare `.low` or `.high`, which hold in 999 of 1,000 windows",
        )


def text(spec: AlertRuleSpec) -> str:
    """The rule as YAML, one setting a line."""
    return yaml.safe_dump(plain(spec), sort_keys=False, allow_unicode=True, width=88)


KIND = Kind(
    name="alert-rule",
    shape=AlertRuleSpec,
    text=text,
    pin=pin,
    lint=lint,
    newest_counts="unlabelled",
)
