"""List prices: exact, of the day, and unknown rather than wrong."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from opsroom.models.prices import price

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_a_known_model_has_its_list_price() -> None:
    known = price("gpt-4o-2024-11-20", input_tokens=1000, output_tokens=100, at=NOW)
    assert known.cost == Decimal("0.0035")
    assert known.reason == "openai/gpt-4o"


def test_the_day_of_the_call_decides() -> None:
    """The list lowered claude-opus-4-6's price for long prompts on 2026-03-13."""
    before = datetime(2026, 3, 1, tzinfo=UTC)
    long = {"input_tokens": 500_000, "output_tokens": 100}
    then = price("claude-opus-4-6", at=before, **long).cost  # type: ignore[arg-type]
    now = price("claude-opus-4-6", at=NOW, **long).cost  # type: ignore[arg-type]
    assert then is not None
    assert now is not None
    assert now < then


def test_cached_input_is_cheaper() -> None:
    whole = price("gpt-4o", input_tokens=1000, output_tokens=0, at=NOW).cost
    cached = price("gpt-4o", input_tokens=1000, cached_tokens=500, output_tokens=0, at=NOW).cost
    assert whole == Decimal("0.0025")
    assert cached == Decimal("0.001875")


def test_the_address_names_the_provider() -> None:
    official = price(
        "gpt-4o",
        input_tokens=1000,
        output_tokens=100,
        at=NOW,
        endpoint="https://api.openai.com/v1",
    )
    assert official.cost == Decimal("0.0035")
    own = price(
        "gpt-4o", input_tokens=1, output_tokens=1, at=NOW, endpoint="http://127.0.0.1:8000/v1"
    )
    assert own.cost is None
    assert "127.0.0.1" in own.reason


@pytest.mark.parametrize(
    ("model", "tokens_in", "tokens_out", "why"),
    [
        (None, 1, 1, "which model"),
        ("", 1, 1, "which model"),
        ("our-own-finetune", 1, 1, "no list price for 'our-own-finetune'"),
        ("gpt-4o", None, 1, "how many tokens"),
        ("gpt-4o", 1, None, "how many tokens"),
        ("gpt-4o", -1, 1, "negative"),
    ],
)
def test_what_is_not_known_is_not_zero(
    model: str | None, tokens_in: int | None, tokens_out: int | None, why: str
) -> None:
    unknown = price(model, input_tokens=tokens_in, output_tokens=tokens_out, at=NOW)
    assert unknown.cost is None
    assert why in unknown.reason
