"""What a token of a model costs, by date: for whoever prices a great many calls at once.

`price` works out one call; here are the numbers behind it, so that a database can do the
multiplying. Both read the same list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
MILLION, THOUSAND = Decimal(1_000_000), Decimal(1_000)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """US dollars for one token of each kind, and for one request.

    Tokens read from a cache, written to one, or spent on reasoning cost what the list says of
    them, or else what the input or the output costs.
    """

    input: Decimal
    cache_read: Decimal
    cache_write: Decimal
    output: Decimal
    reasoning: Decimal
    request: Decimal = NOTHING

    @property
    def row(self) -> tuple[Decimal, ...]:
        """In the order in which costs are summed up."""
        return (
            self.input, self.cache_read, self.cache_write, self.output, self.reasoning,
            self.request,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFrom:
    """What a model costs from a day on.

    `tiers` are ordered: the first holds up to as many input tokens as the first of `above`
    says, the second beyond that. Without tiers the price is not known; `basis` says why, or
    else whose price it is.
    """

    since: datetime
    basis: str
    above: tuple[int, ...] = ()
    tiers: tuple[Rates, ...] = ()


def rates(model: str, *, provider: str = "") -> Sequence[PriceFrom]:
    """The prices of `model` through time, oldest first; the first holds from the beginning.

    A provider that the list does not know is passed over, because frameworks give their own
    names there; then the model's name decides.
    """
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  # 0.2 s, only where we price

    snapshot = get_snapshot()
    for named in (provider, None) if provider else (None,):
        try:
            owner, found = snapshot.find_provider_model(model, None, named, None)
        except LookupError:
            continue
        return _through_time(found, f"{owner.id}/{found.id}")
    return (PriceFrom(since=BEGINNING, basis=f"no list price for {model!r}"),)


def _through_time(model: Any, basis: str) -> Sequence[PriceFrom]:
    listed = model.prices
    if not isinstance(listed, list):
        return (_price(listed, BEGINNING, basis),)
    starts: dict[datetime, None] = {BEGINNING: None}
    for one in listed:
        if one.constraint is None:
            continue
        if (day := getattr(one.constraint, "start_date", None)) is None:
            why = f"the price of {basis} depends on the time of day"
            return (PriceFrom(since=BEGINNING, basis=why),)
        starts[datetime(day.year, day.month, day.day, tzinfo=UTC)] = None
    return tuple(_price(model.get_prices(since), since, basis) for since in sorted(starts))


def _price(listed: Any, since: datetime, basis: str) -> PriceFrom:
    named = {name: price for name, price in vars(listed).items() if price is not None}
    if not {"input_mtok", "output_mtok", "requests_kcount"} & named.keys():
        return PriceFrom(since=since, basis=f"{basis} is not priced by tokens")
    above = sorted({tier.start for price in named.values() for tier in _tiers(price)})
    return PriceFrom(
        since=since,
        basis=basis,
        above=tuple(above),
        tiers=tuple(_rates(named, reached) for reached in (0, *(start + 1 for start in above))),
    )


def _rates(named: dict[str, Any], tokens: int) -> Rates:
    """The rates for a call with so many input tokens."""

    def of(name: str, other: Decimal = NOTHING) -> Decimal:
        price = named.get(name)
        if price is None:
            return other
        reached = [tier.price for tier in _tiers(price) if tokens > tier.start]
        listed = reached[-1] if reached else getattr(price, "base", price)
        return Decimal(listed) / MILLION

    fresh, answer = of("input_mtok"), of("output_mtok")
    return Rates(
        input=fresh,
        cache_read=of("cache_read_mtok", fresh),
        cache_write=of("cache_write_mtok", fresh),
        output=answer,
        reasoning=of("output_reasoning_mtok", answer),
        request=of("requests_kcount") * THOUSAND,
    )


def _tiers(price: Any) -> Sequence[Any]:
    return getattr(price, "tiers", ())
