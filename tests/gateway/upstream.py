"""A real MCP server on a loopback port, whose tools a test may change under our feet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool
from tests.browser import serving

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


class Upstream:
    """Tools by name, and the calls that reached them."""

    def __init__(self) -> None:
        self.tools = {"look": "Look up a city.", "hidden": "Nobody approved this."}
        self.schema: dict[str, Any] = SCHEMA
        self.calls: list[tuple[str, Any]] = []
        self.url = ""

    async def list(self, _ctx: Any, _params: Any) -> ListToolsResult:
        return ListToolsResult(
            tools=[
                Tool(name=name, description=about, input_schema=self.schema)
                for name, about in self.tools.items()
            ]
        )

    async def call(self, _ctx: Any, params: Any) -> CallToolResult:
        self.calls.append((params.name, params.arguments))
        city = (params.arguments or {}).get("city", "")
        if city == "nowhere":
            return CallToolResult(content=[TextContent(text="no such city")], is_error=True)
        return CallToolResult(content=[TextContent(text=f"{city} is a city")])


@contextmanager
def upstream() -> Iterator[Upstream]:
    there = Upstream()
    server: Server[Any] = Server("cities", on_list_tools=there.list, on_call_tool=there.call)
    app = server.streamable_http_app(
        json_response=True,
        stateless_http=True,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    with serving(app) as base:
        there.url = f"{base}/mcp"
        yield there
