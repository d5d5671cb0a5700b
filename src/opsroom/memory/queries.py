"""Recalling what was decided in similar situations."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from opsroom.kit.db import Tx

from . import store
from .errors import MemoryNotFound
from .model import (
    Memory,
    Recalled,
    alike,
    choose,
    filed_under,
    keys,
    mixed,
    normal,
    rarity,
    words_of,
)
from .ports import Likeness

PAGE = 100
COMPARED = 100  # situations that are compared
MOST = 25


def by_words(context: str, others: Sequence[str]) -> Sequence[float]:
    """Compares by words; what is used unless an engine brings something better."""
    return [alike(context, other) for other in others]


def recall(
    tx: Tx,
    agent: str,
    *,
    contract: str = "",
    context: str,
    k: int = 5,
    verified_only: bool = True,
    likeness: Likeness = by_words,
) -> list[Recalled]:
    """The `k` most similar past decisions of `agent`, most alike first.

    Only those whose outcome was verified or that a person corrected, unless told otherwise;
    with `contract` (any version of it) only those of that contract. The cost does not grow
    with what is remembered: under marks that many share, only the latest are looked at.
    """
    text = normal(context)
    k = max(0, min(k, MOST))
    places = _likely(tx, agent, filed_under(contract), text, verified_only=verified_only)
    if not places or not k:
        return []
    found = store.candidates(tx, places, agent)
    scores = likeness(words_of(text), [one.words for one in found])
    scored = [
        replace(one, similarity=round(score, 4))
        for one, score in zip(found, scores, strict=True)
    ]
    scored.sort(key=lambda one: (one.similarity, one.seq), reverse=True)
    chosen = choose(scored, k)
    memories = store.by_place(tx, [one.seq for one, _ in chosen])
    return [
        Recalled(memory=memories[one.seq], similarity=one.similarity, times=times)
        for one, times in chosen
    ]


def memory(tx: Tx, memory_id: str) -> Memory:
    found = store.memory(tx, memory_id)
    if found is None:
        raise MemoryNotFound(memory_id)
    return found[1]


def memories(
    tx: Tx, agent: str, *, before: str | None = None, limit: int = PAGE
) -> list[Memory]:
    """What an agent remembers, newest first; go on with the last id as `before`."""
    return store.page(tx, agent=agent, before=before, limit=limit)


def _likely(tx: Tx, agent: str, contract: str, text: str, *, verified_only: bool) -> list[int]:
    """The places of those that share the most, and the rarest, marks with a text."""
    head = store.head(tx)
    weights: dict[int, float] = {}
    shared: dict[int, list[int]] = {}
    for trusted in (True,) if verified_only else (True, False):
        wanted = keys(tx.project, agent, contract, text, trusted=trusted)
        for mark, seqs in store.marked(tx, wanted).items():
            weight = rarity(seqs, head, store.LATEST)
            for seq in seqs:
                weights[seq] = weights.get(seq, 0.0) + weight
                shared.setdefault(seq, []).append(mark)
    ranked = sorted(weights, key=lambda seq: (weights[seq], seq), reverse=True)
    return list(islice(mixed(ranked, shared), COMPARED))
