"""What an auditor finds who trusts nobody: the ledger outside against the database and the journal."""

from collections import Counter, defaultdict
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from sqlalchemy import select
from tests.actions.crashing import (
    APPROVED,
    EVERYWHERE,
    HARD,
    KEYED,
    QUERYABLE,
    START,
    Outside,
    opened,
    orders,
)
from tests.actions.world import SYSTEM

from opsroom.actions import store
from opsroom.actions.model import MOVES, Action, Enforcement, Refusal, State
from opsroom.budgets import commands as budgets
from opsroom.budgets import hold_store
from opsroom.budgets.model import HoldState, Unit
from opsroom.journal import Entry, queries
from opsroom.journal import store as journal

STATES = {f"action.{state.value}": state for state in State}
LATER = timedelta(days=10)  # when nothing may be held any more


class Audit:
    """Every action and every entry, beside what really happened. `cases` are (case, tool)."""

    def __init__(self, url: str, outside: Path, cases: list[tuple[str, str]]) -> None:
        self.db, self.clock = opened(url, _last(url) + LATER)
        self.outside = Outside(outside / "ledger")
        self.cases = cases
        with self.db.read(SYSTEM) as tx:
            queries.verify(tx)
            entries = journal.entries_after(tx, 0, limit=10**7)
            ids = tx.conn.execute(select(store.actions.c.id)).scalars().all()
            self.actions = [one for id_ in ids if (one := store.action(tx, id_)) is not None]
        self.told: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            self.told[entry.subject].append(entry)
        self.by_order: dict[tuple[str, str], list[Action]] = defaultdict(list)
        for action in self.actions:
            self.by_order[action.tool, action.arguments["order"]].append(action)

    def check(self) -> Counter[str]:
        """Raises at the first thing that is not as promised; counts what was looked at."""
        happened = Counter((one["tool"], one["order"]) for one in self.outside.lines())
        asked = {(tool, order) for case, tool in self.cases for order in orders(case, tool)}
        assert happened.keys() <= asked, "nothing happens unbidden"
        seen: Counter[str] = Counter()
        for tool, order in sorted(asked):
            mine = sorted(self.by_order[tool, order], key=lambda one: one.id)
            assert mine, f"{tool} {order} is lost"
            self._effects(tool, mine, happened[tool, order])
            seen[mine[-1].state.value] += 1
        for action in self.actions:
            self._history(action)
        self._books()
        self.db.engine.dispose()
        seen["effects"] = happened.total()
        return seen

    def _effects(self, tool: str, mine: list[Action], times: int) -> None:
        """At most once, and on record as what it is."""
        about = [(one.id, one.state.value, one.refused_by) for one in mine]
        assert times <= 1, f"doubled: {tool} {about}"
        done = [one for one in mine if _happened(one)]
        unknown = [one for one in mine if one.state is State.UNKNOWN]
        if tool in (*KEYED, *QUERYABLE):
            assert (times, len(done), unknown) == (1, 1, []), f"{times} × {tool} {about}"
        elif times:
            assert len(done) + len(unknown) == 1, f"{times} × {tool} {about}"
        else:
            assert not done, f"never happened: {tool} {about}"
            over = {State.UNKNOWN, State.DENIED}
            assert mine[-1].state in over, f"given up: {tool} {about}"
        # A payment that did not fit is the only thing that is refused at all.
        refused = {one.refused_by for one in mine if one.state is State.DENIED}
        assert refused <= ({Refusal.BUDGET} if tool == "pay" else set()), about

    def _history(self, action: Action) -> None:
        """Every state was reached by a move that is allowed, and is on record; what was begun
        was allowed before, by people too where they were asked.
        """
        told = self.told[f"action/{action.id}"]
        path = [STATES[one.event] for one in told if one.event in STATES]
        assert path[0] is State.PROPOSED, path
        for here, there in pairwise(path):
            assert there in MOVES[here], f"{action.id} {here} → {there}"
        assert path[-1] is action.state, f"{action.id} is {action.state}, on record as {path}"
        if State.EXECUTING not in path:
            return
        events = [one.event for one in told]
        begun = events.index("action.executing")
        assert "action.permitted" in events[:begun], events
        assert path.count(State.EXECUTING) == action.attempt, events
        if action.tool in APPROVED:
            before = [
                (one.event, one.facts.get("request"))
                for one in told[:begun]
                if one.event in {"inbox.approved", "inbox.consumed"}
            ]
            assert before == [
                ("inbox.approved", action.approval),
                ("inbox.consumed", action.approval),
            ], events

    def _books(self) -> None:
        """Within the limit at every place. In the end nothing is held any more but what may have
        been spent: by what nobody knows the outcome of.
        """
        known = {one.id: one for one in self.actions}
        with (
            self.db.read(SYSTEM) as tx,
            closing(tx.conn.execute(hold_store.holds.select())) as rows,
        ):
            every = rows.all()
        by_turn: dict[str, Decimal] = defaultdict(Decimal)
        for row in every:
            if row.unit != Unit.USD or row.key != known[row.action].turn:
                continue
            held = row.amount if row.state == HoldState.HELD else Decimal(0)
            by_turn[row.key] += held + (row.settled or Decimal(0))
        assert by_turn
        assert max(by_turn.values()) <= HARD
        with self.db.write(EVERYWHERE) as tx:
            while budgets.expire(tx):
                pass
        with self.db.read(EVERYWHERE) as tx:
            assert not store.any_lapsed(tx)
            held = select(hold_store.holds).where(
                hold_store.holds.c.state == HoldState.HELD.value
            )
            unsure = {row.action for row in tx.conn.execute(held)}
        assert unsure == {one.id for one in self.actions if one.state is State.UNKNOWN} & {
            row.action for row in every
        }


def _happened(action: Action) -> bool:
    return action.state is State.SUCCEEDED or (
        action.state is State.RECONCILED and action.enforcement is Enforcement.EXECUTED
    )


def _last(url: str) -> datetime:
    db, _ = opened(url, START)
    with db.read(SYSTEM) as tx:
        found = journal.entries_after(tx, 0, limit=10**7)[-1].at
    db.engine.dispose()
    return found
