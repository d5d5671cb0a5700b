"""A rate that rises, and one that does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.traffic import calm, noise

from opsroom.evidence import OutOfRange, Tally
from opsroom.evidence.worsening import BLOCK, KEPT, blocks, worsened

HITS = st.lists(st.booleans(), max_size=260)


def rises(hits: np.ndarray, *, alpha: float = 0.05) -> int | None:
    """At which observation a rise above 5 % is noticed, looking after each hit."""
    for at in np.flatnonzero(hits) + 1:
        if worsened(blocks(hits[:at].tolist()), rate=0.05, alpha=alpha).risen:
            return int(at)
    return None


def test_a_rise_is_noticed_long_after_the_start() -> None:
    rng = np.random.default_rng(1)
    late = []
    for _ in range(30):
        hits = np.concatenate([rng.random(1_500) < 0.02, rng.random(600) < 0.15])
        at = rises(hits)
        assert at is not None
        late.append(at - 1_500)
    assert 0 < np.median(late) < 150


def test_at_the_limit_it_rarely_rings() -> None:
    rng = np.random.default_rng(2)
    rung = sum(rises(rng.random(KEPT * BLOCK) < 0.05) is not None for _ in range(100))
    assert rung / 100 <= 0.05 + noise(0.05, 100)


@calm
@given(hits=HITS, before=st.integers(0, 200))
def test_blocks_begin_where_they_always_began(hits: list[bool], before: int) -> None:
    found = blocks(hits, before=before)
    assert sum(one.n for one in found) == len(hits)
    assert sum(one.hits for one in found) == sum(hits)
    assert all(one.n == BLOCK for one in found[1:-1])
    everything = blocks([False] * before + hits)
    assert found[1:] == (everything[-len(found) + 1 :] if len(found) > 1 else [])


@calm
@given(hits=HITS, at=st.integers(0, 259))
def test_one_more_hit_never_speaks_for_the_rate(hits: list[bool], at: int) -> None:
    """So what has not come to light yet cannot have rung too soon."""
    if at >= len(hits):
        return
    more = [*hits[:at], True, *hits[at + 1 :]]
    was = worsened(blocks(hits), rate=0.05).evidence
    assert worsened(blocks(more), rate=0.05).evidence >= was - 1e-9


def test_only_the_newest_blocks_count() -> None:
    old = [Tally(n=BLOCK, hits=BLOCK)] * 5
    quiet = [Tally(n=BLOCK, hits=1)] * KEPT
    assert worsened([*old, *quiet], rate=0.05) == worsened(quiet, rate=0.05)
    assert worsened(old, rate=0.05).risen
    assert not worsened([], rate=0.05).risen


def test_what_is_no_limit() -> None:
    with pytest.raises(OutOfRange):
        worsened([], rate=0.0)
