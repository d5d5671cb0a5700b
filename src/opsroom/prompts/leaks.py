"""Secrets and personal data that were written into a prompt by accident.

A prompt is read by many and sent to others, so it is no place for either. What is found is
never repeated in full. Examples that say of themselves that they are examples are let pass.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that looks like a secret (`certain` where its form leaves little doubt)."""

    what: str
    offset: int
    shown: str
    secret: bool
    certain: bool


_SECRETS = re.compile(
    r"(?P<AWS_access_key>\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)"
    r"|(?P<API_key>\b(?:sk|rk|pk)[-_](?:live_|test_|ant-|proj-)?[A-Za-z0-9_-]{20,200}\b)"
    r"|(?P<GitHub_token>\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,100})\b)"
    r"|(?P<GitLab_token>\bglpat-[A-Za-z0-9_-]{20}\b)"
    r"|(?P<Slack_token>\bxox[abposr]-[A-Za-z0-9-]{10,100})"
    r"|(?P<Google_key>\bAIza[0-9A-Za-z_-]{35}\b)"
    r"|(?P<private_key>-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----)"
    r"|(?P<signed_token>\beyJ[A-Za-z0-9_-]{10,500}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,500})"
    r"|(?P<password_in_an_address>\b[a-z][a-z0-9+]{2,20}://[^\s:/@{}<>]{1,64}:[^\s:/@{}<>]{3,64}@)"
)
_ASSIGNED = re.compile(
    r"(?i)\b(?:api[_-]?key|secret|password|passwd|access[_-]?token|auth[_-]?token)\b"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<value>[^\s\"'`,;{}<>()\[\]]{8,100})"
)
_MAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?P<domain>[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})\b"
)
_CARD = re.compile(r"(?<![\w.-])(?:[0-9][ -]?){12,18}[0-9](?![\w-])")
_EXAMPLE = re.compile(
    r"(?i)example|sample|placeholder|dummy|your|changeme|redacted|test|foo|xxx|\.\.\.|\*\*\*|123456|abcdef"
)
_NO_PERSON = re.compile(
    r"(?i)^(?:no-?reply|info|support|help|sales|contact|admin|team|hello|office|user|name|email|me|you)@"
)


def leaks(text: str) -> Iterator[Leak]:
    """What looks like a secret or like personal data, in order of kind."""
    for found in _SECRETS.finditer(text):
        name = (found.lastgroup or "").replace("_", " ")
        if name == "private key" or not _EXAMPLE.search(found.group()):
            yield Leak(name, found.start(), _shown(found.group()), secret=True, certain=True)
    for found in _ASSIGNED.finditer(text):
        if _random(found["value"]) and not _EXAMPLE.search(found["value"]):
            value = _shown(found["value"])
            yield Leak("secret", found.start("value"), value, secret=True, certain=False)
    for found in _MAIL.finditer(text):
        if not _EXAMPLE.search(found["domain"]) and not _NO_PERSON.match(found.group()):
            yield Leak(
                "e-mail address",
                found.start(),
                _shown(found.group()),
                secret=False,
                certain=False,
            )
    for found in _CARD.finditer(text):
        digits = re.sub(r"[ -]", "", found.group())
        if digits[0] in "3456" and len(set(digits)) > 3 and _luhn(digits):
            yield Leak("card number", found.start(), _shown(digits), secret=False, certain=True)


def _shown(value: str) -> str:
    return f"{value[:4]}… ({len(value)} characters)"


def _random(value: str) -> bool:
    """Does it look drawn rather than written: letters and digits, both, and no word?"""
    return (
        any(one.isdigit() for one in value)
        and any(one.isalpha() for one in value)
        and len(set(value)) >= 8
    )


def _luhn(digits: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
