"""The MCP door: one low-level server for all agents, spoken to over streamable HTTP.

Every request stands alone: it brings the agent's token, is answered with JSON, and may reach
any process. What makes several calls one turn is a session id (older clients) or a name in
`_meta` (every client), and is kept in the database.
"""

import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

import opsroom
from opsroom.contracts.model import InProcess
from opsroom.kit.errors import OpsroomError
from opsroom.web.errors import told

from .model import explained, hints, read_meta
from .visiting import SESSION, TURN, Act, Call, Visit
from .watching import Contract, Watch

VISIT = "opsroom.visit"


class Door:
    """Lists an agent's tools and puts its calls before the gate. `act` is the gate."""

    def __init__(self, watch: Watch, act: Act) -> None:
        self._watch = watch
        self._act = act
        self._server: Server[Any] = Server(
            "opsroom",
            version=opsroom.__version__,
            instructions="Every call passes a gate; some wait for a person to approve them.",
            on_list_tools=self._list,
            on_call_tool=self._call,
            # Contracts map no arguments to headers, so there is nothing to compare them with.
            get_tool_input_schema=lambda _: None,
        )
        self._manager = StreamableHTTPSessionManager(
            self._server, json_response=True, stateless=True
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Answer for as long as this lasts; once in the life of a door."""
        async with self._manager.run():
            yield

    def answer(self, visit: Visit) -> Response:
        """The answer to the request that `visit` came with."""
        return _HandedOver(self._manager, visit)

    async def _list(
        self, ctx: ServerRequestContext[Any, Request], _: PaginatedRequestParams | None
    ) -> ListToolsResult:
        visit = _visit(ctx)
        reachable = {
            tool: one
            for tool, one in visit.manifest.contracts.items()
            if not isinstance(one[1].executor, InProcess)
        }
        trusted = await self._watch.trusted(visit.actor, reachable)
        return ListToolsResult(tools=[_shown(one) for one in trusted])

    async def _call(
        self, ctx: ServerRequestContext[Any, Request], params: CallToolRequestParams
    ) -> CallToolResult:
        visit = _visit(ctx)
        header = ctx.request.headers.get(TURN, "") if ctx.request else ""
        meta = read_meta(ctx.meta, header)
        try:
            found = visit.manifest.contracts.get(params.name)
            if found is not None:
                if isinstance(found[1].executor, InProcess):
                    return _told({"kind": "execute"}, "")
                await self._watch.check(visit.actor, *found)
            call = Call(tool=params.name, arguments=params.arguments or {}, meta=meta)
            acted = await self._act(visit, call)
        except OpsroomError as error:
            return _refused(error)
        return _told(acted.outcome, acted.turn)


class _HandedOver(Response):
    """An answer that the protocol's own server writes."""

    def __init__(self, manager: StreamableHTTPSessionManager, visit: Visit) -> None:
        super().__init__()
        self._manager = manager
        self._visit = visit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[VISIT] = self._visit
        names = {name for name, _ in scope["headers"]}
        if SESSION.encode() not in names and b"mcp-protocol-version" not in names:
            body = await Request(scope, receive).body()
            receive = _again(body, receive)
            if _opens(body):
                send = _with_session(send)
        await self._manager.handle_request(scope, receive, send)


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read once more."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> Message:
        return waiting.pop() if waiting else await receive()

    return read


def _opens(body: bytes) -> bool:
    """Whether a request opens a session, as clients before 2026-07-28 do."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(asked, dict) and asked.get("method") == "initialize"


def _with_session(send: Send) -> Send:
    """Give an older client a name for its conversation; it sends it back with each call."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            named = (SESSION.encode(), uuid.uuid4().hex.encode())
            message = {**message, "headers": [*message["headers"], named]}
        await send(message)

    return sent


def _visit(ctx: ServerRequestContext[Any, Request]) -> Visit:
    assert ctx.request is not None, "every request comes over HTTP"
    visit: Visit = ctx.request.scope[VISIT]
    return visit


def _shown(contract: Contract) -> Tool:
    _, spec = contract
    return Tool(
        name=spec.tool,
        description=spec.description,
        input_schema=spec.input,
        annotations=ToolAnnotations.model_validate(hints(spec)),
    )


def _told(outcome: Mapping[str, Any], turn: str) -> CallToolResult:
    """A result for what was done, and an error that explains itself for everything else."""
    about = {"opsroom/turn": turn, "opsroom/action": str(outcome.get("id", ""))}
    if outcome["kind"] != "done":
        words = explained(outcome)
        return CallToolResult(
            content=[TextContent(text=words)],
            structured_content={**outcome, "message": words},
            is_error=True,
            _meta=about,
        )
    result = outcome.get("result")
    return CallToolResult(
        content=_content(result),
        structured_content=result if isinstance(result, dict) else None,
        _meta=about,
    )


def _content(result: Any) -> list[Any]:
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    return [TextContent(text=text)]


def _refused(error: OpsroomError) -> CallToolResult:
    facts = told(error)
    words = f"Refused: {facts['message']}. {facts['hint']}".strip()
    return CallToolResult(
        content=[TextContent(text=words)],
        structured_content={"kind": "error", **facts},
        is_error=True,
    )
