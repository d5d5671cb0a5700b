"""Finding secrets and personal data in text, and taking them out.

Everything runs in linear time, whatever the text. A rule is a pattern and, where a pattern
alone would see too much, a check: a card number must satisfy Luhn, an account number its own
checksum. What is found becomes `[redacted:NAME]`, so that a reader sees that something was
there, and of what kind, and no more.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import re2

from .errors import Invalid

LONGEST_PATTERN = 1_000
_NAMED = re2.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(eq=False)
class BrokenRule(Invalid):
    code = "broken_redaction_rule"
    text = "the redaction rule {0.name!r} cannot be: {0.why}"
    hint = "a rule has a name of lower-case letters and a pattern in RE2 syntax that matches something"
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of thing that is taken out. `check` says of each match whether it is one."""

    name: str
    pattern: str
    check: Callable[[str], bool] | None = None


def luhn(text: str) -> bool:
    """Whether the digits in `text` are those of a payment card."""
    digits = [int(one) for one in text if one in "0123456789"]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban(text: str) -> bool:
    """Whether `text` is an account number whose check digits hold (ISO 7064, 97-10)."""
    plain = text.replace(" ", "").upper()
    if not 15 <= len(plain) <= 34:
        return False
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(one, 36)) for one in turned)) % 97 == 1


def phone(text: str) -> bool:
    """Whether `text` has as many digits as the number of a telephone."""
    return 8 <= sum(one in "0123456789" for one in text) <= 15


_KEYS = (
    r"sk-(?:ant-|proj-|svcacct-|or-v1-|lf-)?[A-Za-z0-9_-]{20,}",  # OpenAI, Anthropic …
    r"(?:pk|sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,}",  # GitHub
    r"glpat-[A-Za-z0-9_-]{20,}",  # GitLab
    r"xox[abeprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}",  # Google
    r"hf_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{40,}|npm_[A-Za-z0-9]{36}",
    r"pypi-[A-Za-z0-9_-]{50,}|dop_v1_[a-f0-9]{64}|shpat_[a-f0-9]{32}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
    r"ops_[0-9a-f]{12}_[0-9a-f]{48}",  # ours
)

DEFAULTS: Final[tuple[Rule, ...]] = (
    Rule(
        name="private-key",
        pattern=(
            r"(?s:-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----)"
            r"|-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\s\\]*"
        ),
    ),
    Rule(
        name="jwt",
        pattern=r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    ),
    Rule(name="key", pattern=r"\b(?:" + "|".join(_KEYS) + ")"),
    Rule(
        name="email",
        pattern=r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
    ),
    Rule(name="iban", pattern=r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b", check=iban),
    Rule(name="card", pattern=r"\b[2-6](?:[ -]?[0-9]){12,18}\b", check=luhn),
    Rule(
        name="phone",
        pattern=(
            r"\+[0-9]{1,3}[ ./-]?(?:\([0-9]{1,5}\)[ ./-]?)?[0-9](?:[ ./-]?[0-9]){5,13}\b"
            r"|\(0?[0-9]{2,4}\)[ ./-]?[0-9]{3,4}[ ./-][0-9]{3,5}\b"
            r"|\b0[0-9]{2,4}[ /-][0-9]{3,4}[ -]?[0-9]{2,5}\b"
            r"|\b[0-9]{3}[.-][0-9]{3}[.-][0-9]{4}\b"
        ),
        check=phone,
    ),
)
BY_NAME: Final = {rule.name: rule for rule in DEFAULTS}


class Redactor:
    """Takes out what a set of rules names. Made once for a set; safe to share."""

    def __init__(self, rules: Sequence[Rule] = DEFAULTS) -> None:
        self._rules = [(rule, _compiled(rule)) for rule in rules]
        whole = "|".join(f"(?:{rule.pattern})" for rule in rules)
        self._any: Any = _compile(whole) if rules else None
        # Bytes are looked at one by one: a character of several bytes is in no pattern's way.
        self._raw: Any = _compile(whole.encode(), latin=True) if rules else None

    def suspects(self, raw: bytes) -> bool:
        """Whether anything in `raw` may have to be taken out: quick, and never wrongly no.

        Where the bytes are more than one text, matches that begin in one and end in another
        are found too; `clean` decides on each text by itself.
        """
        return self._raw is not None and self._raw.search(raw) is not None

    def clean(self, text: str) -> str:
        """`text` without what the rules name; the same object where there is nothing."""
        if self._any is None or self._any.search(text) is None:
            return text
        for rule, pattern in self._rules:
            text = _replaced(text, rule, pattern)
        return text


def rule_of(name: str, pattern: str) -> Rule:
    """A rule as somebody wrote it. Raises `BrokenRule` for one that cannot be."""
    rule = Rule(name=name, pattern=pattern)
    if _NAMED.fullmatch(name) is None or name in BY_NAME:
        raise BrokenRule(name, "its name is taken, or no name for a rule")
    if not pattern or len(pattern) > LONGEST_PATTERN:
        raise BrokenRule(name, f"a pattern has 1 to {LONGEST_PATTERN} characters")
    if _compiled(rule).search("") is not None:
        raise BrokenRule(name, "its pattern matches nothing at all, everywhere")
    return rule


def rules_of(names: Iterable[str]) -> tuple[Rule, ...]:
    """The rules that ship with us, by name."""
    found: list[Rule] = []
    for name in names:
        if name not in BY_NAME:
            raise BrokenRule(name, "no rule that ships with us has this name")
        found.append(BY_NAME[name])
    return tuple(found)


def _replaced(text: str, rule: Rule, pattern: Any) -> str:
    marker = f"[redacted:{rule.name}]"
    if rule.check is None:
        return str(pattern.sub(marker, text))

    def instead(found: Any) -> str:
        """A number may run into the next one: what holds may be the start of what was found."""
        whole: str = found[0]
        groups = whole.split(" ")
        for count in range(len(groups), 0, -1):
            start = " ".join(groups[:count])
            if rule.check is not None and rule.check(start):
                rest = whole[len(start) :]
                return marker + (_replaced(rest, rule, pattern) if rest else "")
        return whole

    return str(pattern.sub(instead, text))


def _compiled(rule: Rule) -> Any:
    try:
        return _compile(rule.pattern)
    except re2.error as error:
        raise BrokenRule(rule.name, str(error)) from error


def _compile(pattern: str | bytes, *, latin: bool = False) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    if latin:
        options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern, options)
