"""What stands behind the MCP door."""

from collections.abc import Mapping
from typing import Protocol

from opsroom.contracts.model import Mcp

from .model import SeenTool


class Upstreams(Protocol):
    """MCP servers that contracts lead to."""

    async def seen(self, executor: Mcp) -> Mapping[str, SeenTool]:
        """What a server offers now, by name; a few seconds old at most.

        Raises an `Unavailable` where it does not answer, `BadAddress` where it may not be
        asked.
        """
        ...
