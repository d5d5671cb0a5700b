"""What makes two calls the same call, and what a call spends."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from opsroom.kit.canonical import digest

from .model import ContractSpec
from .pointers import found


def key_of(spec: ContractSpec, arguments: Mapping[str, Any]) -> str:
    """The idempotency key that a contract's recipe gives these canonical arguments; empty
    where it has none.
    """
    if not spec.key:
        return ""
    return digest(
        {
            "tool": spec.tool,
            "of": {
                pointer: [one for _, one in found(arguments, pointer)] for pointer in spec.key
            },
        }
    )


def amount_of(spec: ContractSpec, arguments: Mapping[str, Any]) -> Decimal | None:
    """The amount in US dollars that a call moves, where the contract says which argument it is.

    Several, as in a batch, are added up; a negative one counts as what it moves.
    """
    if not spec.spends:
        return None
    amounts = [
        abs(Decimal(str(one)))
        for _, one in found(arguments, spec.spends)
        if isinstance(one, int | float) and not isinstance(one, bool)
    ]
    return sum(amounts, Decimal(0)) if amounts else None
