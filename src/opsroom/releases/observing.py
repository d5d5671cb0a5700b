"""Taking in what happened in shadow and canary runs, and what people say of the sample."""

from collections.abc import Sequence
from typing import TypeVar

from opsroom.access.rules import Action
from opsroom.kit.db import Tx
from opsroom.kit.faults import boundary

from . import commands, store
from .errors import (
    BadObservation,
    JudgeIsAuthor,
    NotAJudge,
    PairJudged,
    PairNotSampled,
    WrongState,
)
from .evidence import LegCounts
from .looks import look_due
from .model import Leg, Release, State, split
from .observation import (
    MAX_BATCH,
    Observation,
    Observed,
    Sampled,
    ShadowPair,
    check_key,
    check_values,
    place_in_sample,
    with_pair,
    with_request,
)

T = TypeVar("T")


def observe_shadow(tx: Tx, release_id: str, pairs: Sequence[ShadowPair]) -> Observed:
    """Count shadow pairs, each once however often it is sent, and offer them to the sample.

    All of the batch or, with `BadObservation`, nothing of it. A release that is not
    shadowing ignores them.
    """
    release = commands.get(tx, release_id)
    _check_reporter(tx, release)
    _check_size(pairs)
    for pair in pairs:
        check_key(pair.key)
        check_values(release.plan, pair.key, pair.champion)
        check_values(release.plan, pair.key, pair.challenger)
    if release.state is not State.SHADOWING:
        return Observed(ignored=len(pairs))
    new = _first_of_each(tx, release_id, store.SHADOW, [(pair.key, pair) for pair in pairs])
    if new:
        counts = store.shadow(tx, release_id, release.round)
        for pair in new:
            counts = with_pair(release.plan, counts, pair)
        store.save_shadow(tx, release_id, release.round, counts)
        _offer(tx, release, new)
        boundary("release.observed")
        commands.take_notice(tx, release)
    return Observed(counted=len(new), repeated=len(pairs) - len(new))


def observe_canary(tx: Tx, release_id: str, outcomes: Sequence[Observation]) -> Observed:
    """Count how live requests came out, each once however often it is sent.

    All of the batch or, with `BadObservation`, nothing of it. Outcomes are counted in the
    leg that `resolve` named with the request, since that is when its arm was drawn. Where
    somebody else answered than the split says, and after the canary, they are ignored.
    """
    release = commands.get(tx, release_id)
    _check_reporter(tx, release)
    _check_size(outcomes)
    for one in outcomes:
        check_key(one.named)
        check_values(release.plan, one.named, one.values)
    usable = [(one, leg) for one in outcomes if (leg := _leg_of(release, one)) is not None]
    new = _first_of_each(
        tx, release_id, store.CANARY, [(one.named, (one, leg)) for one, leg in usable]
    )
    if new:
        _count(tx, release, new)
        boundary("release.observed")
        commands.take_notice(tx, release)
    return Observed(
        counted=len(new),
        repeated=len(usable) - len(new),
        ignored=len(outcomes) - len(usable),
    )


def judge_pair(tx: Tx, release_id: str, key: str, *, good: bool, reason: str) -> Sampled:
    """Say whether the candidate's answer to a sampled request is good enough.

    Only people do, and not those who made or started the release. Repeating one's own answer
    changes nothing; another answer is a `PairJudged`.
    """
    release = commands.get(tx, release_id)
    commands.check_may(tx, Action.REVIEW, release)
    judge = tx.actor.name
    if not tx.actor.human:
        raise NotAJudge(release_id, judge)
    if judge in {release.author, release.version_author}:
        raise JudgeIsAuthor(release_id, judge)
    if release.state is not State.IN_REVIEW:
        raise WrongState(release_id, release.state.value, "judged")
    found = store.sampled_one(tx, release, key)
    if found is None:
        raise PairNotSampled(release_id, key)
    if found.judged_by is not None:
        if (found.judged_by, found.good) == (judge, good):
            return found
        raise PairJudged(key, found.judged_by)
    store.judge(tx, release, key, good=good, reason=reason)
    tx.record("release.pair_judged", release.subject, key=key, good=good, reason=reason)
    commands.take_notice(tx, release)
    judged = store.sampled_one(tx, release, key)
    assert judged is not None
    return judged


def _check_reporter(tx: Tx, release: Release) -> None:
    """Who made or started a release does not report how it does. People who report are noted;
    programs do it with an identity of their own.
    """
    if tx.actor.name in {release.author, release.version_author}:
        raise JudgeIsAuthor(release.id, tx.actor.name)
    if tx.actor.human:
        tx.record("release.reported_by_hand", release.subject)


def _check_size(batch: Sequence[object]) -> None:
    if len(batch) > MAX_BATCH:
        raise BadObservation(
            "batch", f"it holds {len(batch):,}, and {MAX_BATCH:,} are the most"
        )


def _first_of_each(
    tx: Tx, release_id: str, phase: str, keyed: Sequence[tuple[str, T]]
) -> list[T]:
    """Those that were never counted, in the order they came; of equal keys the first."""
    first: dict[str, T] = {}
    for key, one in keyed:
        first.setdefault(key, one)
    new = store.unseen(tx, release_id, phase, first)
    return [one for key, one in first.items() if key in new]


def _offer(tx: Tx, release: Release, pairs: Sequence[ShadowPair]) -> None:
    size = release.plan.sample.size
    seed = store.seed_of(tx, release.id)
    limit = store.highest_place(tx, release, size=size)
    placed = [(place_in_sample(seed, pair.key), pair) for pair in pairs]
    lucky = [(place, pair) for place, pair in placed if limit is None or place < limit]
    if size and lucky:
        store.offer_to_sample(tx, release, lucky, size=size)


def _leg_of(release: Release, one: Observation) -> Leg | None:
    """The leg in which this request was drawn; None where it cannot be counted."""
    canarying = State.CANARYING in {release.state, release.paused_from}
    if not canarying or not release.legs:
        return None
    leg = release.legs[-1] if one.leg is None else release.leg_numbered(one.leg)
    if leg is None or leg.void:
        return None
    answered = one.arm or split(release.id, one.subject, leg.weight)
    return leg if answered is split(release.id, one.subject, leg.weight) else None


def _count(tx: Tx, release: Release, new: Sequence[tuple[Observation, Leg]]) -> None:
    counts: dict[int, LegCounts] = {
        leg.number: store.leg(tx, release.id, leg) for leg in release.legs if not leg.void
    }
    for one, leg in new:
        arm = split(release.id, one.subject, leg.weight)
        counts[leg.number] = with_request(release.plan, counts[leg.number], arm, one.values)
    for number in {leg.number for _, leg in new}:
        store.save_leg(tx, release.id, counts[number])
    now = tuple(counts.values())
    before = store.looks(tx, release.id)
    if look_due(release.plan, before[-1][1] if before else (), now):
        store.add_look(tx, release.id, len(before) + 1, now)
