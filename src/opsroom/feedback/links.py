"""Feedback links: what lets somebody outside say something of one subject, until a time. Pure.

A link is signed text: `ofb_` and what it permits, and an HMAC-SHA256 over both with a key of
its project. It reads nothing, and permits nothing else.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from opsroom.kit.wire import Wire

from .errors import LinkRefused

PREFIX = "ofb_"
USUAL = timedelta(days=7)
LONGEST = timedelta(days=90)
MOST_LINK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Wire):
    """What a link permits: saying something of `subject` in `project`, as `by`, until a time in
    seconds since 1970. `maker` asked for it, and answers for it.
    """

    project: str
    maker: str
    subject: str
    by: str
    use_case: str
    until: int


def new_key() -> str:
    return secrets.token_hex(32)


def signed(link: Link, key: str) -> str:
    body = _packed(json.dumps(asdict(link), separators=(",", ":")).encode())
    return f"{PREFIX}{body}.{_packed(_mac(body, key))}"


def read(token: str) -> tuple[Link, str]:
    """What a link says it permits, and what was signed. Nothing to rely on before `check`.

    Raises `LinkRefused` for what is no link.
    """
    body, dot, _ = token.removeprefix(PREFIX).partition(".")
    if not token.startswith(PREFIX) or not dot or len(token) > MOST_LINK:
        raise LinkRefused("it is no link of ours")
    try:
        told: Any = json.loads(_unpacked(body))
        return Link(**{name: _as(kind, told[name]) for name, kind in _SHAPE.items()}), body
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LinkRefused("it is no link of ours") from error


def check(token: str, key: str, *, now: datetime) -> Link:
    """What a link permits. Raises `LinkRefused` where nobody signed it, or its time is up."""
    link, body = read(token)
    mac = token.rpartition(".")[2]
    if not hmac.compare_digest(_packed(_mac(body, key)).encode(), mac.encode()):
        raise LinkRefused("nobody here signed it")
    if now >= datetime.fromtimestamp(link.until, UTC):
        raise LinkRefused("its time is up")
    return link


def _mac(body: str, key: str) -> bytes:
    return hmac.digest(bytes.fromhex(key), f"{PREFIX}{body}".encode(), hashlib.sha256)


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unpacked(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _as(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(kind)
    return value


_SHAPE: dict[str, type] = {
    "project": str,
    "maker": str,
    "subject": str,
    "by": str,
    "use_case": str,
    "until": int,
}
