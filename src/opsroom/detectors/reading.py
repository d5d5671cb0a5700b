"""Text as a model would understand it: one spelling, nothing invisible, codes deciphered.

Everything is one pass over the text, whatever it holds. Of a text longer than `LONGEST` its
beginning and its end are read, because an attacker chooses where padding goes.
"""

import base64
import binascii
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from itertools import accumulate
from typing import Final
from urllib.parse import unquote_to_bytes

LONGEST: Final = 100_000
_HEAD = 60_000
_LONGEST_CODE = 20_000

_ALIKE = dict(
    zip(
        "авекмнорстухіјѕԁɡαβεικνορτυχηωԛԝһӏց",
        "abekmhopctyxijsdgabeiknoptuxnwqwhlg",
        strict=True,
    )
)
_ALIKES = str.maketrans(_ALIKE)
_LETTERS = re.compile(rf"[a-z{''.join(_ALIKE)}]{{2,}}")
_LEET = str.maketrans("013457@$!|8", "oieastasiib")
_LEET_WORD = re.compile(r"[a-z0-9@$!|]{3,}")
_APART = re.compile(r"(?:\b\w[ ._-]{1,3}){4,}\w\b")
_ACCENTS = range(0x0300, 0x0370)
_TAGS = range(0xE0020, 0xE007F)


def _folded(char: str) -> str:
    if ord(char) in _TAGS:  # invisible twins of ASCII, which models read
        char = chr(ord(char) - 0xE0000)
    kept = (
        one
        for one in unicodedata.normalize("NFKD", char).casefold()
        if ord(one) not in _ACCENTS and unicodedata.category(one) not in {"Cf", "Cs", "Cn"}
    )
    return {"’": "'", "‘": "'", "“": '"', "”": '"'}.get(char, "".join(kept))


class _Fold(dict[int, str]):
    """A table for `str.translate` that learns each character once."""

    def __missing__(self, code: int) -> str:
        # Scripts without variants stay as they are: the table stays small whatever is thrown
        # at it, and the many characters of a Chinese text cost nothing.
        if 0x3400 <= code < 0xD800 or 0xE000 <= code < 0xF900 or 0x1F300 <= code < 0xE0000:
            return chr(code)
        found = self[code] = _folded(chr(code))
        return found


_FOLD = _Fold()


