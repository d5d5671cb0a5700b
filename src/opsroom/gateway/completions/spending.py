"""What a call may cost, held before it, and what it cost, booked after it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from opsroom.budgets import Unit
from opsroom.budgets import commands as budgets
from opsroom.budgets.errors import OverBudget
from opsroom.kit.db import Actor, Database
from opsroom.models.prices import price
from opsroom.models.route import Target
from opsroom.traces.keeping import own_price
from opsroom.traces.model import Keeping

from .answers import Facts
from .preparing import Call

BYTES_PER_TOKEN = 3  # fewer than most texts have, so that rather more is held than less
HELD_FOR = timedelta(minutes=20)  # longer than any answer may take
FINEST = Decimal("0.000000001")


def expected(call: Call, size: int, keeping: Keeping, *, at: datetime) -> dict[Unit, Decimal]:
    """What is held for a call of `size` bytes: one call, its tokens if the answer is as long as it
    may be, and what those cost at the dearest of the models that may be asked.
    """
    asked = Facts(
        input_tokens=size // BYTES_PER_TOKEN + 1, output_tokens=call.asked.output_tokens
    )
    costs = [cost(asked, one, keeping, at=at) for one in call.spec.everybody]
    return {
        Unit.CALLS: Decimal(1),
        Unit.TOKENS: Decimal((asked.input_tokens or 0) + (asked.output_tokens or 0)),
        Unit.USD: max((one for one in costs if one is not None), default=Decimal(0)),
        Unit.SECONDS: Decimal(1),
    }


def took(
    facts: Facts | None, target: Target, keeping: Keeping, *, at: datetime, seconds: float
) -> dict[Unit, Decimal]:
    """What is booked. Of an answer that does not say what it took, all that was held is: it may
    have been charged.
    """
    spent = {Unit.CALLS: Decimal(1), Unit.SECONDS: Decimal(f"{max(seconds, 0.0):.3f}")}
    if facts is None or facts.input_tokens is None:
        return spent
    spent[Unit.TOKENS] = Decimal(facts.input_tokens + (facts.output_tokens or 0))
    spent[Unit.USD] = cost(facts, target, keeping, at=at) or Decimal(0)
    return spent


def nothing(seconds: float) -> dict[Unit, Decimal]:
    """What a call took that a provider refused."""
    return {
        Unit.CALLS: Decimal(1),
        Unit.SECONDS: Decimal(f"{max(seconds, 0.0):.3f}"),
        Unit.TOKENS: Decimal(0),
        Unit.USD: Decimal(0),
    }


def cost(facts: Facts, target: Target, keeping: Keeping, *, at: datetime) -> Decimal | None:
    """US dollars by the model that served: at the project's own price, the provider's list price,
    or the list price of a model of that name; None where none is known.
    """
    tokens_in, tokens_out = facts.input_tokens, facts.output_tokens
    if tokens_in is None or tokens_out is None:
        return None
    cached = min(facts.cached_tokens, tokens_in)
    for model in _names(facts.served, target.model):
        own = own_price(keeping, "", model)
        if own is not None:
            rates = own[0].tiers[0]
            fresh = rates.input * (tokens_in - cached) + rates.cache_read * cached
            return (fresh + rates.output * tokens_out).quantize(FINEST)
    for model in _names(facts.served, target.model):
        for endpoint in (target.endpoint, None):
            found = price(
                model,
                input_tokens=tokens_in,
                output_tokens=tokens_out,
                cached_tokens=cached,
                at=at,
                endpoint=endpoint,
            ).cost
            if found is not None:
                return found.quantize(FINEST)
    return None


def _names(*names: str) -> Sequence[str]:
    return tuple(dict.fromkeys(filter(None, names)))


def hold(db: Database, call: Call, amounts: dict[Unit, Decimal]) -> None:
    """Set aside what a call may take. Raises `OverBudget`, which is on record then."""
    refused: OverBudget | None = None
    with db.write(call.actor) as tx:
        try:
            budgets.reserve(
                tx, call.spender, amounts, action=call.id, until=tx.now + tx.lasting(HELD_FOR)
            )
        except OverBudget as error:
            refused = error
    if refused is not None:
        raise refused


def settle(db: Database, actor: Actor, call_id: str, amounts: dict[Unit, Decimal]) -> None:
    """Book what a call took, and free what was held for it."""
    with db.write(actor) as tx:
        budgets.settle(tx, call_id, amounts)


def release(db: Database, actor: Actor, call_id: str) -> None:
    """Free what was held for a call that no model got."""
    with db.write(actor) as tx:
        budgets.release(tx, call_id)
