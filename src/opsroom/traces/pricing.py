"""Keeping the store's price list: the models it has seen, and what they cost when.

A model that was never seen before is priced a moment after its first spans are stored, and
those spans are written again with their cost; from then on the price is there beforehand.
"""

import json
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from opsroom.models.rates import PriceFrom, rates

from .costs import COST_COLUMNS, PRICE_JOIN
from .ports import Telemetry
from .view import PLAIN_COLUMNS

# The prices of a project's own list for a provider and a model; None where it has none.
OwnPrices = Callable[[str, str, str], Sequence[PriceFrom] | None]
_NEW = """
SELECT m.project AS project, m.provider AS provider, m.model AS model, min(m.received) AS received
FROM models AS m
LEFT ANTI JOIN prices AS p
ON m.project = p.project AND m.provider = p.provider AND m.model = p.model
GROUP BY project, provider, model"""


class Pricing:
    """Puts prices where spans need them. Whoever comes while it is at that waits until it is done."""

    def __init__(self, store: Telemetry, own: OwnPrices) -> None:
        self._store = store
        self._own = own
        self._lock = threading.Lock()

    def settle(self, now: datetime) -> int:
        """Find prices for models that have none yet, and price their spans; how many models."""
        with self._lock:
            new = [row for row in self._store.rows(_NEW) if row["model"]]
            for row in new:
                self._price(row["project"], row["provider"], row["model"], now=now)
        return len(new)

    def _price(self, project: str, provider: str, model: str, *, now: datetime) -> None:
        """Put the prices of a model on the list, and price every span of it anew."""
        found = self._own(project, provider, model)
        if found is None:
            found = rates(model, provider=provider)
        key = {"project": project, "provider": provider, "model": model}
        self._store.run(f"DELETE FROM prices WHERE {_OF_MODEL}", key)
        written = int(now.timestamp() * 1000)
        lines = [
            {
                "project": project,
                "provider": provider,
                "model": model,
                "since": price.since.strftime("%Y-%m-%d %H:%M:%S"),
                "above": price.above,
                "rates": [[f"{rate:f}" for rate in tier.row] for tier in price.tiers],
                "basis": price.basis,
                "written": written,
            }
            for price in found
        ]
        data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        self._store.insert("prices", data, form="JSONEachRow", settings={})
        self._store.run(_REPRICE, key)

    def refresh(self, now: datetime) -> int:
        """Put right what is listed otherwise by now: a project's own price, or a new list."""
        with self._lock:
            return self._refresh(now)

    def _refresh(self, now: datetime) -> int:
        listed: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
        for row in self._store.rows("SELECT * FROM prices FINAL"):
            key = (row["project"], row["provider"], row["model"])
            listed.setdefault(key, set()).add((row["basis"], _told(row["rates"])))
        changed = 0
        for (project, provider, model), was in listed.items():
            found = self._own(project, provider, model) or rates(model, provider=provider)
            if {(one.basis, _told([tier.row for tier in one.tiers])) for one in found} != was:
                self._price(project, provider, model, now=now)
                changed += 1
        return changed


def _told(tiers: Sequence[Sequence[Decimal]]) -> str:
    return str([[f"{rate:.15f}" for rate in tier] for tier in tiers])


_OF_MODEL = (
    "project = {project:String} AND provider = {provider:String} AND model = {model:String}"
)
_REPRICE = f"""
INSERT INTO spans ({PLAIN_COLUMNS}, revision, cost, basis)
SELECT {PLAIN_COLUMNS}, s.revision + 1 AS revision, {COST_COLUMNS}
FROM (
    SELECT *, if(served_model != '', served_model, requested_model) AS model FROM spans FINAL
    WHERE project = {{project:String}} AND provider = {{provider:String}} AND calls_model
        AND if(served_model != '', served_model, requested_model) = {{model:String}}
) AS s {PRICE_JOIN}"""