def fold(text: str) -> str:
    """One spelling of what reads the same: no case, accents, ligatures, invisible characters."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


@dataclass(frozen=True, slots=True)
class View:
    """One way to read a text. `origin`: whence, for views that were deciphered from a part."""

    text: str
    disguise: str = ""
    origin: tuple[int, int] | None = None


def capped(text: str) -> str:
    """What is read of a text: all of it, or of a very long one its two ends."""
    if len(text) <= LONGEST:
        return text
    return text[:_HEAD] + text[_HEAD - LONGEST :]


def place(
    text: str, start: int, end: int, origin: tuple[int, int] | None = None
) -> tuple[int, int]:
    """Where a stretch of `fold(capped(text))` stands in `text`, or a stretch of `origin`."""
    start, end = origin or unfolded(capped(text), start, end)
    if len(text) > LONGEST:
        skipped = len(text) - LONGEST
        start, end = (at + skipped if at >= _HEAD else at for at in (start, end))
    return min(start, len(text)), min(max(start, end), len(text))


def unfolded(text: str, start: int, end: int) -> tuple[int, int]:
    """Where a stretch of `fold(text)` stands in `text`."""
    if text.isascii():
        return start, end
    ends = list(accumulate(len(_FOLD[ord(one)]) for one in text))
    last = bisect_right(ends, max(start, end - 1))
    return bisect_right(ends, start), min(last + 1, len(text))


def utf8(text: str) -> bytes:
    """What RE2 works on; half a surrogate pair, which is no text, becomes a question mark."""
    return text.encode("utf-8", "replace")


def characters(data: bytes, span: tuple[int, int]) -> tuple[int, int]:
    """A stretch of bytes of `utf8` text, in characters."""
    start, end = span
    before = len(data[:start].decode())
    return before, before + len(data[start:end].decode())


def views(text: str) -> Iterator[View]:
    """The text in one spelling, then everything that can be deciphered in it."""
    plain = fold(text)
    yield View(plain)
    straight = _LETTERS.sub(_straightened, plain)
    if straight != plain:
        yield View(straight, "letters of other scripts that look alike")
        plain = straight
    spelled = _LEET_WORD.sub(_spelled, plain)
    if spelled != plain:
        yield View(spelled, "digits for letters")
    joined = _APART.sub(_joined, plain)
    if joined != plain:
        yield View(joined, "letters set apart", (0, len(text)))
    yield from deciphered(text)


def _joined(letters: re.Match[str]) -> str:
    """`w a i t  h e r e` is two words, `w.a.i.t` is one."""
    return " ".join(re.sub(r"[\W_]", "", word) for word in re.split(r"\s{2,}", letters[0]))


def _straightened(word: re.Match[str]) -> str:
    mixed = not word[0].isascii() and any(one.isascii() for one in word[0])
    return word[0].translate(_ALIKES) if mixed else word[0]


def _spelled(word: re.Match[str]) -> str:
    mixed = not word[0].isalpha() and any(one.isalpha() for one in word[0])
    return word[0].translate(_LEET) if mixed else word[0]


def prose(text: str) -> bool:
    """Whether `text` looks like words of a language rather than like data."""
    letters = sum(one.isalpha() or one.isspace() for one in text)
    return len(text) >= 8 and " " in text.strip() and letters >= 0.85 * len(text)


def _base64(code: str) -> str:
    code = code.replace("-", "+").replace("_", "/").rstrip("=")
    code = code[: len(code) - (len(code) % 4 == 1)]
    return base64.b64decode(code + "=" * (-len(code) % 4)).decode()


def _hex(code: str) -> str:
    return bytes.fromhex(code).decode()


def _binary(code: str) -> str:
    bits = "".join(code.split())
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)).decode()


_MORSE: Final[dict[str, str]] = {
    ".-": "a", "-...": "b", "-.-.": "c", "-..": "d", ".": "e", "..-.": "f", "--.": "g", "....": "h", "..": "i",
    ".---": "j", "-.-": "k", ".-..": "l", "--": "m", "-.": "n", "---": "o", ".--.": "p", "--.-": "q", ".-.": "r",
    "...": "s", "-": "t", "..-": "u", "...-": "v", ".--": "w", "-..-": "x", "-.--": "y", "--..": "z",
}  # fmt: skip


def _morse(code: str) -> str:
    words = (word.split() for word in code.split("/"))
    return " ".join("".join(_MORSE.get(one, "") for one in word) for word in words)


_WEEK = {f"{one}day" for one in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")}


def _pig(code: str) -> str:
    """Without the added syllable; the moved consonants go to the front one by one."""
    words: list[str] = []
    for word in re.findall(r"[a-z]+", code.lower()):
        if word in _WEEK:  # which are no cipher
            raise ValueError(code)
        body = word.removesuffix("way") if word.endswith("way") else word.removesuffix("ay")
        while body != word and body and body[-1] not in "aeiou" and body[0] in "aeiouy":
            body = body[-1] + body[:-1]
        words.append(body)
    return " ".join(words)


def _percent(code: str) -> str:
    return unquote_to_bytes(code).decode()


def _escapes(code: str) -> str:
    return "".join(chr(int(one, 16)) for one in re.findall(r"[0-9a-fA-F]{2,4}", code))


def _numbers(code: str) -> str:
    return bytes(int(one) for one in re.findall(r"\d+", code)).decode("ascii")


_CODES: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], str]], ...]] = (
    ("base64", re.compile(r"[A-Za-z0-9+/_-]{16,20000}={0,2}"), _base64),
    ("hexadecimal", re.compile(r"(?:[0-9a-fA-F]{2}){10,10000}"), _hex),
    ("binary", re.compile(r"(?:[01]{8}\s?){4,4000}"), _binary),
    ("Morse code", re.compile(r"[.-]{1,6}(?:[ /]{1,3}[.-]{1,6}){7,4000}"), _morse),
    ("pig Latin", re.compile(r"(?:\b[A-Za-z]{1,30}ay\b[\s,.?!]{1,3}){4,400}"), _pig),
    ("percent signs", re.compile(r"(?:%[0-9a-fA-F]{2}){8,4000}"), _percent),
    (
        "escapes",
        re.compile(r"(?:\\u[0-9a-fA-F]{4}){8,4000}|(?:\\x[0-9a-fA-F]{2}){8,4000}"),
        _escapes,
    ),
    ("entities", re.compile(r"(?:&#x?[0-9a-fA-F]{2,5};\s?){6,3000}"), unescape),
    ("numbers", re.compile(r"(?:\b\d{2,3}\b[ ,]{1,2}){7,3000}\d{2,3}\b"), _numbers),
)

# Words that give an order away, backwards or with the alphabet shifted (Caesar, ROT13).
_GIVEAWAY = ("ignore", "instructions", "previous", "password", "secret", "disregard", "system")
_COMMON = (
    "the",
    "what",
    "you",
    "your",
    "this",
    "that",
    "tell",
    "where",
    "with",
    "user",
    "name",
)
_ABC = "abcdefghijklmnopqrstuvwxyz"
_SHIFTS = [str.maketrans(_ABC, _ABC[n:] + _ABC[:n]) for n in range(26)]
_SHIFTED = {
    (word.translate(_SHIFTS[n]), n): 2 if word in _GIVEAWAY else 1
    for n in range(1, 26)
    for word in _GIVEAWAY + _COMMON
}
_BACKWARDS = {one[::-1]: 2 if one in _GIVEAWAY else 1 for one in _GIVEAWAY + _COMMON}
_ENOUGH = 2  # one word that gives away, or two common ones
_WORD = re.compile(r"[a-z]+")


def deciphered(text: str) -> Iterator[View]:
    for name, pattern, decipher in _CODES:
        room = _LONGEST_CODE
        for found in pattern.finditer(text):
            room -= len(found[0])
            if room < 0:
                break
            try:
                plain = decipher(found[0])
            except (ValueError, binascii.Error):
                continue
            if prose(plain):
                yield View(fold(plain), name, found.span())
    yield from _rearranged(text)


def _rearranged(text: str) -> Iterator[View]:
    """The whole text with its alphabet shifted or its letters reversed, where that shows."""
    words = set(_WORD.findall(text.lower()))
    shifts: Counter[int] = Counter()
    for (word, shift), telling in _SHIFTED.items():
        if word in words:
            shifts[shift] += telling
    for shift, telling in shifts.most_common(2):
        if telling >= _ENOUGH:
            plain = text.lower().translate(_SHIFTS[26 - shift])
            yield View(fold(plain), "a shifted alphabet", (0, len(text)))
    if sum(_BACKWARDS.get(one, 0) for one in words) >= _ENOUGH:
        yield View(fold(text[::-1]), "letters in reverse order", (0, len(text)))
