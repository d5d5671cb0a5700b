"""Whether a value fits a schema: JSON Schema 2020-12, offline, compiled once per schema.

Nothing is ever fetched: a `$ref` that leads out of the schema makes it a bad one.
"""

import json
from functools import lru_cache
from typing import Any

import jsonschema_rs

from opsroom.kit.canonical import NotCanonical, canonical

from .errors import BadContract, BrokenResult
from .model import ContractSpec

KEPT = 2048
MOST_WORDS = 300


class Checker:
    """A compiled schema."""

    def __init__(self, schema: Any) -> None:
        self._validator = jsonschema_rs.Draft202012Validator(
            schema,
            offline=True,
            validate_formats=False,
            # The default engine backtracks: a pattern of the schema could take for ever.
            pattern_options=jsonschema_rs.RegexOptions(),
        )

    def wrong(self, value: Any) -> tuple[str, str] | None:
        """The first place where `value` does not fit, and why; None where it fits."""
        if self._validator.is_valid(value):
            return None
        error = next(iter(self._validator.iter_errors(value)))
        place = "".join(f"/{step}" for step in error.instance_path)
        return place or "/", error.message[:MOST_WORDS]

    def kinds(self, value: Any) -> list[str]:
        """Which rules of the schema `value` breaks, by their names."""
        return [error.kind.name for error in self._validator.iter_errors(value)]


@lru_cache(maxsize=KEPT)
def _compiled(text: bytes) -> Checker:
    return Checker(json.loads(text))


def checker(schema: Any, *, tool: str, place: str = "input") -> Checker:
    """The checker of a schema. Raises `BadContract` for one that is none."""
    try:
        return _compiled(canonical(schema))
    except (
        jsonschema_rs.ValidationError,
        jsonschema_rs.ReferencingError,
        NotCanonical,
        ValueError,
    ) as error:
        raise BadContract(tool, place, str(error).splitlines()[0][:MOST_WORDS]) from error


def check_result(spec: ContractSpec, value: Any) -> None:
    """Raise `BrokenResult` where an answer is not what the contract promises."""
    if spec.output is None:
        return
    if wrong := checker(spec.output, tool=spec.tool, place="output").wrong(value):
        raise BrokenResult(spec.tool, *wrong)
