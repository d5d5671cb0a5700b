"""Finding secrets and personal data in text, and taking them out.

Everything runs in linear time, whatever the text. A rule is a pattern and, where a pattern
alone would see too much, a check: a card number must satisfy Luhn, an account number its own
checksum. What is found becomes `[redacted:NAME]`, so that a reader sees that something was
there, and of what kind, and no more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
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


def credential(text: str) -> bool:
    """Whether what follows the scheme in `text` looks drawn, rather than like a word."""
    _, _, told = text.partition(" ")
    return any(one.isdigit() for one in told) and any(one.isalpha() for one in told)


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
        name="bearer",
        pattern=r"(?i)\b(?:bearer|basic)[ \t]{1,4}[A-Za-z0-9._~+/-]{16,}={0,2}",
        check=credential,
    ),
    Rule(
        name="connection",
        pattern=(
            r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"'<>{}]{0,64}:[^\s/@\"'<>{}]{1,128}@"
            r"|(?i:\b(?:AccountKey|SharedAccessKey|Password|Pwd)=)[^\s;&\"'<>{}\[\]()]{6,256}"
        ),
    ),
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


# What opens something, and is no personal data. Whoever works with it cites it by a name.
CREDENTIALS: Final = tuple(
    BY_NAME[name] for name in ("private-key", "jwt", "key", "bearer", "connection")
)
# What belongs into no log and no journal, whatever a project decides about personal data.
SECRETS: Final = (*CREDENTIALS, BY_NAME["card"])
_EXAMPLE = re2.compile(
    r"(?i)example|sample|placeholder|dummy|your|changeme|redacted|test|foo|xxx|\.\.\.|\*\*\*|123456|abcdef"
    r"|:(?:password|pass|pw|secret|user)@|<|\{"
)


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

    def clean(self, text: str, counts: Counter[str] | None = None) -> str:
        """`text` without what the rules name; the same object where there is nothing.

        What was taken out is added to `counts`, by the name of its rule.
        """
        if self._any is None:
            return text
        try:
            found = self._any.search(text)
        except UnicodeEncodeError:
            return self._half(text, counts)
        if found is None:
            return text
        counts = Counter() if counts is None else counts
        for rule, pattern in self._rules:
            text = _replaced(text, rule, pattern, counts)
        return text

    def _half(self, text: str, counts: Counter[str] | None) -> str:
        """Of a text with half a surrogate pair, which is no Unicode: unchanged where there is
        nothing to take out, and for others to refuse.
        """
        whole = _whole(text)
        cleaned = self.clean(whole, counts)
        return text if cleaned is whole else cleaned

    def spotted(self, text: str) -> Iterator[tuple[str, str]]:
        """What would be taken out of `text`: the name of the rule, and what it found."""
        text = _whole(text)
        if self._any is None or self._any.search(text) is None:
            return
        for rule, pattern in self._rules:
            for found in pattern.finditer(text):
                if rule.check is None or rule.check(found[0]):
                    yield rule.name, found[0]


def _whole(text: str) -> str:
    """`text` as RE2 reads it, with a question mark for each half of a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class Counted:
    """A redactor for one piece of work, which counts by rule what it takes out."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.counts: Counter[str] = Counter()

    def suspects(self, raw: bytes) -> bool:
        return self._redactor.suspects(raw)

    def clean(self, text: str) -> str:
        return self._redactor.clean(text, self.counts)


@cache
def secrets_out() -> Redactor:
    """What takes `SECRETS` out of logs, errors and the journal."""
    return Redactor(SECRETS)


@cache
def credentials_out() -> Redactor:
    """What takes `CREDENTIALS` out of records of work."""
    return Redactor(CREDENTIALS)


def example(found: str) -> bool:
    """Whether something that looks like a secret says of itself that it is none."""
    digits = [one for one in found if one in "0123456789"]
    numeric = len(digits) >= 13 and not any(one.isalpha() for one in found)
    return _EXAMPLE.search(found) is not None or (numeric and len(set(digits)) <= 3)


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


def _replaced(text: str, rule: Rule, pattern: Any, counts: Counter[str]) -> str:
    marker = f"[redacted:{rule.name}]"
    if rule.check is None:
        cleaned, found = pattern.subn(marker, text)
        if found:
            counts[rule.name] += found
        return str(cleaned)

    def instead(found: Any) -> str:
        """A number may run into the next one: what holds may be the start of what was found."""
        whole: str = found[0]
        groups = whole.split(" ")
        for count in range(len(groups), 0, -1):
            start = " ".join(groups[:count])
            if rule.check is not None and rule.check(start):
                counts[rule.name] += 1
                rest = whole[len(start) :]
                return marker + (_replaced(rest, rule, pattern, counts) if rest else "")
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
