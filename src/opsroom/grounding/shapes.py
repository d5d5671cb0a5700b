"""What a value looks like: an address, a link, an account; and where such values stand in text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """What reaches somebody whoever reads it. A `NAME` does so only where it is known."""

    EMAIL = "e-mail address"
    URL = "link"
    ACCOUNT = "account number"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Thing:
    """A value of which it is plain what it is; `key` is its one spelling."""

    shape: Shape
    key: str


_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
_KNOWN = (
    r"(?:com|org|net|info|biz|io|dev|app|ai|co|edu|gov|shop|site|online|xyz|eu|de|uk|ch|fr)"
)
_CHUNK = re.compile(
    r"[^\s<>\"'`(){}\[\]|\\]+"
)  # what stands together; a link ends where it does
_EMAIL = re.compile(rf"[a-z0-9](?:[\w.+%-]{{0,62}}[\w])?@{_HOST}[a-z]{{2,24}}")
_URL = re.compile(
    rf"\b[a-z][a-z0-9+.-]{{1,11}}://.+|\bwww\.{_HOST}[a-z]{{2,24}}(?:[/?#:].*)?"
    rf"|\b{_HOST}[a-z]{{2,24}}[/?].+|\b{_HOST}{_KNOWN}\b(?![-.@\w])"
)
_ACCOUNT = re.compile(
    r"\b[a-z]{2}\d{2}[a-z0-9]{10,30}\b"
    r"|\b[a-z]{2}\d{2}(?: [a-z0-9]{4}){2,7}(?: [a-z0-9]{1,3})?\b"
    r"|(?<![\w.])\+?\d(?:[ ()-]{0,2}\d){7,24}(?![\w.])"
)
_HINT = re.compile(r"@|://|\w\.[a-z]")
_DIGITS = re.compile(r"\d\d")
_DATE = re.compile(r"(?:19|20)\d\d[ -]\d\d[ -]\d\d")
_RUN_ON = re.compile(rf"((?:[a-z0-9-]+\.)+{_KNOWN})\.[a-z]{{3,}}$")
_CLOSING = ".,;:!?)]}>'\""
_SEPARATORS = re.compile(r"[ ()-]")


def things(text: str) -> Iterator[Thing]:
    """Every address, link and account number in normal text."""
    if _HINT.search(text) is not None:
        for chunk in _CHUNK.finditer(text):
            one = chunk.group()
            if "@" in one and (emails := _EMAIL.findall(one)):
                for email in emails:
                    yield Thing(Shape.EMAIL, email)
            elif ("." in one or "://" in one) and (link := _URL.search(one)) is not None:
                yield Thing(Shape.URL, _link(link.group()))
    if _DIGITS.search(text) is not None:
        for found in _ACCOUNT.finditer(text):
            if _DATE.match(found.group()) is None:
                yield Thing(Shape.ACCOUNT, _account(found.group()))


def whole(text: str) -> Thing | None:
    """What normal text is as a whole, if it is nothing but an address, link or account."""
    text = text.strip().removeprefix("mailto:")
    if not any(one in text for one in "@./") and _DIGITS.search(text) is None:
        return None
    for shape, pattern in ((Shape.EMAIL, _EMAIL), (Shape.URL, _URL), (Shape.ACCOUNT, _ACCOUNT)):
        found = pattern.match(text)
        if found is None or text[found.end() :].strip(_CLOSING):
            continue
        if shape is Shape.URL:
            return None if _CHUNK.fullmatch(text) is None else Thing(shape, _link(text))
        if shape is Shape.EMAIL:
            return Thing(shape, found.group())
        return None if _DATE.match(text) else Thing(shape, _account(found.group()))
    return None


def _account(text: str) -> str:
    return _SEPARATORS.sub("", text).removeprefix("+")


def _link(text: str) -> str:
    """A link without what nobody types: the scheme of the web, `www.`, a last stop or slash."""
    text = text.rstrip(_CLOSING)
    for scheme in ("https://", "http://"):
        text = text.removeprefix(scheme)
    text = text.removeprefix("www.").rstrip("/")
    run_on = _RUN_ON.match(text)  # "www.example.com.They said": a blank was forgotten
    return run_on.group(1) if run_on is not None else text
