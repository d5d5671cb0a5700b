"""How text is cut into words, and which of them say something. English, and light on purpose."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_TOKEN = re.compile(
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w,])|[^\W_]+(?:[._:/@+&=?%#~-]+[^\W_]+)*"
)
_PART = re.compile(r"[^\W\d_]+|\d+")
_LETTERS_ONLY = re.compile(r"[^\W\d_]{3,}")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,15})?")
_LETTERS = 3
_MAIL = re.compile(r"\be-mail(?=s?\b)")

# Words that say nothing about what is meant: nobody is named by them.
_STOP = """a about above according accordingly account action actually add after again all already
    also am an and any anyone anything are around as ask at back be because been before being
    below between both but by call can could data date day did do does doing done dont down
    during each else email end event ever every everyone everything file find first following
    for from get give given go going good great had has have he hello help her here hers hey
    hi him his how i if im in info information into is it item its ive just kindly know last
    later least let like list ll look make many may me message mine more most much must my
    name need new next no not now number of off on once one only or order other our out over
    own per perform please put re read really right same see send set she should show so some
    someone something soon still such sure take task tell than thank thanks that the their
    them then there these they thing this those through time title to today told tomorrow too
    two type under until up us use user using very via want was way we well were what when
    where whether which who whom whose why will with within would write yes yet you your
    yours id com www http https"""
STOP = frozenset(_STOP.split())


def normal(text: str) -> str:
    """One spelling of what reads the same: NFKC, lower case, nothing invisible.

    Letters of other scripts that merely look alike stay different; contracts report them.
    """
    if text.isascii():
        return _MAIL.sub("email", text.lower())
    return _MAIL.sub(
        "email", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()
    )


def tokens(text: str) -> list[str]:
    """The words of normal text. What is written together stays together: `a@b.com`, `12:30`,
    `notes-2.txt`. Numbers have one spelling.
    """
    return [_spelled(one) for one in _TOKEN.findall(text)]


def parts(text: str) -> list[str]:
    """The smallest words of normal text: runs of letters, runs of digits."""
    return _PART.findall(text)


def words_in(text: str) -> set[str]:
    """The different words of three letters or more in normal text."""
    return set(_LETTERS_ONLY.findall(text))


def name_parts(name: str) -> list[str]:
    """The words of a program's name: `sendEmail`, `send_email` and `send-email` are alike."""
    return parts(normal(_HUMPS.sub(" ", name)))


def telling(words: Iterable[str]) -> frozenset[str]:
    """The stems among `words` that can name somebody or something."""
    return frozenset(
        stem(one)
        for one in words
        if one not in STOP and (len(one) >= _LETTERS or (one.isdigit() and len(one) > 1))
    )


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """The word without its ending, roughly: enough to see that `invites` is `invite`."""
    if len(word) <= _LETTERS or not word.isalpha() or not word.isascii():
        return word
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("s", "")):
        if (
            word.endswith(ending)
            and not word.endswith("ss")
            and len(word) - len(ending) >= _LETTERS
        ):
            word = word.removesuffix(ending) + instead
            break
    if len(word) > _LETTERS and word[-1] == word[-2] and word[-1] not in "lse":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > _LETTERS else word


def _spelled(token: str) -> str:
    plain = token.replace(",", "") if "," in token else token
    if not (plain[0].isdigit() and _NUMBER.fullmatch(plain)):
        return token
    whole, _, fraction = plain.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole
