"""How the rest of opsroom asks a model."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from .model import ModelRequest, Output


class Model(Protocol):
    async def complete(self, request: ModelRequest) -> Output:
        """Answer `request`.

        Raises `ModelUnavailable`, `ModelRefused`, `ModelGarbled` or `NoRecording` when there
        is no answer; it never makes one up. Safe to call from many tasks at once.
        """
        ...


class Find(Protocol):
    """Finds a configured model by name, or raises `NoModelConfigured`."""

    def __call__(self, name: str) -> Model: ...


class Models(Protocol):
    """The models that can be asked live."""

    def opened(self) -> AbstractAsyncContextManager[Find]:
        """Connections for the time of one measurement, on the loop that runs it."""
        ...
