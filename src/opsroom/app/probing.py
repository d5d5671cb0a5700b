"""Who visits integrations: the prober, and MCP servers through the engine that speaks to them."""

import asyncio
from collections.abc import Sequence

from opsroom.integrations.differ import ToolFace
from opsroom.integrations.probing import Prober
from opsroom.vault import Secrets

from .settings import Settings


def prober(settings: Settings, secrets: Secrets) -> Prober:
    """Visits integrations as this installation may."""

    def listed(url: str, secret: str) -> Sequence[ToolFace]:
        from opsroom.engines import mcp_upstream  # noqa: PLC0415  # slow to load, seldom needed

        found = mcp_upstream.listed(
            url, secret=secret, allow=settings.allowed_hosts, secrets=secrets
        )
        return [
            ToolFace(
                name=one.name, description=one.description, input=one.input, output=one.output
            )
            for one in asyncio.run(found)
        ]

    return Prober(tools=listed, allow=settings.allowed_hosts, secrets=secrets)
