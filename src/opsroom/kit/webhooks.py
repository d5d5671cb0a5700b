"""Signatures of webhooks as Standard Webhooks describes them (standardwebhooks.com, v1).

HMAC-SHA256 over `id.timestamp.body`. Who receives one checks the signature, refuses what was
signed more than five minutes ago, and tells repetitions by the id.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .errors import Invalid

PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)


@dataclass(eq=False)
class BadSignature(Invalid):
    code = "bad_signature"
    text = "this webhook is not to be trusted: {0.why}"
    hint = "check the key and the clocks of both sides; do not act on it"
    why: str


def sign(key: str, *, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a signed message. `key` is any text; one that begins with `whsec_` is
    base64 behind that, as the standard has it.
    """
    stamp = str(int(at.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{_signature(key, message_id, stamp, body)}",
    }


def verify(key: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
    """The id of a message that is what its sender sent, and recent. Raises `BadSignature`.

    Names of headers may be in any case. The same id twice is a repetition: do nothing then.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id = given.get("webhook-id", "")
    stamp = given.get("webhook-timestamp", "")
    if not message_id or not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 12):
        raise BadSignature("it has no id, or no time")
    wanted = _signature(key, message_id, stamp, body)
    signatures = given.get("webhook-signature", "").split(" ")[:10]
    if not any(
        hmac.compare_digest(f"v1,{wanted}".encode(), one.encode()) for one in signatures
    ):
        raise BadSignature("nobody with this key signed it")
    if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > TOLERANCE:
        raise BadSignature("it was signed more than five minutes from now")
    return message_id


def _signature(key: str, message_id: str, stamp: str, body: bytes) -> str:
    signed = f"{message_id}.{stamp}.".encode() + body
    return base64.b64encode(hmac.digest(_raw(key), signed, hashlib.sha256)).decode()


def _raw(key: str) -> bytes:
    if not key:
        raise BadSignature("there is no key")
    if not key.startswith(PREFIX):
        return key.encode()
    try:
        return base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise BadSignature("the key is no base64 behind whsec_") from error
