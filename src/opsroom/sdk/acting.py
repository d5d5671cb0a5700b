"""Actions: functions that agents may call, each with its contract.

    @opsroom.action("post_invoice", risk="irreversible", idempotent_on=("po", "amount"))
    async def post_invoice(invoice: Invoice) -> Posted: ...

Calling one plainly is calling the function, as tests do. What agents call goes through
`turn.act`, or through one of the adapters, and so through the gate.
"""

import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import cached_property, update_wrapper
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    overload,
)

from .errors import BrokenAction
from .signatures import Shape

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool
    from mcp.types import Tool as McpTool
    from pydantic_ai import Tool as PydanticAiTool

    from agents import FunctionTool
    from opsroom.contracts.model import ContractSpec

    from .client import Opsroom

P = ParamSpec("P")
R = TypeVar("R")  # what calling gives: for a coroutine function, something to await
T = TypeVar("T")  # what comes of it

Risk: TypeAlias = Literal["read", "write", "irreversible", "credential", "external"]
Returns: TypeAlias = Literal["record", "mixed", "untrusted"]
FIRST_REST, LONGEST_REST = 0.5, 30.0


class Action(Generic[P, R, T]):
    """A function with its contract. Made by `@opsroom.action`."""

    __name__: str

    def __init__(
        self,
        function: Callable[P, R],
        tool: str,
        *,
        version: int | None = None,
        risk: Risk = "write",
        idempotent_on: Sequence[str] = (),
        idempotent: bool = False,
        reversible: str = "",
        timeout: float = 30.0,
        retries: int = 0,
        lookup: Callable[..., Any] | None = None,
        description: str = "",
        returns: "Returns | None" = None,
    ) -> None:
        self.tool = tool
        self.version = version
        self.risk: Risk = risk
        self.idempotent_on = tuple(idempotent_on)
        self.idempotent = idempotent or retries > 0
        self.reversible = reversible
        self.timeout = timeout
        self.retries = retries
        self.lookup = lookup
        self.description = description or inspect.getdoc(function) or ""
        self.returns: Returns | None = returns
        self.function = function
        self.awaits = inspect.iscoroutinefunction(function)
        self.shape = Shape(tool, function)
        if retries < 0 or timeout <= 0:
            raise BrokenAction(tool, "it needs a time-out above 0, and no fewer than 0 retries")
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself, past every gate: for tests, and for other code of yours."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<action {self.reference}>"

    @property
    def reference(self) -> str:
        """The contract that this code implements: exactly, if it says which version."""
        return self.tool if self.version is None else f"{self.name}@{self.version}"

    @property
    def name(self) -> str:
        """What its contract is stored as."""
        from opsroom.contracts.naming import stored_as

        return stored_as(self.tool)

    @property
    def read_only(self) -> bool:
        return self.risk == "read"

    @property
    def repeatable(self) -> bool:
        """Whether running it again does no further harm."""
        return self.idempotent or self.read_only

    def rest(self, attempt: int) -> float:
        """How many seconds to wait after the `attempt`-th failure."""
        return min(FIRST_REST * 2.0 ** (attempt - 1), LONGEST_REST)

    def spec(self) -> "ContractSpec":
        """Its contract, as it would be stored."""
        return self._spec

    @cached_property
    def _spec(self) -> "ContractSpec":
        from opsroom.contracts.infer import trust_of
        from opsroom.contracts.model import ContractSpec, Effects, InProcess, Retry, Tier, Trust

        taken = self.shape.input_schema()
        return ContractSpec(
            tool=self.tool,
            description=self.description,
            input=taken,
            output=self.shape.output_schema(),
            risk=Tier(self.risk),
            effects=Effects(
                read_only=self.read_only,
                idempotent=self.repeatable,
                reversible=self.reversible,
            ),
            key=tuple(f"/{one}" for one in self.idempotent_on),
            timeout=self.timeout,
            retry=Retry(
                attempts=self.retries + 1, first=FIRST_REST, factor=2.0, longest=LONGEST_REST
            ),
            returns=Trust(self.returns)
            if self.returns
            else trust_of(self.tool, self.description, taken),
            executor=InProcess(),
        )

    def as_openai_tool(self, api: Literal["chat", "responses"] = "chat") -> dict[str, Any]:
        """The tool for `tools=[…]` of chat completions or of the responses API. Answer its
        calls with `opsroom.answer_tool_calls`.
        """
        from .adapters import openai_tool

        return openai_tool(self, api)

    def as_pydantic_ai(self) -> "PydanticAiTool[Any]":
        """A tool for `Agent(tools=[…])`. What needs approval becomes a deferred call."""
        from .adapters import pydantic_ai_tool

        return pydantic_ai_tool(self)

    def as_openai_agents(self) -> "FunctionTool":
        """A tool for OpenAI Agents."""
        from .adapters import openai_agents_tool

        return openai_agents_tool(self)

    def as_langchain(self) -> "StructuredTool":
        """A tool for LangChain; a call that waits for people is answered as waiting."""
        from .adapters import langchain_tool

        return langchain_tool(self)

    def as_langgraph(self) -> "StructuredTool":
        """A tool for the steps of a graph: a call that waits for people interrupts the graph,
        and is carried out, or refused, when the graph goes on after the decision. The same call
        twice in one step is one call.
        """
        from .adapters import langgraph_tool

        return langgraph_tool(self)

    def as_mcp(self) -> "McpTool":
        """What an MCP server lists. Answer its calls with `opsroom.answer_mcp_call`."""
        from .adapters import mcp_tool

        return mcp_tool(self)


