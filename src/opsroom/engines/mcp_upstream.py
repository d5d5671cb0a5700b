"""MCP servers as we call them: sessions over streamable HTTP, through the one way out.

A session is opened when it is first needed and kept. Nothing is sent twice on our own
account: where it is not certain whether a call arrived, the caller is told so, and only what
surely never arrived is called unreachable.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

import opsroom
from opsroom.contracts.model import Mcp
from opsroom.gateway.model import SeenTool
from opsroom.kit import outbound
from opsroom.kit.errors import Invalid, OpsroomError, Unavailable
from opsroom.kit.texts import changed as rewritten
from opsroom.vault import Opened, Secrets, from_environment

FRESH = 5.0  # seconds for which what a server offers is believed
OPENING = 10.0
PAGES = 50  # of a list of tools
SESSION_GONE = "Session terminated"

T = TypeVar("T")


@dataclass(eq=False)
class McpUnreachable(Unavailable):
    code = "mcp_unreachable"
    text = "the MCP server at {0.url!r} could not be asked: {0.why}"
    hint = "nothing was done there; check that it runs and that opsroom may call it"
    url: str
    why: str


@dataclass(eq=False)
class McpUncertain(Unavailable):
    code = "mcp_uncertain"
    text = "the MCP server at {0.url!r} was asked, and no answer came: {0.why}"
    hint = "it may have done it; find out there before anybody asks again"
    url: str
    why: str


@dataclass(eq=False)
class McpRefused(Invalid):
    code = "mcp_refused"
    text = "the MCP server at {0.url!r} refused the call: {0.why}"
    hint = "it did nothing; compare the contract with what the server expects"
    url: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class McpAnswer:
    """What a tool answered: content blocks as they came, structured content if there was any."""

    content: list[dict[str, Any]]
    structured: Any = None
    failed: bool = False

    @property
    def text(self) -> str:
        return "\n".join(str(one["text"]) for one in self.content if one.get("type") == "text")


@dataclass(slots=True)
class _Session:
    """One open connection, and the task that holds it open."""

    client: Client
    closing: asyncio.Event
    task: asyncio.Task[None]
    secret: Opened | None
    lists: tuple[float, Mapping[str, SeenTool]] | None = None


class McpUpstreams:
    """Satisfies `opsroom.gateway.ports.Upstreams`. For one event loop; close it at the end."""

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        secrets: Secrets | None = None,
        limits: outbound.Limits | None = None,
        fresh: float = FRESH,
    ) -> None:
        self._allow = tuple(allow)
        self._secrets = secrets or from_environment()
        self._limits = limits or outbound.Limits()
        self._fresh = fresh
        self._sessions: dict[tuple[str, str], _Session] = {}
        self._opening = asyncio.Lock()

    async def seen(self, executor: Mcp) -> Mapping[str, SeenTool]:
        """What a server offers now, by name; at most `fresh` seconds old."""
        if (found := self.known(executor)) is not None:
            return found

        async def ask(client: Client) -> dict[str, SeenTool]:
            return {tool.name: tool for tool in await _every_tool(client)}

        began = time.monotonic()
        tools = await self._ask(executor, ask, uncertain=False)
        if (now := self._sessions.get(_key(executor))) is not None:
            now.lists = (began, tools)
        return tools

    def known(self, executor: Mcp) -> Mapping[str, SeenTool] | None:
        """What a server offered a moment ago, if that is fresh enough; from any thread."""
        session = self._sessions.get(_key(executor))
        if session is None or session.lists is None:
            return None
        at, tools = session.lists
        return tools if time.monotonic() - at < self._fresh else None

    async def call(
        self,
        executor: Mcp,
        arguments: Mapping[str, Any],
        *,
        key: str = "",
        seconds: float = 30.0,
    ) -> McpAnswer:
        """Call a tool, once. `key` goes along as `opsroom/key` in `_meta`.

        Raises `McpUnreachable` where the call surely did not arrive, `McpRefused` where the
        server turned it down, and `McpUncertain` where nobody can say.
        """
        meta: Any = {"opsroom/key": key} if key else None

        async def ask(client: Client) -> CallToolResult:
            return await client.call_tool(
                executor.tool, dict(arguments), read_timeout_seconds=seconds, meta=meta
            )

        return _answer(await self._ask(executor, ask, uncertain=True))

    async def close(self) -> None:
        """End every session."""
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            session.closing.set()
        await asyncio.gather(*(one.task for one in sessions), return_exceptions=True)

    async def _ask(
        self, executor: Mcp, ask: Callable[[Client], Awaitable[T]], *, uncertain: bool
    ) -> T:
        for attempt in (1, 2):
            session = await self._session(executor)
            try:
                return _without(session.secret, await ask(session.client))
            except MCPError as error:
                if error.message == SESSION_GONE and attempt == 1:
                    await self._drop(executor, session)  # refused before anything was done
                    continue
                why = _without(session.secret, error.message)
                if uncertain and _no_answer(error):
                    await self._drop(executor, session)
                    raise McpUncertain(executor.url, why) from error
                raise McpRefused(executor.url, why) from error
            except (httpx2.HTTPError, OpsroomError, OSError, TimeoutError) as error:
                await self._drop(executor, session)
                kind = McpUncertain if uncertain else McpUnreachable
                raise kind(executor.url, str(error) or type(error).__name__) from error
            except RuntimeError as error:  # the session ended under us
                await self._drop(executor, session)
                raise McpUncertain(executor.url, str(error)) from error
        raise McpUnreachable(executor.url, SESSION_GONE.lower())

    async def _session(self, executor: Mcp) -> _Session:
        secret = await self._secret(executor)
        found = self._sessions.get(_key(executor))
        if found is not None and found.secret != secret:  # it was rotated
            await self._drop(executor, found)
        elif found is not None and not found.task.done():
            return found
        async with self._opening:
            found = self._sessions.get(_key(executor))
            if found is None or found.task.done():
                found = self._sessions[_key(executor)] = await self._open(executor, secret)
            return found

    async def _open(self, executor: Mcp, secret: Opened | None) -> _Session:
        outbound.check_url(executor.url, allow=self._allow)
        auth = None if secret is None else secret.at(executor.url)
        ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        closing = asyncio.Event()

        async def held() -> None:
            try:
                async with outbound.async_client(
                    allow=self._allow, limits=self._limits
                ) as http:
                    if auth is not None:
                        http.auth = auth
                    transport = streamable_http_client(executor.url, http_client=http)
                    async with Client(
                        transport, cache=None, client_info=_ourselves()
                    ) as client:
                        ready.set_result(client)
                        await closing.wait()
            except BaseException as error:
                if not ready.done():
                    ready.set_exception(McpUnreachable(executor.url, _why(error)))
                elif not closing.is_set():
                    raise

        task = asyncio.create_task(held(), name=f"mcp {executor.url}")
        task.add_done_callback(_noted)
        try:
            async with asyncio.timeout(OPENING):
                client = await asyncio.shield(ready)
        except TimeoutError as error:
            task.cancel()
            raise McpUnreachable(executor.url, f"no answer within {OPENING:g} s") from error
        return _Session(client=client, closing=closing, task=task, secret=secret)

    async def _drop(self, executor: Mcp, session: _Session) -> None:
        if self._sessions.get(_key(executor)) is session:
            del self._sessions[_key(executor)]
        session.closing.set()

    async def _secret(self, executor: Mcp) -> Opened | None:
        if not executor.secret:
            return None
        return await asyncio.to_thread(self._secrets, executor.secret)


async def listed(
    url: str, *, secret: str = "", allow: Iterable[str] = (), **how: Any
) -> list[SeenTool]:
    """What the server at `url` offers, for an import. Raises as `McpUpstreams` does."""
    upstreams = McpUpstreams(allow=allow, **how)
    try:
        return list((await upstreams.seen(Mcp(url=url, tool="", secret=secret))).values())
    finally:
        await upstreams.close()


async def _every_tool(client: Client) -> list[SeenTool]:
    tools: list[SeenTool] = []
    cursor: str | None = None
    for _ in range(PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += [
            SeenTool(
                name=tool.name,
                description=tool.description or "",
                input=tool.input_schema,
                output=tool.output_schema,
            )
            for tool in page.tools
        ]
        cursor = page.next_cursor
        if not cursor:
            return tools
    return tools


def _answer(result: CallToolResult) -> McpAnswer:
    content = [
        block.model_dump(mode="json", by_alias=True, exclude_none=True)
        for block in result.content
    ]
    return McpAnswer(
        content=content, structured=result.structured_content, failed=result.is_error
    )


def _no_answer(error: MCPError) -> bool:
    """Whether an error stands for silence: ours for a time-out or a broken connection, or a
    server that broke down while it was at it.
    """
    return error.code in {-32603, -32000, -32001, -32002} or "imed out" in error.message


def _without(secret: Opened | None, told: T) -> T:
    """What a server told us, without the secret that it got from us."""
    if secret is None:
        return told
    if isinstance(told, CallToolResult):
        kept = rewritten(told.model_dump(mode="json", by_alias=True), secret.scrub)
        return type(told).model_validate(kept)
    return secret.scrub(told) if isinstance(told, str) else told  # type: ignore[return-value]


def _key(executor: Mcp) -> tuple[str, str]:
    return executor.url, executor.secret


def _ourselves() -> Any:
    from mcp_types import Implementation  # noqa: PLC0415

    return Implementation(name="opsroom", version=opsroom.__version__)


def _why(error: BaseException) -> str:
    """The innermost reason of what a group of tasks failed with."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__


def _noted(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()  # whoever uses the session next hears of it
