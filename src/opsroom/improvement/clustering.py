"""Failures grouped into issues: what went wrong in the same way, and where the prompt speaks of it.

Two failures belong together by their words: what was asked, what was answered, what would have
been right, and what somebody wrote about it. The same failures give the same issues. No I/O.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opsroom.kit.wire import Wire

from .examples import CLOSES, OPENS

MOST = 600
APART = 0.72  # of average cosine distance: further apart are two issues
SHOWN = 5
NAMED_BY = 3
EXCERPT = 400
LEAST_SHARED = 0.05
EXAMPLES = re.compile(rf"{OPENS}.*?{CLOSES}", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]{3,}")
# Words that are in any sentence, and say nothing about what a failure is about.
_EMPTY = frozenset(
    [
        "about",
        "after",
        "also",
        "and",
        "any",
        "are",
        "because",
        "been",
        "but",
        "can",
        "could",
        "did",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "her",
        "his",
        "how",
        "into",
        "its",
        "just",
        "may",
        "more",
        "not",
        "one",
        "only",
        "our",
        "out",
        "over",
        "please",
        "should",
        "some",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "too",
        "use",
        "was",
        "were",
        "what",
        "when",
        "which",
        "who",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Wire):
    """Something that went wrong. `href` is where it can be looked at; unknown parts are empty."""

    source: str
    href: str
    asked: str
    answered: str = ""
    right: str = ""
    why: str = ""

    @property
    def turn(self) -> str:
        """What was said in place of what, if both are known and short enough to be a label."""
        short = 0 < len(self.answered) <= 60 and 0 < len(self.right) <= 60
        return f"{self.answered} instead of {self.right}" if short else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(Wire):
    """A paragraph of a prompt: `place` names the prompt and the part, `text` is its beginning."""

    place: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue(Wire):
    """Failures of one kind, by size. `section` shares most words with them, where any does.

    `examples` are those nearest to what they have in common.
    """

    name: str
    size: int
    words: tuple[str, ...]
    examples: tuple[Failure, ...]
    section: Section | None


def group(failures: Sequence[Failure], sections: Sequence[Section] = ()) -> tuple[Issue, ...]:
    """The failures as issues, the largest first. Only the first `MOST` are looked at."""
    some = failures[:MOST]
    if not some:
        return ()
    terms = [_terms(one) for one in some]
    weights = _weights(terms)
    vectors = _matrix(terms, weights)
    issues = [
        _issue([some[n] for n in members], vectors[members], weights, sections)
        for members in _members(vectors)
    ]
    return tuple(sorted(issues, key=lambda one: (-one.size, one.name)))


def sections(place: str, text: str) -> Iterable[Section]:
    """The paragraphs of a text, each with where it stands; its examples are no instructions."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", EXAMPLES.sub("", text).strip())):
        if paragraph.strip():
            yield Section(
                place=f"{place}, paragraph {number + 1}", text=paragraph.strip()[:EXCERPT]
            )


def _terms(one: Failure) -> Counter[str]:
    """The words of a failure; what was said in place of what counts like a word of its own."""
    found = Counter(_words(f"{one.asked}\n{one.why}"))
    if one.turn:
        found[f"\0{one.turn}"] = 2
    return found


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if word not in _EMPTY]


def _weights(terms: Sequence[Counter[str]]) -> dict[str, float]:
    """How much a word tells: the rarer, the more (inverse document frequency, smoothed)."""
    seen = Counter(word for each in terms for word in each)
    return {word: math.log((1 + len(terms)) / (1 + n)) + 1 for word, n in sorted(seen.items())}


def _matrix(terms: Sequence[Counter[str]], weights: Mapping[str, float]) -> Any:
    """One row of length 1 for each failure; a failure without words is alone."""
    column = {word: n for n, word in enumerate(weights)}
    rows = np.zeros((len(terms), len(column) + 1))
    for number, each in enumerate(terms):
        for word, count in each.items():
            rows[number, column[word]] = (1 + math.log(count)) * weights[word]
        if not each:
            rows[number, -1] = 1.0
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _members(vectors: Any) -> list[list[int]]:
    """Which failures belong together: average linkage, cut where groups are too far apart."""
    if len(vectors) == 1:
        return [[0]]
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415  # 0.3 s

    distances = np.clip(1 - vectors @ vectors.T, 0, 2)
    condensed = distances[np.triu_indices(len(vectors), 1)]
    labels = fcluster(linkage(condensed, "average"), APART, "distance")
    found: dict[int, list[int]] = {}
    for number, label in enumerate(labels.tolist()):
        found.setdefault(label, []).append(number)
    return list(found.values())


def _issue(
    members: Sequence[Failure],
    vectors: Any,
    weights: Mapping[str, float],
    sections: Sequence[Section],
) -> Issue:
    middle = vectors.mean(axis=0)
    heavy = sorted(
        zip(weights, middle[: len(weights)].tolist(), strict=True),
        key=lambda pair: (-pair[1], pair[0]),
    )
    words = tuple(word for word, weight in heavy if weight > 0 and not word.startswith("\0"))
    nearest = np.argsort(-(vectors @ middle), kind="stable").tolist()
    turn, often = Counter(one.turn for one in members).most_common(1)[0]
    said = turn if turn and 2 * often > len(members) else ""
    named = ", ".join(words[:NAMED_BY])
    return Issue(
        name=": ".join(filter(None, (said, named))) or "without words",
        size=len(members),
        words=words[:10],
        examples=tuple(_cut(members[n]) for n in nearest[:SHOWN]),
        section=_pointed_at(dict(heavy), members, weights, sections),
    )


def _pointed_at(
    middle: Mapping[str, float],
    members: Sequence[Failure],
    weights: Mapping[str, float],
    sections: Sequence[Section],
) -> Section | None:
    """The paragraph that shares most with the failures; answers that it names count as well."""
    answers = Counter(
        word
        for one in members
        for word in re.findall(r"\w+", f"{one.answered} {one.right}".lower())
    )
    best, found = LEAST_SHARED, None
    for section in sections:
        words = set(_words(section.text)) | set(re.findall(r"\w+", section.text.lower()))
        if not words:
            continue
        shared = sum(middle.get(word, 0.0) for word in words if word in weights)
        shared += sum(n / len(members) for word, n in answers.items() if word in words) / 4
        score = shared / math.sqrt(len(words))
        if score > best:
            best, found = score, section
    return found


def _cut(one: Failure) -> Failure:
    return Failure(
        source=one.source,
        href=one.href,
        asked=one.asked[:EXCERPT],
        answered=one.answered[:EXCERPT],
        right=one.right[:EXCERPT],
        why=one.why[:EXCERPT],
    )
