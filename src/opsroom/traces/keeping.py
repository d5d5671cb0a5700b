"""What a project decides about its telemetry: contents or not, what is taken out, own prices."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from opsroom.kit.db import Tx
from opsroom.kit.redaction import DEFAULTS, Redactor, rule_of, rules_of
from opsroom.models.rates import BEGINNING, MILLION, PriceFrom, Rates

from . import store
from .errors import BrokenKeeping
from .model import MOST_PRICES, MOST_RULES, Keeping, OwnPrice

SHIPPED = tuple(rule.name for rule in DEFAULTS)
NEVER_DECIDED = Keeping(shipped=SHIPPED)
MOST = Decimal(1_000_000)


def current(tx: Tx, *, project: str = "") -> Keeping:
    """How the project's telemetry is kept; every rule of ours applies until it decides."""
    return store.keeping(tx, project=project) or NEVER_DECIDED


def decide(tx: Tx, wanted: Keeping) -> Keeping:
    """Keep telemetry like this from now on. What is stored already stays as it is.

    Raises `BrokenRule` or `BrokenKeeping`; the same again is no change.
    """
    _check(wanted)
    was = current(tx)
    now = replace(wanted, revision=was.revision + 1)
    if replace(now, revision=was.revision) == was:
        return was
    store.save(tx, now)
    tx.record(
        "traces.keeping_decided",
        "traces/keeping",
        contents=now.contents,
        shipped=list(now.shipped),
        rules=[rule.name for rule in now.rules],
        prices=[f"{price.provider}/{price.model}".lstrip("/") for price in now.prices],
        before={"contents": was.contents, "shipped": list(was.shipped)},
    )
    return now


def redactor(keeping: Keeping) -> Redactor:
    """What takes out of this project's telemetry what it does not want there."""
    own = [rule_of(rule.name, rule.pattern) for rule in keeping.rules]
    return Redactor([*rules_of(keeping.shipped), *own])


def own_price(keeping: Keeping, provider: str, model: str) -> Sequence[PriceFrom] | None:
    """The project's own price of a model; one that names the provider goes first."""
    for price in sorted(keeping.prices, key=lambda one: not one.provider):
        if price.model == model and price.provider in {"", provider}:
            rates = Rates(
                input=price.input / MILLION,
                cache_read=_or(price.cache_read, price.input) / MILLION,
                cache_write=_or(price.cache_write, price.input) / MILLION,
                output=price.output / MILLION,
                reasoning=_or(price.reasoning, price.output) / MILLION,
            )
            return (
                PriceFrom(since=BEGINNING, basis="the project's own price", tiers=(rates,)),
            )
    return None


def _or(price: Decimal | None, other: Decimal) -> Decimal:
    return other if price is None else price


def _check(wanted: Keeping) -> None:
    if len(wanted.rules) > MOST_RULES:
        raise BrokenKeeping(f"a project has at most {MOST_RULES} rules of its own")
    names = [rule.name for rule in wanted.rules]
    if len(set(names)) < len(names):
        raise BrokenKeeping("two rules have the same name")
    redactor(wanted)
    if len(wanted.prices) > MOST_PRICES:
        raise BrokenKeeping(f"a project has at most {MOST_PRICES} prices of its own")
    for price in wanted.prices:
        _check_price(price)


def _check_price(price: OwnPrice) -> None:
    told = (price.input, price.output, price.cache_read, price.cache_write, price.reasoning)
    for one in told:
        if one is not None and not (one.is_finite() and 0 <= one <= MOST):
            raise BrokenKeeping(
                f"the price of {price.model!r} lies between 0 and {MOST} dollars"
            )
    if not price.model.strip():
        raise BrokenKeeping("a price names its model")
