"""What a rule found, in words: its description, with the figures that people ask for first. Pure."""

from collections.abc import Mapping
from typing import Any

from .figures import RATES
from .model import AlertRuleSpec, Scope


def in_words(spec: AlertRuleSpec, facts: Mapping[str, Any], words: str) -> str:
    """Why an alert is open. `words` are those of the newest event that was counted."""
    if spec.scope is Scope.PROJECT:
        times = facts["events"]
        more = f"{times} times, last: {words}" if times > 1 else words
        return f"{spec.description} ({more})" if more else spec.description
    said = list(_said(spec, facts))
    if not said and not facts["now"]["turns"]:
        level = facts["usual"]["turns"]["level"]
        return f"{spec.description}: 0 turns, about {level:,.0f} are usual"
    return f"{spec.description}: {'; '.join(said or [_rate('failed', facts)])}"


def _said(spec: AlertRuleSpec, facts: Mapping[str, Any]) -> list[str]:
    found = [_rate(name, facts) for name in RATES if f".{name}." in spec.when]
    if ".cost." in spec.when:
        found.append(_cost(spec, facts))
    if ".confidence." in spec.when:
        found.append(_confidence(facts))
    return found


def _rate(name: str, facts: Mapping[str, Any]) -> str:
    rate, now, usual, before = RATES[name], facts["now"], facts["usual"][name], facts["before"]
    said = f"{_share(now[name])} of {now[rate.of]:,} {rate.of} {rate.words}"
    if usual["windows"]:
        return f"{said}, {_share(usual)} is usual"
    if before[rate.of]:
        return f"{said}, {before[name]['rate']:.1%} in the window before"
    return said


def _cost(spec: AlertRuleSpec, facts: Mapping[str, Any]) -> str:
    now, usual, before = facts["now"]["cost"], facts["usual"]["cost"], facts["before"]["cost"]
    if "usual.cost" in spec.when and usual["windows"]:
        return (
            f"${now['mean']:,.4f} a task, ${usual['level']:,.4f}"
            f" [${usual['low']:,.4f}, ${usual['high']:,.4f}] is usual"
        )
    return (
        f"${now['usd']:,.2f} for {now['n']:,} tasks, ${before['usd']:,.2f} in the window before"
    )


def _confidence(facts: Mapping[str, Any]) -> str:
    now, usual = facts["now"]["confidence"], facts["usual"]["confidence"]
    said = f"confidence {now['mean']:.3f} [{now['low']:.3f}, {now['high']:.3f}]"
    if not usual["windows"]:
        return said
    return f"{said}, {usual['level']:.3f} [{usual['low']:.3f}, {usual['high']:.3f}] is usual"


def _share(of: Mapping[str, Any]) -> str:
    return f"{of['rate']:.1%} [{of['low']:.1%}, {of['high']:.1%}]"
