"""What is odd about an output: data on its way to another host, hidden text, endless repetition.

An image is fetched when it is shown, nobody has to click; so an image whose address carries a
code tells its host whatever the code says. Links need a click and weigh less. Linear time.
"""

import re
import zlib
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import re2

from .injection import inspect
from .model import MOST, Finding
from .reading import characters, deciphered, prose, utf8

DETECTOR = "output"
LONG_QUERY: Final = 100
_LINK: Any = re2.compile(
    r"(?i)(!?)\[[^\[\]\n]*\]\(\s*<?(https?://[^\s)>]+)"
    r"|<(img|a)\s[^<>]*?(?:src|href)\s*=\s*[\"']?(https?://[^\s\"'<>]+)"
)
_CODE: Final = re.compile(r"[A-Za-z0-9+/_=-]{24,}|(?:%[0-9A-Fa-f]{2}){8,}")
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060-\u2064\u00ad\ufeff]{4,}")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_TAGS: Final = re.compile("[\U000e0001-\U000e007f]+")
_FLAG = "\U0001f3f4"  # followed by tags it is the flag of a region
_COMMENT, _COMMENT_END = "<!--", "-->"
_WINDOW, _SQUEEZED = 4_000, 100  # ordinary text of this length squeezes to 800 bytes or more


def anomalies(text: str, *, known_hosts: Collection[str] = ()) -> tuple[Finding, ...]:
    """What is odd about `text`, at most `MOST` of each kind. Links to `known_hosts` (and hosts
    below them) are nobody else's.
    """
    return tuple(
        finding
        for some in (_carried(text, known_hosts), _hidden(text), _repeated(text))
        for finding in islice(some, MOST)
    )


def _finding(kind: str, score: float, span: tuple[int, int], words: str) -> Finding:
    start, end = span
    return Finding(detector=DETECTOR, kind=kind, score=score, start=start, end=end, words=words)


def _carried(text: str, known_hosts: Collection[str]) -> Iterator[Finding]:
    data = utf8(text)
    for found in _LINK.finditer(data):
        url = (found[2] or found[4]).decode()
        image = found[1] == b"!" or (found[3] or b"").lower() == b"img"
        score, words = _load(url, known_hosts)
        if score:
            what = "an image" if image else "a link"
            span = characters(data, found.span())
            score = score if image else score - 0.2
            yield _finding("exfiltration", round(score, 2), span, f"{what} {words}")


def _load(url: str, known_hosts: Collection[str]) -> tuple[float, str]:
    """How much an address carries to another host, and what."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return 0.5, "has an address that cannot be read"
    if any(host == one or host.endswith(f".{one}") for one in known_hosts):
        return 0.0, ""
    return _cargo(parts)


def _cargo(url: SplitResult) -> tuple[float, str]:
    segments = " ".join((*url.path.split("/"), url.query, url.fragment))
    if any(prose(view.text) for view in deciphered(segments)):
        return 0.9, "carries encoded words to another host"
    if prose(unquote(url.query.replace("+", " ")).partition("=")[2]):
        return 0.7, "carries words to another host"
    if _CODE.search(url.query):
        return 0.65, "carries a code to another host"
    if len(url.query) > LONG_QUERY:
        return 0.6, "carries much to another host"
    return 0.0, ""


def _hidden(text: str) -> Iterator[Finding]:
    for found in _TAGS.finditer(text):
        if not text.startswith(_FLAG, max(found.start() - 1, 0)):
            yield _finding("hidden", 0.9, found.span(), "invisible letters that models read")
    for found in _SELECTORS.finditer(text):
        yield _finding("hidden", 0.8, found.span(), "a row of invisible selectors")
    for found in _INVISIBLE.finditer(text):
        yield _finding("hidden", 0.6, found.span(), "a row of invisible characters")
    yield from _comments(text)


def _comments(text: str) -> Iterator[Finding]:
    start = text.find(_COMMENT)
    room = MOST
    while start >= 0 and room:
        end = text.find(_COMMENT_END, start)
        if end < 0:
            return
        inside = text[start + len(_COMMENT) : end]
        order = inspect(inside)
        if order is not None and order.alarming:
            yield _finding("hidden", 0.9, (start, end + 3), "an order in a comment")
        elif prose(inside):
            yield _finding("hidden", 0.2, (start, end + 3), "words in a comment")
        start, room = text.find(_COMMENT, end), room - 1


def _repeated(text: str) -> Iterator[Finding]:
    for start in range(0, len(text) - _WINDOW + 1, _WINDOW):
        window = text[start : start + _WINDOW]
        if window.isspace() or len(zlib.compress(utf8(window), 1)) > _SQUEEZED:
            continue
        yield _finding(
            "repetition", 0.6, (start, start + _WINDOW), "the same over and over again"
        )
        return