AnyAction: TypeAlias = Action[Any, Any, Any]


class Decorator(Protocol):
    """Makes an action of a function, and knows what comes of awaiting one."""

    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, T]], /
    ) -> Action[P, Coroutine[Any, Any, T], T]: ...
    @overload
    def __call__(self, function: Callable[P, T], /) -> Action[P, T, T]: ...


def action(
    name: str,
    *,
    version: int | None = None,
    risk: Risk = "write",
    idempotent_on: Sequence[str] = (),
    idempotent: bool = False,
    reversible: str = "",
    timeout: float = 30.0,
    retries: int = 0,
    lookup: Callable[..., Any] | None = None,
    description: str = "",
    returns: Returns | None = None,
) -> Decorator:
    """Make an action of a function that takes keyword arguments, one model or one dataclass.

    `name` is what agents call it. With `version`, the gate refuses it where the agent's
    manifest cites another version of the contract. Calls that agree in the arguments
    `idempotent_on` are one call: it happens once. `idempotent` says that running it again
    does no further harm; so does asking for `retries`. `lookup` takes the same arguments,
    finds out whether a call of unknown outcome took effect, and returns its result, or None
    when it did not. `reversible` says until when it can be undone, in words. `timeout` is in
    seconds. `returns` says how far what comes back may be believed to name whom the user meant:
    a `record` of your own, `mixed` (short fields may, long texts may not; the default for what
    opens no address), or `untrusted`.
    """

    def decorate(function: Callable[..., Any], /) -> AnyAction:
        return Action(
            function,
            name,
            version=version,
            risk=risk,
            idempotent_on=idempotent_on,
            idempotent=idempotent,
            reversible=reversible,
            timeout=timeout,
            retries=retries,
            lookup=lookup,
            description=description,
            returns=returns,
        )

    return decorate


def push(client: "Opsroom", *actions: AnyAction, message: str = "") -> tuple[str, ...]:
    """Store the contracts of actions as versions, and cite each one exactly.

    A contract that is as it was makes no new version. Needs the permission to author.
    """
    from opsroom.kit.wire import plain

    path = "/v1/artifacts/contract"
    cited: list[str] = []
    for one in actions:
        client.post(path, {"name": one.name})
        body = {"spec": plain(one.spec()), "message": message}
        stored = client.post(f"{path}/{one.name}/versions", body)
        cited.append(f"{stored['name']}@{stored['number']}")
    return tuple(cited)


def by_tool(actions: Sequence[AnyAction]) -> Mapping[str, AnyAction]:
    return {one.tool: one for one in actions}
