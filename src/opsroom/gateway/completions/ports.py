"""How a model behind a route is reached."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from opsroom.kit.outbound import Secret
from opsroom.models.route import Target

from .model import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request on its way: to which target, as which bytes, with which credential."""

    target: Target
    path: Path
    body: bytes
    secret: Secret | None = None
    stream: bool = False


class NotReached(Exception):
    """Nothing was sent: the connection was not made. Its text says why, without contents."""


class Broke(Exception):
    """The connection broke after something was sent, or more came than is read."""


class Incoming(Protocol):
    """An answer that has begun. `headers` are in lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, once. Raises `Broke`."""
        ...

    async def close(self) -> None:
        """Let go of it, read or not."""
        ...


class Providers(Protocol):
    async def send(self, sent: Sent) -> Incoming:
        """Send a request and wait for the answer to begin.

        Raises `NotReached` and `Broke`, and errors of ours for an address that is not called.
        """
        ...

    async def close(self) -> None: ...
