"""One canonical form for everything that is approved, signed, compared or hashed.

JSON Canonicalization Scheme, RFC 8785: sorted keys, no white space, one spelling for each
number. Two values with the same digest are the same value, whoever wrote them down.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from .errors import Invalid

DIGEST_LENGTH = 64
MAX_DEPTH = 64


@dataclass(eq=False)
class NotCanonical(Invalid):
    code = "not_canonical"
    text = "this value has no canonical JSON form: {0.why}"
    hint = "use text, finite numbers below 2^53, lists and objects with text keys"
    why: str


def canonical(value: Any) -> bytes:
    """The RFC 8785 form of JSON data.

    Raises `NotCanonical` for NaN, infinities, integers beyond 2^53, lone surrogates, keys
    that are not text and nesting deeper than 64.
    """
    _check(value, MAX_DEPTH)
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise NotCanonical(str(error)) from error


def digest(value: Any) -> str:
    """SHA-256 over the canonical form, as 64 hexadecimal digits."""
    return sha256(canonical(value))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _check(value: Any, left: int) -> None:
    if left == 0:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, Mapping):
        for part in value.values():
            _check(part, left - 1)
    elif isinstance(value, list | tuple):
        for part in value:
            _check(part, left - 1)
    elif isinstance(value, float) and 2**53 <= abs(value) < 1e21 and value.is_integer():
        # It would be written like an integer, and read back as one that is refused.
        raise NotCanonical(f"{value!r} exceeds what a whole number may be")
