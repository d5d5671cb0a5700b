"""How near an answer comes to references: BLEU, GLEU and ROUGE-N as promptfoo computes them."""

import re
from collections import Counter
from collections.abc import Mapping
from math import exp, log
from typing import Any

from .model import Answer, Check, Unclear, Verdict, by_degrees, text_value
from .words import grams, split_words, trimmed

_ORDERS = (1, 2, 3, 4)
_SMOOTH = 1e-7  # in place of a precision of 0
LONGEST = 100_000  # characters


def bleu(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    return by_degrees(bleu_score(_bounded(answer.text), _references(assertion)), assertion, 0.5)


def gleu(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    return by_degrees(gleu_score(_bounded(answer.text), _references(assertion)), assertion, 0.5)


def rouge(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    wanted = text_value(assertion)
    return by_degrees(rouge_score(_bounded(answer.text), _bounded(wanted)), assertion, 0.75)


def bleu_score(text: str, references: list[str]) -> float:
    """Papineni et al. 2002 over 1 to 4 words, with the orders that the answer is long enough for."""
    if not trimmed(text):
        return 0.0
    words = split_words(text.lower())
    wanted = [split_words(one.lower()) for one in references]
    closest = min((abs(len(one) - len(words)), len(one)) for one in wanted)[1]
    precisions: list[float] = []
    for order in _ORDERS:
        given = grams(words, order)
        if total := given.total():
            most = max((given & grams(one, order)).total() for one in wanted)
            precisions.append(most / total)
    brevity = 1.0 if len(words) > closest else exp(1 - closest / len(words))
    return brevity * exp(sum(log(one or _SMOOTH) for one in precisions) / len(precisions))


def gleu_score(text: str, references: list[str]) -> float:
    """Wu et al. 2016: the smaller of precision and recall over runs of 1 to 4 words."""
    words = _without_stops(text)
    return max(_gleu(words, _without_stops(one)) for one in references) if words else 0.0


def _gleu(words: list[str], wanted: list[str]) -> float:
    if words == wanted:
        return 1.0
    given = sum((grams(words, order) for order in _ORDERS), Counter[str]())
    right = sum((grams(wanted, order) for order in _ORDERS), Counter[str]())
    if not given or not right:
        return 0.0
    shared = sum((grams(words, order) & grams(wanted, order)).total() for order in _ORDERS)
    return min(shared / given.total(), shared / right.total())


def _without_stops(text: str) -> list[str]:
    words = [one.rstrip(".") for one in split_words(text.lower())]
    return words if any(words) else []


def rouge_score(text: str, reference: str) -> float:
    """Lin 2004 on single words: the F1 of clipped counts, on Treebank tokens."""
    words, wanted = grams(tokens(text.lower()), 1), grams(tokens(reference.lower()), 1)
    shared = (words & wanted).total()
    if not shared:
        return 0.0
    precision, recall = shared / words.total(), shared / wanted.total()
    return 2 * precision * recall / (precision + recall)


_APART: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\.{3}"), " ... "),
    (re.compile(r"[:,](?!\d)"), r" \g<0> "),
    (re.compile(r"[;@#$%&]"), r" \g<0> "),
    (re.compile(r"([^.])(?<!\b[A-Za-z]\.[A-Za-z])(\.)([\])}>'\s]*)$"), r"\1 \2\3 "),
    (re.compile(r"[?!\]\[(){}<>]"), r" \g<0> "),
    (re.compile("--"), " -- "),
)
_ENDINGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"([^'])' "), r"\1 ' "),
    (re.compile(r"'([sSmMdD]) "), r" '\1 "),
    (re.compile(r"('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) "), r" \1 "),
    *(
        (re.compile(rf"(?<!\w){one}(?!\w)", re.IGNORECASE), r" \1 \2 ")
        for one in (
            "(can)(not)",
            "(d)('ye)",
            "(gim)(me)",
            "(gon)(na)",
            "(got)(ta)",
            "(lem)(me)",
            "(more)('n)",
            "(wan)(na)(?= )",
            "('t)(is)",
            "('t)(was)",
        )
    ),
)


def tokens(text: str) -> list[str]:
    """Penn Treebank tokens of one sentence. A double quote opens where a word begins."""
    text = trimmed(" ".join(split_words(text)))
    if not text:
        return []
    text = re.sub(r'(?:(?<=[\s(\[{<])|^)"(?=\S)', " `` ", text)
    text = text.replace('"', " '' ")
    for pattern, apart in _APART:
        text = pattern.sub(apart, text)
    text = f" {text} "
    for pattern, apart in _ENDINGS:
        text = pattern.sub(apart, text)
    return text.split()


def _references(assertion: Mapping[str, Any]) -> list[str]:
    value = assertion.get("value")
    found = [value] if isinstance(value, str) else value
    if (
        not isinstance(found, list)
        or not found
        or not all(isinstance(one, str) for one in found)
    ):
        raise Unclear(f"{assertion['type']} needs a text or a list of texts as value")
    return [_bounded(one) for one in found]


def _bounded(text: str) -> str:
    if len(text) > LONGEST:
        raise Unclear(f"texts beyond {LONGEST} characters are not compared")
    return text


CHECKS: dict[str, Check] = {"bleu": bleu, "gleu": gleu, "rouge-n": rouge}
