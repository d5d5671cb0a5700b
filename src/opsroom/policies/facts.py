"""The facts that a policy may ask about, one typed list. opsroom computes them, no agent does.

A policy reads them as `context.facts.NAME`. Every one is always there: where a caller does
not know one, the value is the one that asks for most care, so that what is missing never
permits. Tables of tests start from a quiet day instead, and say what is different.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

LONGEST = 2**63 - 1
LARGEST = Decimal(LONGEST).scaleb(-4)


class CedarType(StrEnum):
    """The types that facts have, as Cedar writes them."""

    BOOL = "Bool"
    LONG = "Long"
    DECIMAL = "decimal"
    STRING = "String"
    STRINGS = "Set<String>"


@dataclass(frozen=True, slots=True)
class FactType:
    """What a fact is: its type, its value where nobody knows it, and its value on a quiet day."""

    type: CedarType
    missing: Any
    quiet: Any
    words: str


def _yes(words: str) -> FactType:
    """A fact that reassures."""
    return FactType(CedarType.BOOL, missing=False, quiet=True, words=words)


def _alarm(words: str) -> FactType:
    """A fact that alarms."""
    return FactType(CedarType.BOOL, missing=True, quiet=False, words=words)


def _count(words: str) -> FactType:
    return FactType(CedarType.LONG, missing=LONGEST, quiet=0, words=words)


def _usd(words: str) -> FactType:
    return FactType(CedarType.DECIMAL, missing=LARGEST, quiet=Decimal(0), words=words)


def _word(missing: str, quiet: str, words: str) -> FactType:
    return FactType(CedarType.STRING, missing=missing, quiet=quiet, words=words)


def _words(missing: tuple[str, ...], words: str) -> FactType:
    return FactType(CedarType.STRINGS, missing=missing, quiet=(), words=words)


FACTS: Mapping[str, FactType] = {
    "autonomy_level": _word(
        "suspended",
        "bounded",
        "how freely the agent may act: suspended, shadow, approve_each, bounded or expanded",
    ),
    "confidence_band": _word(
        "none", "high", "how sure the agent says it is: none, low, medium or high"
    ),
    "approved": FactType(
        CedarType.BOOL,
        missing=False,
        quiet=False,
        words="a person has approved exactly this action",
    ),
    "environment": _word("production", "production", "where the agent runs"),
    "hour": FactType(CedarType.LONG, missing=-1, quiet=12, words="the hour of the day in UTC, 0 to 23"),
    "weekday": FactType(
        CedarType.LONG, missing=-1, quiet=1, words="the day of the week in UTC, 1 (Monday) to 7"
    ),
    "amount": _usd(
        "usd that the call spends, by the contract's `spends`; 0 where it names no argument"
    ),
    "budget_remaining_usd": FactType(
        CedarType.DECIMAL,
        missing=Decimal(0),
        quiet=LARGEST,
        words="usd left in the tightest budget that applies; the largest number without a budget",
    ),
    "spent_in_turn_usd": _usd("usd that actions of this turn have spent or hold"),
    "spent_last_day_usd": _usd("usd that this agent's actions have spent in the last 24 hours"),
    "calls_in_turn": _count("actions proposed in this turn before this one"),
    "same_calls_in_turn": _count("of these, how many were the same tool with the same arguments"),
    "calls_last_hour": _count("this agent's calls of this tool in the last hour"),
    "session_read": FactType(
        CedarType.STRINGS,
        missing=None,
        quiet=(),
        words="what calls that only read have been begun in this session, or without one in this"
        " turn, before this call: the name and the tool of each contract, and `tag:NAME` for the"
        " tags it has; where nobody knows, no rule that asks for it gives a verdict",
    ),
    "tainted": _alarm("the turn has read text that anybody may have written"),
    "argument_notes": _words(
        ("unknown",),
        "what was suspicious about how arguments were written: hidden, bidi, mixed_script, respelt",
    ),
    "reads_only": _yes("the call changes nothing; at most it fetches from an address"),
    "argument_untrusted": _words(
        ("/",), "the arguments, by path, whose values come from text that anybody may have written"
    ),
    "argument_copied": _alarm(
        "a name among the other arguments was copied from such text, and the user said nothing of it"
    ),
    "argument_made_up": _alarm("an address or number that identifies something stands nowhere"),
    "argument_secret_said": _yes("every secret among the arguments is in the user's own words"),
    "argument_link_reached": _yes("every link was said by the user or reached from the user's words"),
    "grounded_by": _word(
        "model",
        "user",
        "the weakest source of an identifying argument: nothing (there is none), user, followed,"
        " record, untrusted or model",
    ),
    "grounded_asked": _yes("the user's words ask for this kind of action"),
    "grounded_anchored": _yes("something in the arguments is tied to the user's words"),
    "grounded_other_named": _alarm("the user's words name another one of the list it was chosen from"),
    "taint_addressed": _alarm("text that a tool returned speaks to the agent; a hint, no more"),
    "taint_link": _alarm("a text holds a link that only untrusted text wrote"),
}  # fmt: skip


def missing(name: str) -> Any:
    """The value of a fact that nobody knows."""
    return FACTS[name].missing


def quiet() -> dict[str, Any]:
    """Every fact as it is when all is well; what tables of tests start from."""
    return {name: fact.quiet for name, fact in FACTS.items()}
