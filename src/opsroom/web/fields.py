"""FastAPI's fields, built when they are first used instead of when their route is declared.

FastAPI makes one pydantic `TypeAdapter` for each parameter, body and answer of each route as
the program is imported: some 1,600 of them here, a quarter of each start, of which a process
uses a few. It has no setting to put that off (0.165), so its class learns it here.
"""

from typing import Any

from fastapi._compat.v2 import ModelField

_ADAPTER = "_type_adapter"


class _Later:
    """The adapter of a field: built by FastAPI's own code, when somebody first asks for it."""

    def __init__(self, build: Any) -> None:
        self.build = build

    def __get__(self, field: Any, owner: type) -> Any:
        self.build(field)
        return field.__dict__[_ADAPTER]


def put_off() -> None:
    """Have the fields of routes that are declared from now on built at their first use."""
    field: Any = ModelField
    if not isinstance(field.__dict__.get(_ADAPTER), _Later):
        setattr(field, _ADAPTER, _Later(field.__post_init__))
        field.__post_init__ = _put_off


def _put_off(_: Any) -> None:
    pass
