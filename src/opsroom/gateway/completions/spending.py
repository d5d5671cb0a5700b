"""What a call may cost, held before it, and what it cost, booked after it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from .asking import Attempt
from .errors import NoPrice
from .preparing import Call

BYTES_PER_TOKEN = 3  # fewer than most texts have, so that rather more is held than less
HELD_FOR = timedelta(minutes=20)  # longer than any answer may take
FINEST = Decimal("0.000000001")
NOTHING = Decimal(0)
REFUSED: Mapping[Unit, Decimal] = {Unit.TOKENS: NOTHING, Unit.USD: NOTHING}  # took nothing


def expected(
    call: Call, size: int, keeping: Keeping, *, at: datetime, units: Collection[Unit]
) -> dict[Unit, Decimal]:
    """What is held for a call of `size` bytes: one call, its tokens if the answer is as long as it
    may be, and what those cost at the dearest of the models that may be asked.

    Raises `NoPrice` for a model whose price is not known, where US dollars are among the `units`
    that are counted.
    """
    asked = _at_most(call, size)
    costs = {
        one.model: cost(asked, one.model, one.endpoint, keeping, at=at)
        for one in call.spec.everybody
    }
    if Unit.USD in units:
        for model, price_of in costs.items():
            if price_of is None:
                raise NoPrice(call.route, model)
    return {
        Unit.CALLS: Decimal(1),
        Unit.TOKENS: Decimal(_tokens(asked)),
        Unit.USD: max((one for one in costs.values() if one is not None), default=NOTHING),
        Unit.SECONDS: Decimal(1),
    }


def lost(
    call: Call, size: int, attempts: Iterable[Attempt], keeping: Keeping, *, at: datetime
) -> dict[Unit, Decimal]:
    """What attempts that were given up may have been charged for: each of them as much as a call
    may take of the model that was asked.
    """
    asked, given_up = _at_most(call, size), [one for one in attempts if one.may_cost]
    costs = [cost(asked, one.model, one.endpoint, keeping, at=at) for one in given_up]
    return {
        Unit.TOKENS: Decimal(_tokens(asked) * len(given_up)),
        Unit.USD: sum((one for one in costs if one is not None), NOTHING),
    }


def took(
    facts: Facts, target: Target, keeping: Keeping, *, at: datetime
) -> dict[Unit, Decimal]:
    """What an answer took, as far as it says so. Of one that does not, all that was held is booked:
    it may have been charged.
    """
    if facts.input_tokens is None:
        return {}
    return {
        Unit.TOKENS: Decimal(_tokens(facts)),
        Unit.USD: cost(facts, target.model, target.endpoint, keeping, at=at) or NOTHING,
    }


def _at_most(call: Call, size: int) -> Facts:
    return Facts(
        input_tokens=(size + call.added) // BYTES_PER_TOKEN + 1,
        output_tokens=call.asked.output_tokens,
    )


def _tokens(facts: Facts) -> int:
    return (facts.input_tokens or 0) + (facts.output_tokens or 0)


def cost(
    facts: Facts, asked: str, endpoint: str, keeping: Keeping, *, at: datetime
) -> Decimal | None:
    """US dollars by the model that served: at the project's own price, the provider's list price,
    or the list price of a model of that name; None where none is known.
    """
    tokens_in, tokens_out = facts.input_tokens, facts.output_tokens
    if tokens_in is None or tokens_out is None:
        return None
    cached = min(facts.cached_tokens, tokens_in)
    for model in _names(facts.served, asked):
        own = own_price(keeping, "", model)
        if own is not None:
            rates = own[0].tiers[0]
            fresh = rates.input * (tokens_in - cached) + rates.cache_read * cached
            return (fresh + rates.output * tokens_out).quantize(FINEST)
    for model in _names(facts.served, asked):
        for place in (endpoint, None):
            found = price(
                model,
                input_tokens=tokens_in,
                output_tokens=tokens_out,
                cached_tokens=cached,
                at=at,
                endpoint=place,
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
