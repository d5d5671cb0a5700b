"""What a tool most likely does, from its name and description, where nobody has said so.

The vocabulary is general English, tried from the gravest to the mildest; what is not known is
a write. A tool that fetches whatever address it is given reaches the outside: its query can
carry anything out.
"""

import re
from collections.abc import Mapping
from typing import Any

from .model import ArgumentKind, Tier, Trust
from .sinks import kind_of

_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_CREDENTIAL = frozenset(
    [
        "password",
        "passwd",
        "passphrase",
        "credential",
        "credentials",
        "secret",
        "token",
        "apikey",
        "mfa",
        "otp",
    ]
)
_READS = frozenset(
    [
        "get",
        "list",
        "search",
        "read",
        "find",
        "fetch",
        "lookup",
        "look",
        "show",
        "view",
        "query",
        "check",
        "describe",
        "count",
        "retrieve",
        "browse",
        "download",
        "calculate",
        "compute",
        "validate",
        "verify",
        "preview",
        "summarize",
        "compare",
        "estimate",
        "think",
        "is",
        "has",
        "can",
        "load",
        "inspect",
        "visit",
        "track",
    ]
)
_IRREVERSIBLE = frozenset(
    [
        "delete",
        "remove",
        "destroy",
        "drop",
        "purge",
        "erase",
        "cancel",
        "terminate",
        "revoke",
        "kick",
        "ban",
        "transfer",
        "pay",
        "refund",
        "withdraw",
        "wipe",
        "charge",
        "purchase",
        "buy",
        "order",
        "checkout",
        "book",
        "reserve",
        "close",
        "deactivate",
    ]
)
_EXTERNAL = frozenset(
    [
        "send",
        "post",
        "publish",
        "invite",
        "email",
        "mail",
        "notify",
        "message",
        "reply",
        "forward",
        "share",
        "tweet",
        "call",
        "dial",
        "submit",
        "broadcast",
        "upload",
        "announce",
        "sms",
        "fax",
    ]
)
# Verbs that change something, milder than the ones above; where one comes first, a later
# `list` or `check` in the name is no verb: `create_list`, `update_check`.
_CHANGING = """create make new set update change modify edit replace insert append put write save store
    record log register start stop open enable disable activate reset rotate move rename copy
    assign schedule reschedule plan draft comment merge approve reject accept apply attach mark
    complete resolve archive restore run execute exec deploy launch trigger issue give award
    adjust exchange return swap switch turn lock unlock block unblock import sync process handle
    generate build configure install upgrade downgrade increase decrease extend pause resume
    subscribe unsubscribe join leave enroll sign confirm convert redirect ship dispatch hand
    escalate delegate tag label pin push commit clear empty fill link unlink connect"""
_CHANGES = frozenset(_CHANGING.split())
_ADMITS = frozenset(["invite", "add", "grant", "share"])


def words_of(name: str) -> list[str]:
    """`createCalendarEvent` and `create_calendar_event` alike, in lower case."""
    return [one.lower() for one in _SPLIT.split(name) if one]


def tier_of(name: str, description: str = "", schema: Mapping[str, Any] | None = None) -> Tier:
    """The tier that a tool belongs to as far as its name, description and arguments tell."""
    words = words_of(name)
    known = set(words)
    properties = (schema or {}).get("properties", {})
    if words and _first_verb(words) in _READS:
        outside = any(
            kind_of(argument, part if isinstance(part, Mapping) else {}) is ArgumentKind.URL
            for argument, part in properties.items()
        )
        return Tier.EXTERNAL if outside else Tier.READ
    if known & _CREDENTIAL:
        return Tier.CREDENTIAL
    if "money" in known or known & _IRREVERSIBLE:
        return Tier.IRREVERSIBLE
    if known & _EXTERNAL:
        return Tier.EXTERNAL
    if not known & (_READS | _IRREVERSIBLE | _EXTERNAL | _CHANGES) and _reads(description):
        return Tier.READ
    return Tier.WRITE


def trust_of(
    name: str, description: str = "", schema: Mapping[str, Any] | None = None
) -> Trust:
    """How far what a tool returns may be believed, where nobody has said so.

    What an address names was written by anybody, whatever form it has. Of everything else the
    short fields of records name things, and the long ones hold text that anybody may have
    written. Nobody's answers are a `RECORD` until a person says so.
    """
    fetches = tier_of(name, description, schema) is Tier.EXTERNAL and (
        _first_verb(words_of(name)) in _READS
    )
    return Trust.UNTRUSTED if fetches else Trust.MIXED


def _first_verb(words: list[str]) -> str:
    """The first word that is a verb we know; names lead with their verb, or with a namespace."""
    known = _READS | _IRREVERSIBLE | _EXTERNAL | _ADMITS | _CHANGES | _CREDENTIAL
    return next((one for one in words if one in known), "")


def _reads(description: str) -> bool:
    first = words_of(description)[:1]
    return bool(first) and (first[0] in _READS or first[0].removesuffix("s") in _READS)
