"""What a model call costs, on the day it was made.

The price list ships with the `genai-prices` package and is read from disk; nothing is
fetched. A price that is not known is None with the reason, never zero.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from opsroom.kit.wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Wire):
    """What a call cost in US dollars, or why that is not known."""

    cost: Decimal | None
    reason: str


def price(
    model: str | None,
    *,
    input_tokens: int | None,
    output_tokens: int | None,
    at: datetime,
    cached_tokens: int = 0,
    endpoint: str | None = None,
    provider: str | None = None,
) -> Price:
    """Price a call to `model` at the list price of `at`.

    With `provider` or `endpoint` (a base URL) the price is that provider's; an endpoint that
    no provider of the list owns has no list price, whatever the model is called. With
    neither, the model's name decides, as is right for recorded runs. `cached_tokens` are
    those of the input that the provider read from its cache.
    """
    if not model:
        return _unknown("the answer did not say which model served it")
    if input_tokens is None or output_tokens is None:
        return _unknown("the answer did not say how many tokens it took")
    if input_tokens < 0 or output_tokens < 0:
        return _unknown("the answer gave a negative number of tokens")
    from genai_prices import Usage, calc_price  # noqa: PLC0415  # 0.2 s, only where we price

    usage = Usage(
        input_tokens=input_tokens, cache_read_tokens=cached_tokens, output_tokens=output_tokens
    )
    try:
        if provider is not None:
            found = calc_price(usage, model, provider_id=provider, genai_request_timestamp=at)
        else:
            found = calc_price(
                usage, model, provider_api_url=endpoint, genai_request_timestamp=at
            )
    except LookupError:
        return _unknown(
            f"no list price for {model!r} at {provider or endpoint or 'any provider'}"
        )
    except ValueError as error:
        return _unknown(f"the list price of {model!r} needs more than token counts: {error}")
    return Price(cost=found.total_price, reason=f"{found.provider.id}/{found.model.id}")


def _unknown(reason: str) -> Price:
    return Price(cost=None, reason=reason)
