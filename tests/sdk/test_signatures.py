"""How arguments travel: JSON both ways, and the function's own types where it is called."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from opsroom.sdk.errors import BrokenAction
from opsroom.sdk.signatures import Shape


class Invoice(BaseModel):
    supplier: str
    amount: Decimal
    note: str = "none"


@dataclass
class Slot:
    day: date
    hour: int = 9


def takes_model(invoice: Invoice) -> Invoice:
    return invoice


def takes_dataclass(*, slot: Slot) -> None: ...


def takes_keywords(amount: Decimal, day: date, copy: bool = False) -> None: ...


def test_only_what_was_given_is_proposed() -> None:
    shape = Shape("post", takes_model)
    given = Invoice(supplier="Acme", amount=Decimal("1.50"))
    assert shape.plain(given) == {"supplier": "Acme", "amount": "1.50"}
    assert shape.plain({"amount": Decimal("1.50"), "day": date(2026, 1, 2)}) == {
        "amount": "1.50",
        "day": "2026-01-02",
    }
    assert shape.plain(None) == {}


def test_a_model_is_called_with_itself() -> None:
    args, kwargs = Shape("post", takes_model).bind({"supplier": "Acme", "amount": "1.50"})
    assert args == (Invoice(supplier="Acme", amount=Decimal("1.50")),)
    assert kwargs == {}


def test_a_dataclass_may_be_a_keyword() -> None:
    bound = Shape("book", takes_dataclass).bind({"day": "2026-01-02"})
    assert bound == ((), {"slot": Slot(date(2026, 1, 2))})


def test_keywords_get_their_types_and_keep_their_defaults() -> None:
    bound = Shape("pay", takes_keywords).bind({"amount": "3", "day": "2026-01-02"})
    assert bound == ((), {"amount": Decimal(3), "day": date(2026, 1, 2)})


@pytest.mark.parametrize(
    "arguments",
    [
        {"amount": "3"},
        {"amount": "much", "day": "2026-01-02"},
        {"amount": "3", "day": "2026-01-02", "extra": 1},
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Shape("pay", takes_keywords).bind(arguments)


def test_limits_in_annotations_hold() -> None:
    def pay(amount: Annotated[int, Field(le=100)]) -> None: ...

    with pytest.raises(ValidationError):
        Shape("pay", pay).bind({"amount": 101})


def any_number(*values: int) -> None: ...


def any_name(**values: int) -> None: ...


def by_place(value: int, /) -> None: ...


def silent(value) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001  # that is the point


@pytest.mark.parametrize("function", [any_number, any_name, by_place, silent])
def test_a_function_that_cannot_be_described_is_refused(function: Any) -> None:
    with pytest.raises(BrokenAction):
        Shape("odd", function).bind({"value": 1})


def test_a_result_comes_back_as_what_it_was() -> None:
    shape = Shape("post", takes_model)
    value = Invoice(supplier="Acme", amount=Decimal("1.50"))
    assert shape.remembered(shape.told(value)) == value


def test_what_has_no_json_form_is_told_in_words() -> None:
    shape = Shape("post", takes_model)
    assert "object" in shape.told(object())
    assert shape.told(float("nan")) == "NaN"
    assert shape.remembered({"not": "an invoice"}) == {"not": "an invoice"}
