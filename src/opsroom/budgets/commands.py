"""Setting budgets, and reserving, settling and releasing what actions spend.

Reserving locks the counters it takes from until the transaction ends, so it belongs late in
one. Holds are journalled by whoever reserves; what is journalled here happens to a budget:
it was set or removed, its soft limit was passed, it refused, it was overshot, a hold expired.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from opsroom.access import ruling
from opsroom.access.rules import Action, Thing
from opsroom.kit.db import Tx
from opsroom.kit.faults import boundary

from . import hold_store, store
from .errors import BudgetNotFound, OverBudget
from .forecasting import stretch
from .model import (
    EACH,
    NOTHING,
    Budget,
    BudgetDraft,
    Counter,
    Hold,
    HoldState,
    Spender,
    Unit,
    amounts_of,
    checked,
    fits,
    passes_soft,
)

FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)


def set_budget(tx: Tx, draft: BudgetDraft) -> Budget:
    """Set a budget, or change the limits of the one that is there; the same again is no change.

    A hard limit may be set below what is spent already: then nothing more is reserved.
    """
    wanted = checked(draft, org=tx.project)
    ruling.check(tx, Action.OPERATE, thing(wanted))
    was = store.same(tx, wanted.scope, wanted.key, wanted.unit, wanted.window)
    if was is not None and (was.hard, was.soft) == (wanted.hard, wanted.soft):
        return was
    if was is None:
        now = Budget(
            id=tx.ids.new("bud"),
            scope=wanted.scope,
            key=wanted.key,
            unit=wanted.unit,
            hard=wanted.hard,
            soft=wanted.soft,
            window=wanted.window,
            created_at=tx.now,
            created_by=tx.actor.name,
        )
        store.add(tx, now)
    else:
        now = replace(was, hard=wanted.hard, soft=wanted.soft, revision=was.revision + 1)
        store.save(tx, now)
    tx.record(
        "budget.set",
        now.ref,
        scope=now.scope.value,
        key=now.key,
        unit=now.unit.value,
        window=None if now.window is None else int(now.window.total_seconds()),
        hard=_text(now.hard),
        soft=None if now.soft is None else _text(now.soft),
        before=None if was is None else _text(was.hard),
    )
    return now


def thing(of: BudgetDraft | Budget) -> Thing:
    """What access rules call a budget: its scope, and whose it is."""
    return Thing(kind="budget", name=of.key, label=of.scope.value)


def remove_budget(tx: Tx, budget_id: str, *, reason: str = "") -> None:
    """Stop counting against a budget. What is held on it is settled as ever."""
    budget = store.budget(tx, budget_id, lock=True)
    if budget is None:
        raise BudgetNotFound(budget_id)
    ruling.check(tx, Action.OPERATE, thing(budget))
    store.remove(tx, budget_id)
    tx.record(
        "budget.removed",
        budget.ref,
        scope=budget.scope.value,
        key=budget.key,
        unit=budget.unit.value,
        hard=_text(budget.hard),
        reason=reason,
    )


def reserve(
    tx: Tx,
    spender: Spender,
    amounts: Mapping[Unit, Decimal],
    *,
    action: str,
    until: datetime,
) -> tuple[Hold, ...]:
    """Set `amounts` aside in every budget that `spender` spends, or nowhere.

    There is a hold for each such budget, of nothing where no amount of its unit is named, so
    that whatever the action turns out to cost is booked. Holds free themselves at `until`.
    Once per attempt: release an attempt before reserving for the next.

    Raises `OverBudget`, and then nothing is held; the transaction is good for going on.
    """
    wanted = amounts_of(amounts)
    keys = spender.keys(tx.project)
    found = store.matching(tx, keys, lock=True)
    if not found:
        return ()
    places = {
        one.id: (one.id, one.since(tx.now), keys[one.scope] if one.key == EACH else one.key)
        for one in found
    }
    taken = {one.id: wanted.get(one.unit, NOTHING) for one in found}
    counters = _with_room(tx, found, places, taken)
    for one in found:
        if taken[one.id]:
            counter = counters[places[one.id]]
            held = replace(counter, held=counter.held + taken[one.id])
            counters[counter.place] = _warned(tx, one, held)
    made = tuple(
        Hold(
            id=tx.ids.new("hld"),
            action=action,
            budget=one.id,
            unit=one.unit,
            key=places[one.id][2],
            since=places[one.id][1],
            amount=taken[one.id],
            created_at=tx.now,
            expires_at=until,
        )
        for one in found
    )
    store.write(tx, list(counters.values()))
    boundary("budget.counted")
    hold_store.add_holds(tx, made, turn=spender.turn)
    boundary("budget.reserved")
    return made


def settle(tx: Tx, action: str, amounts: Mapping[Unit, Decimal]) -> tuple[Hold, ...]:
    """Book what an action really cost, in the windows where it was held, and free its holds.

    A unit that is not named cost what was held. More than was held is booked as it is, also
    beyond a hard limit: it was spent. That is on record as `budget.overshot`, and in `over` of
    the holds returned. So is what comes in after a hold has expired. Settling again changes
    nothing. Empty where no budget counted the action.
    """
    actual = amounts_of(amounts)
    mine = _newest(hold_store.holds_of(tx, action, lock=True))
    pending = [one for one in mine if one.state is not HoldState.SETTLED]
    if not pending:
        return tuple(mine)
    known = store.by_id(tx, {one.budget for one in pending})
    counters = store.locked(tx, {(one.budget, one.since, one.key) for one in pending})
    ended: dict[str, Hold] = {}
    spent: dict[tuple[str, datetime, str, datetime], Decimal] = {}
    for hold in pending:
        budget, cost = known[hold.budget], actual.get(hold.unit, hold.amount)
        counter = counters[(hold.budget, hold.since, hold.key)]
        freed = hold.amount if hold.state is HoldState.HELD else NOTHING
        after = replace(
            counter,
            held=counter.held - freed,
            settled=counter.settled + cost,
            actions=counter.actions + 1,
        )
        _tell_overshot(tx, budget, hold, counter, after)
        counters[counter.place] = _warned(tx, budget, after)
        ended[hold.id] = replace(hold, state=HoldState.SETTLED, settled=cost)
        if cost:
            spent[(*counter.place, stretch(budget, hold.since, tx.now))] = cost
    store.write(tx, list(counters.values()))
    boundary("budget.booked")
    hold_store.end_holds(tx, list(ended.values()))
    if spent:
        store.add_spending(tx, spent)
    boundary("budget.settled")
    return tuple(ended.get(one.id, one) for one in mine)


def release(tx: Tx, action: str) -> tuple[Hold, ...]:
    """Free what is held for an action that is not done, or was done for nothing."""
    held = [
        one for one in hold_store.holds_of(tx, action, lock=True) if one.state is HoldState.HELD
    ]
    return _free(tx, held, HoldState.RELEASED)


def keep(tx: Tx, action: str) -> int:
    """Let the holds of an action last until it is settled or released, however long nobody
    knows what came of it: what may have been spent is not free. How many there were.
    """
    return hold_store.extend_holds(tx, action, FOR_EVER)


def expire(tx: Tx) -> int:
    """Free the holds whose time is up, of all projects, 500 at a time; how many there were.

    Nobody depends on it: a reservation that does not fit frees what is overdue in its way.
    """
    return len(_expire(tx, hold_store.overdue(tx)))


def _with_room(
    tx: Tx,
    found: list[Budget],
    places: Mapping[str, store.Place],
    taken: Mapping[str, Decimal],
) -> dict[store.Place, Counter]:
    """The counters that are taken from, locked, once everything fits. Raises `OverBudget`."""
    counters = store.locked(tx, {places[one.id] for one in found if taken[one.id]})

    def full() -> list[Budget]:
        return [
            one
            for one in found
            if taken[one.id] and not fits(one, counters[places[one.id]], taken[one.id])
        ]

    if tight := full():
        overdue = hold_store.overdue(tx, places={places[one.id] for one in tight})
        if overdue:
            _expire(tx, overdue)
            counters = store.locked(tx, counters.keys())
            tight = full()
    if tight:
        _refuse(tx, tight, counters, places, taken)
    return counters


def _refuse(
    tx: Tx,
    tight: list[Budget],
    counters: dict[store.Place, Counter],
    places: Mapping[str, store.Place],
    taken: Mapping[str, Decimal],
) -> None:
    told: list[Counter] = []
    for one in tight:
        counter = counters[places[one.id]]
        if not counter.refused:
            told.append(replace(counter, refused=True))
            facts = _facts(one, counter) | {"wanted": _text(taken[one.id])}
            tx.record("budget.refused", one.ref, **facts)
    store.write(tx, told)
    first = tight[0]
    counter = counters[places[first.id]]
    raise OverBudget(
        first.id,
        first.scope.value,
        counter.key,
        first.unit.value,
        _text(taken[first.id]),
        _text(max(first.hard - counter.taken, NOTHING)),
    )


def _expire(tx: Tx, overdue: list[tuple[str, Hold]]) -> tuple[Hold, ...]:
    actor = tx.actor
    for project, one in overdue:
        tx.actor = replace(actor, project=project)  # whoever looks at the clock, it is theirs
        tx.record(
            "budget.expired",
            f"budget/{one.budget}",
            action=one.action,
            key=one.key,
            amount=_text(one.amount),
            unit=one.unit.value,
        )
    tx.actor = actor
    return _free(tx, [one for _, one in overdue], HoldState.EXPIRED)


def _free(tx: Tx, held: list[Hold], state: HoldState) -> tuple[Hold, ...]:
    if not held:
        return ()
    counters = store.locked(
        tx, {(one.budget, one.since, one.key) for one in held if one.amount}
    )
    for one in held:
        if one.amount:
            counter = counters[(one.budget, one.since, one.key)]
            counters[counter.place] = replace(counter, held=counter.held - one.amount)
    ended = tuple(replace(one, state=state) for one in held)
    store.write(tx, list(counters.values()))
    boundary("budget.freed")
    hold_store.end_holds(tx, ended)
    return ended


def _newest(all_of: list[Hold]) -> list[Hold]:
    """The hold of the latest attempt in each budget."""
    return list({one.budget: one for one in all_of}.values())


def _warned(tx: Tx, budget: Budget, counter: Counter) -> Counter:
    """Say once in a window that the soft limit is passed."""
    if counter.warned or not passes_soft(budget, counter.taken):
        return counter
    tx.record("budget.soft_passed", budget.ref, **_facts(budget, counter))
    return replace(counter, warned=True)


def _tell_overshot(tx: Tx, budget: Budget, hold: Hold, before: Counter, after: Counter) -> None:
    """Say when the truth passes a hard limit."""
    if after.taken <= budget.hard or after.taken <= before.taken:
        return
    facts = _facts(budget, after) | {
        "action": hold.action,
        "amount": _text(hold.amount),
        "over": _text(after.taken - budget.hard),
    }
    tx.record("budget.overshot", budget.ref, **facts)


def _facts(budget: Budget, counter: Counter) -> dict[str, str | None]:
    return {
        "scope": budget.scope.value,
        "key": counter.key,
        "unit": budget.unit.value,
        "hard": _text(budget.hard),
        "soft": None if budget.soft is None else _text(budget.soft),
        "held": _text(counter.held),
        "settled": _text(counter.settled),
    }


def _text(amount: Decimal) -> str:
    return format(amount, "f")
