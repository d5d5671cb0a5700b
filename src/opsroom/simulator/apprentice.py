"""A small model that really reads its prompt, so that a better prompt really does better.

It is no language model: it answers from what stands in front of it, in this order.

1. Rules in plain lines: `If it contains "LED tubes", answer 8539.` Several quoted words mean
   all of them, or any with `or`; the longest rule that fits wins.
2. Worked cases between `<example>` tags: the answer of the nearest one, by shared words.
3. What it believes anyway, which is partly wrong.

Without temperature it is a function of the messages; with it, some answers are drawn by the
seed. Shown its own mistakes and asked for better instructions, as gepa asks, it writes rules.
"""

import hashlib
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from opsroom.models import Find, ModelRequest, Output

from . import goods

LEAST_ALIKE = 0.3
NOISE = 0.3  # the share of answers that are drawn at a temperature of 1
CHARS_A_TOKEN = 4

_EXAMPLE = re.compile(
    r"<example>\s*<input>(?P<input>.*?)</input>\s*<answer>(?P<answer>.*?)</answer>\s*</example>",
    re.DOTALL,
)
_RULE = re.compile(
    r"\b(?:contains?|mentions?)\s+(?P<words>\"[^\"\n]+\"(?:\s*(?:,|or|and)\s*\"[^\"\n]+\")*)"
    r"\s*,?\s*(?:then\s+)?(?:the\s+)?answer\s*(?:is|with)?\s*\"?(?P<answer>[^\"\n]+?)\"?\s*\.?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED = re.compile(r"\"([^\"\n]+)\"")
