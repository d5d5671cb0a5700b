"""Taking in what a look found, and what people do with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from opsroom.evidence.spending import spend
from opsroom.kit.db import Tx

from . import store
from .errors import DriftNotFound, DriftOver
from .model import ALPHA, WINDOW, Aspect, Comparison, Drift, State, Step, Watch, decide, told

SYSTEM = "system:drift"
MOST_NOTE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look made of an aspect: a comparison where there was enough, with examples. `was`
    is the drift that was open, which the comparison rests on; `since` what was accepted.
    """

    compared: Comparison | None
    traces_before: tuple[str, ...] = ()
    traces_now: tuple[str, ...] = ()
    was: str | None = None
    since: datetime | None = None


def take_in(
    tx: Tx, agent: str, found: Mapping[Aspect, Found], *, at: datetime
) -> tuple[Drift, ...]:
    """Note a look that ended its window `at`: open, renew or settle drifts.

    Returns those that are open now. An aspect that somebody accepted or looked at meanwhile is
    left as it is.
    """
    store.add_watches(tx, agent)
    watches = store.watches_of(tx, agent, lock=True)
    live = store.open_of(tx, agent, lock=True)
    for aspect, one in found.items():
        watch, was = watches[aspect], live.get(aspect)
        stale = (was and was.id) != one.was or watch.since != one.since
        if stale or (watch.looked_at is not None and watch.looked_at >= at):
            continue
        now = _take_in(tx, watch, was, one, at=at)
        if now is None:
            live.pop(aspect, None)
        else:
            live[aspect] = now
    return tuple(live[aspect] for aspect in Aspect if aspect in live)


def accept(tx: Tx, drift_id: str, *, note: str) -> Drift:
    """Call what is seen now the new normal, saying why. Later days are compared with it.

    Raises `DriftNotFound`, and `DriftOver` where the drift is not open any more.
    """
    was = store.drift(tx, drift_id, lock=True)
    if was is None:
        raise DriftNotFound(drift_id)
    if was.state is not State.OPEN:
        raise DriftOver(drift_id, was.state.value)
    store.add_watches(tx, was.agent)
    watch = store.watches_of(tx, was.agent, lock=True)[was.aspect]
    store.save_watch(tx, replace(watch, since=was.began))
    return _close(tx, was, State.ACCEPTED, by=tx.actor.name, note=note[:MOST_NOTE])


def _take_in(
    tx: Tx, watch: Watch, was: Drift | None, found: Found, *, at: datetime
) -> Drift | None:
    compared = found.compared
    if compared is None:
        store.save_watch(
            tx, replace(watch, looked_at=at, reference=0, current=0, p=None, effect=None)
        )
        return was
    looks = watch.looks + 1
    allowed = spend(ALPHA, looks)
    store.save_watch(
        tx,
        replace(
            watch,
            looks=looks,
            looked_at=at,
            reference=compared.reference,
            current=compared.current,
            p=compared.p,
            effect=compared.effect,
        ),
    )
    match decide(was, compared, allowed=allowed):
        case Step.OPEN:
            return _open(tx, watch, found, compared, look=looks, allowed=allowed, at=at)
        case Step.SEEN:
            assert was is not None
            now = replace(
                was,
                seen_at=at,
                because=told(was.aspect, compared),
                compared=compared,
                traces_before=found.traces_before,
                traces_now=found.traces_now,
            )
            store.save(tx, now)
            return replace(now, revision=was.revision + 1)
        case Step.SETTLE:
            assert was is not None
            _close(tx, was, State.SETTLED, by=tx.actor.name, note="it is again what it was")
            return None
        case Step.NOTHING:
            return was


def _open(
    tx: Tx,
    watch: Watch,
    found: Found,
    compared: Comparison,
    *,
    look: int,
    allowed: float,
    at: datetime,
) -> Drift:
    one = Drift(
        id=tx.ids.new("dft"),
        agent=watch.agent,
        aspect=watch.aspect,
        state=State.OPEN,
        because=told(watch.aspect, compared),
        compared=compared,
        traces_before=found.traces_before,
        traces_now=found.traces_now,
        look=look,
        allowed=allowed,
        began=at - WINDOW,
        opened_at=at,
        seen_at=at,
    )
    store.add(tx, one)
    tx.record(
        "drift.found",
        one.subject,
        agent=one.agent,
        aspect=one.aspect.value,
        because=one.because,
        p=compared.p,
        effect=compared.effect,
        look=look,
        allowed=allowed,
    )
    return one


def _close(tx: Tx, was: Drift, state: State, *, by: str, note: str) -> Drift:
    now = replace(was, state=state, closed_at=tx.now, closed_by=by, note=note)
    store.save(tx, now)
    tx.record(
        f"drift.{state.value}", was.subject, agent=was.agent, aspect=was.aspect.value, note=note
    )
    return replace(now, revision=was.revision + 1)
