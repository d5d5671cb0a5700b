"""Decision memory: what an agent decided, in which situation, and what came of it. No I/O.

A memory is only as good as its outcome. What nobody verified and nobody corrected is kept,
but it is not recalled unless it is asked for by name, so that a text that talked an agent
into something once does not talk it into it again.
"""

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from opsroom.kit.wire import Wire

CONTEXT_LIMIT = 20_000  # characters that are kept
READ_LIMIT = 2_000  # characters that are compared
TERMS = 24  # marks by which a memory is found again among those of its contract
WIDE_TERMS = 12  # and among all of its agent
SAME = 0.95  # as alike as this, with the same end, it is the same memory once more
PER_SOURCE = 2  # memories of one source in an answer
PER_LIKENESS = 20  # memories that share the same marks with what is asked

_WORD = re.compile(r"\w+")
# Scripts that put no spaces between words are compared character by character.
_UNSPACED = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory(Wire):
    """One decision: the situation, what else could have been done, what was, and the end of it.

    `context` and everything in `alternatives` and `chosen` may hold text of outsiders: it is
    data, to be fenced wherever it is shown to a model. `manifest` is the digest of what the
    agent was then, `source` the turn or session it came from. `correction` is what a person
    said against it.
    """

    id: str
    action: str
    agent: str
    contract: str
    manifest: str = ""
    source: str = ""
    context: str
    alternatives: tuple[Any, ...] = ()
    chosen: Mapping[str, Any] = field(default_factory=dict[str, Any])
    outcome: str = ""
    verified: bool = False
    correction: Mapping[str, Any] | None = None
    decided_at: datetime
    ended_at: datetime | None = None
    forgotten_at: datetime | None = None

    @property
    def trusted(self) -> bool:
        """Whether it may teach: its outcome was verified, or a person corrected it."""
        return self.forgotten_at is None and (self.verified or self.correction is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled(Wire):
    """A memory and how alike its situation is, from 0 to 1. `times` counts those that are
    nearly the same and ended the same way among those that were compared, itself included.
    """

    memory: Memory
    similarity: float
    times: int = 1


def normal(text: str) -> str:
    """The text as it is compared: one spelling of every letter, words apart by one space."""
    plain = unicodedata.normalize("NFKC", text[: 2 * READ_LIMIT]).casefold()
    return " ".join(_WORD.findall(_UNSPACED.sub(r" \1 ", plain)))[:READ_LIMIT]


def terms(text: str) -> frozenset[int]:
    """At most `TERMS` marks of a normalised text: its words and pairs of neighbours, those
    whose hashes are smallest. Texts that share much share marks, whatever is picked.
    """
    words = text.split()
    pairs = (f"{one} {two}" for one, two in pairwise(words))
    return frozenset(sorted(map(_hash, {*words, *pairs}))[:TERMS])


def keys(
    project: str, agent: str, contract: str, text: str, *, trusted: bool
) -> tuple[int, ...]:
    """Under what a normalised text is filed and looked for: for one contract, or without one
    for the whole agent. Projects, agents and degrees of trust never meet.
    """
    found = sorted(terms(text))[: TERMS if contract else WIDE_TERMS]
    drawer = f"{project}\0{agent}\0{contract}\0{trusted}"
    return tuple(_hash(f"{drawer}\0{term}") for term in found)


def rarity(seqs: Sequence[int], head: int, limit: int) -> float:
    """What sharing a mark says, given the latest memories that bear it: the rarer, the more."""
    if not seqs:
        return 0.0
    span = head if len(seqs) < limit else head - min(seqs) + 1
    return math.log2(1 + span / len(seqs))


def filed_under(contract: str) -> str:
    """All versions of a contract share what was learned with any of them."""
    return contract.partition("@")[0].removeprefix("contract/")


def words_of(text: str) -> str:
    """The words of a normalised text in alphabetical order, as texts are compared."""
    return " ".join(sorted(text.split()))


def alike(one: str, other: str) -> float:
    """How alike two texts are, given their words in order: 0 to 1.

    The mean of two measures: the first forgives what only one of them says, the second does
    not. Alone, the first would call a text that holds every word alike to everything.
    """
    from rapidfuzz import fuzz  # noqa: PLC0415  # only those that compare load it

    return (fuzz.token_set_ratio(one, other) + fuzz.ratio(one, other)) / 200


def _nearly(one: str, other: str) -> bool:
    from rapidfuzz import fuzz  # noqa: PLC0415

    return one == other or fuzz.ratio(one, other, score_cutoff=100 * SAME) > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What of a memory decides whether it is recalled: the words of its context, how alike
    they are, how it ended, and where it came from.
    """

    seq: int
    words: str
    contract: str
    outcome: str
    correction: Any
    source: str
    similarity: float = 0.0


def choose(ranked: Sequence[Candidate], k: int) -> list[tuple[Candidate, int]]:
    """The `k` most telling of what was found, most alike first.

    What is nearly the same and ended the same way is told once, and counted; one source has
    at most `PER_SOURCE` places. So nobody fills an answer by repeating themselves. Beside
    each stands how many it was told for.
    """
    times: list[int] = []
    picked: list[Candidate] = []
    for one in ranked:
        twin = next((at for at, other in enumerate(picked) if _same(one, other)), None)
        if twin is not None:
            times[twin] += 1
        elif len(picked) < k and _room(picked, one.source):
            picked.append(one)
            times.append(1)
    return list(zip(picked, times, strict=True))


def mixed(places: Sequence[int], shared: Mapping[int, Sequence[int]]) -> Iterator[int]:
    """The places in order, but at most `PER_LIKENESS` that share the very same marks: a
    thousand copies of one text leave room for others.
    """
    seen: dict[tuple[int, ...], int] = {}
    for place in places:
        marks = tuple(shared[place])
        seen[marks] = seen.get(marks, 0) + 1
        if seen[marks] <= PER_LIKENESS:
            yield place


def _same(one: Candidate, other: Candidate) -> bool:
    return (
        filed_under(one.contract) == filed_under(other.contract)
        and one.outcome == other.outcome
        and one.correction == other.correction
        and _nearly(one.words, other.words)
    )


def _room(picked: Sequence[Candidate], source: str) -> bool:
    mine = sum(one.source == source for one in picked)
    return not source or mine < PER_SOURCE


def _hash(text: str) -> int:
    """63 bits that nobody chooses: what both databases hold as an integer."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