_FENCED = re.compile(r"<(?P<tag>[a-z_-]+)>\s*(?P<text>.*?)\s*</(?P=tag)>", re.DOTALL)
_SECTION = re.compile(r"<accepted-examples>.*?</accepted-examples>", re.DOTALL)
_WORD = re.compile(r"[a-z]+|[0-9]+")
_REFLECT = "I provided an assistant with the following instructions"
_RIGHT = re.compile(r"The right answer is: *(?P<answer>[^\n]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Apprentice:
    """A model of `models.ports`. `beliefs` maps words to answers; `noise_words` say nothing.

    `price` is what a token costs, in US dollars; without it, costs are not known. One that
    `spoils` forgets the variables when it is asked for better instructions, as models do.
    """

    name: str = "apprentice"
    beliefs: Mapping[str, str] = field(default_factory=lambda: goods.BELIEFS)
    unsure: str = goods.UNSURE
    noise_words: frozenset[str] = goods.TRADE
    price: Decimal | None = None
    spoils: bool = False

    async def complete(self, request: ModelRequest) -> Output:
        said = [(one.role, one.content) for one in request.messages]
        temperature = request.parameters.get("temperature") or 0
        text = self.answer(
            said,
            temperature=float(temperature) if isinstance(temperature, int | float) else 0.0,
            seed=request.seed or 0,
        )
        read = sum(len(content) for _, content in said) // CHARS_A_TOKEN
        wrote = max(1, len(text) // CHARS_A_TOKEN)
        return Output(
            text=text,
            latency=0.01,
            cost=None if self.price is None else self.price * (read + wrote),
            input_tokens=read,
            output_tokens=wrote,
            served_model=self.name,
            finish_reason="stop",
        )

    def answer(
        self, messages: Sequence[tuple[str, str]], *, temperature: float = 0.0, seed: int = 0
    ) -> str:
        """What it says to (role, content) messages."""
        everything = "\n\n".join(content for _, content in messages)
        if _REFLECT in everything:
            return self._reflected(everything)
        examples = [
            (one["input"].strip(), one["answer"].strip())
            for one in _EXAMPLE.finditer(everything)
        ]
        case = _case(messages)
        if temperature > 0:
            draw = random.Random(_seed(everything, seed))  # noqa: S311  # repeatable on purpose
            if draw.random() < NOISE * temperature:
                return draw.choice(sorted({*self.beliefs.values(), self.unsure}))
        return (
            _by_rule(everything.replace(case, ""), case)
            or self._by_example(examples, case)
            or self._believed(case)
        )

    def _by_example(self, examples: Iterable[tuple[str, str]], case: str) -> str:
        words = self._words(case)
        best, answer = LEAST_ALIKE, ""
        for text, said in examples:
            alike = _alike(words, self._words(text))
            if alike > best:
                best, answer = alike, said
        return answer

    def _believed(self, case: str) -> str:
        votes = Counter(
            self.beliefs[word] for word in self._words(case) if word in self.beliefs
        )
        return min(votes, key=lambda one: (-votes[one], one)) if votes else self.unsure

    def _words(self, text: str) -> frozenset[str]:
        return frozenset(_words(text)) - self.noise_words

    def _reflected(self, asked: str) -> str:
        """New instructions: those that were given, and a rule for each kind of mistake."""
        given = re.search(r"```\n(.*?)\n```", asked, re.DOTALL)
        now = given[1] if given else ""
        rules = dict.fromkeys(self._rules(asked))
        fresh = [rule for rule in rules if rule not in now]
        if self.spoils:
            now = re.sub(r"\{\{.*?\}\}", "the goods", now)
        return "```\n" + "\n".join([now, *fresh]) + "\n```"

    def _rules(self, asked: str) -> Iterable[str]:
        mistakes: dict[str, list[frozenset[str]]] = {}
        for record in asked.split("# Example ")[1:]:
            right = _RIGHT.search(record)
            given = re.search(r"## Input\n(.*?)\n+## Answer", record, re.DOTALL)
            if right and given:
                words = frozenset(
                    word for word in self._words(given[1]) if word.isalpha() and len(word) > 2
                )
                mistakes.setdefault(right["answer"].strip(), []).append(words)
        for answer, cases in mistakes.items():
            for words in cases:
                if words:
                    quoted = " and ".join(f'"{word}"' for word in sorted(words)[:2])
                    yield f"If it contains {quoted}, answer {answer}."


def _case(messages: Sequence[tuple[str, str]]) -> str:
    """What the question is about: the last thing between tags, or else the last message."""
    last = _SECTION.sub("", messages[-1][1]) if messages else ""
    fenced = list(_FENCED.finditer(last))
    return fenced[-1]["text"] if fenced else last


def _by_rule(instructions: str, case: str) -> str:
    best, answer = 0, ""
    words = set(_words(case))
    for rule in _RULE.finditer(instructions):
        quoted = [set(_words(one)) for one in _QUOTED.findall(rule["words"])]
        fits = [bool(one) and one <= words for one in quoted]
        if re.search(r"\"\s*or\s*\"", rule["words"]):
            size = max(
                (len(one) for one, fit in zip(quoted, fits, strict=True) if fit), default=0
            )
        else:
            size = sum(map(len, quoted)) if all(fits) else 0
        if size > best:
            best, answer = size, rule["answer"].strip()
    return answer


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of words in common (Jaccard), without those that say nothing."""
    both = {word for word in one if not word.isdigit()}
    others = {word for word in other if not word.isdigit()}
    return len(both & others) / len(both | others) if both | others else 0.0


def _seed(text: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{text}".encode()).digest()[:8])


class Apprentices:
    """Satisfies `models.Models`: every name is an apprentice, and what was asked is kept."""

    def __init__(self, **more: Any) -> None:
        self._more = more
        self.asked: list[ModelRequest] = []

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        yield lambda name: _Heard(Apprentice(name=name, **self._more), self.asked)


@dataclass(frozen=True, slots=True)
class _Heard:
    model: Apprentice
    asked: list[ModelRequest]

    async def complete(self, request: ModelRequest) -> Output:
        self.asked.append(request)
        return await self.model.complete(request)
