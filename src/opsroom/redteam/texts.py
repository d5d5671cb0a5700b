"""Changing texts, deterministically: the same text and the same seed give the same text.

All of it stays valid Unicode without lone surrogates, of at most `MOST` characters; what is
longer is cut first. None of it changes the random state of anybody else.
"""

import base64
import codecs
import json
import re
from collections.abc import Callable
from random import Random

MOST = 20_000
SEED_MOST = 8_000  # of a seed's text is used, so that what is added has room

# Confusables of Unicode TR 39: Cyrillic and Greek letters that look like Latin ones.
LOOK_ALIKES = str.maketrans("aceopxyiABEHKMOPTX", "асеорхуіАВЕНКМОРТХ")
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
MARKS = "\u200e\u200f\u061c"  # left-to-right, right-to-left and Arabic letter mark
OVERRIDE, POP = "\u202e", "\u202c"
PUNCTUATION = re.compile(r"[^\w\s]")
FACTS = re.compile(r"\b(?:[A-Z][\w-]+|\w*\d[\w.,:-]*)")
FILLER = (
    "The weather was fair that day and the harbour quiet.",
    "A list of names followed, none of them known.",
    "Nothing in this paragraph concerns anybody.",
    "The report goes on for several pages without a result.",
)
Mutation = Callable[[str, Random], str]


def clean(text: str, most: int = SEED_MOST) -> str:
    """`text` without lone surrogates and NUL, at most so long."""
    kept = text[:most].replace("\0", "")
    return kept.encode("utf-8", "replace").decode("utf-8")


def typos(text: str, rng: Random) -> str:
    """About one letter in twelve is swapped with the next, dropped or doubled; at least one."""
    letters = list(text)
    places = [at for at in range(1, len(letters) - 1) if letters[at].isalpha()]
    for at in rng.sample(places, min(len(places), max(1, len(places) // 12))):
        match rng.randrange(3):
            case 0:
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
            case 1:
                letters[at] = ""
            case _:
                letters[at] *= 2
    return "".join(letters)


def case(text: str, rng: Random) -> str:
    return "".join(one.upper() if rng.random() < 0.5 else one.lower() for one in text)


def whitespace(text: str, rng: Random) -> str:
    blanks = ("  ", "\t", "\n", " \n\n ", "\u00a0", "\u3000")
    return "".join(rng.choice(blanks) if one == " " else one for one in f" {text} ")


def no_punctuation(text: str, _rng: Random) -> str:
    return PUNCTUATION.sub(" ", text).lower()


def homoglyphs(text: str, rng: Random) -> str:
    """Most letters that have one are replaced by their look-alikes."""
    return "".join(one.translate(LOOK_ALIKES) if rng.random() < 0.8 else one for one in text)


def zero_width(text: str, rng: Random) -> str:
    return "".join(one + rng.choice(INVISIBLE) if one.isalnum() else one for one in text)


def bidi(text: str, rng: Random) -> str:
    """Marks between words; they show nothing, and the letters stay in order."""
    return " ".join(rng.choice(MARKS) + word for word in text.split(" "))


def backwards(text: str, _rng: Random) -> str:
    """Written backwards behind an override, so that it shows as it was."""
    return f"{OVERRIDE}{text[::-1]}{POP}"


def full_width(text: str, _rng: Random) -> str:
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def filler(rng: Random, size: int) -> str:
    """About so many characters of sentences that mean nothing."""
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines.append(rng.choice(FILLER))
    return " ".join(lines)


def long(text: str, rng: Random) -> str:
    return f"{filler(rng, 5_000)}\n\n{text}"


def empty(_text: str, rng: Random) -> str:
    return rng.choice(("", " ", "\n\n", "\t", "\u3000"))


def truncated(text: str, rng: Random) -> str:
    """The first third at most, and at least one character less than there were."""
    most = max(1, len(text) // 3)
    return text[: rng.randint(min(1, len(text) - 1), most)] if text else ""


def wrong_json(text: str, rng: Random) -> str:
    whole = json.dumps({"type": "object", "text": text, "items": [1, 2, {"id": None}]})
    return whole[: rng.randrange(len(whole) // 2, len(whole) - 1)]


def noise(text: str, rng: Random) -> str:
    """The bytes of the text in a wrong order, read as Latin-1."""
    raw = list(text.encode("utf-8", "replace")[:2_000]) or [0x80]
    rng.shuffle(raw)
    return bytes(raw).decode("latin-1").replace("\0", "")


def missing_facts(text: str, _rng: Random) -> str:
    """Names and numbers become gaps; a text without any loses its second half."""
    gaps = FACTS.sub("___", text)
    if gaps != text:
        return gaps
    words = text.split()
    return " ".join(words[: len(words) // 2]) + " ___"


def contradictory(text: str, rng: Random) -> str:
    turns = (
        "At the same time, do exactly the opposite of that, and both are final.",
        "Ignore that the above is wrong: it is right and wrong in equal parts.",
        "My colleague says the reverse of all of this is true. So do I.",
    )
    return f"{text}\n\n{rng.choice(turns)}"


def in_base64(text: str, _rng: Random) -> str:
    return base64.b64encode(text.encode()).decode()


def in_rot13(text: str, _rng: Random) -> str:
    return codecs.encode(text, "rot13")


def in_hex(text: str, _rng: Random) -> str:
    return text.encode().hex(" ")


def in_pieces(text: str, rng: Random) -> str:
    """Pieces of three to seven characters, each with its number."""
    pieces: list[str] = []
    at = 0
    while at < len(text):
        size = rng.randint(3, 7)
        pieces.append(text[at : at + size])
        at += size
    return "\n".join(
        f"{number}: {json.dumps(one, ensure_ascii=False)}"
        for number, one in enumerate(pieces, 1)
    )


MUTATIONS: dict[str, Mutation] = {
    "typos": typos,
    "case": case,
    "whitespace": whitespace,
    "no-punctuation": no_punctuation,
    "homoglyphs": homoglyphs,
    "zero-width": zero_width,
    "bidi": bidi,
    "full-width": full_width,
    "long": long,
    "empty": empty,
    "truncated": truncated,
    "wrong-json": wrong_json,
    "noise": noise,
    "missing-facts": missing_facts,
    "contradictory": contradictory,
}
