"""Actions as the tools of other frameworks. Whoever calls one goes through the gate.

The call belongs to the turn it is made in (`opsroom.turn`). A model that may not go on is told
so in plain words with the facts beside them; where a framework has its own way of waiting for
people, that is used instead.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .driving import Protocol, arun, run
from .outcomes import (
    Deferred,
    Denied,
    Done,
    Failed,
    Outcome,
    Pending,
    Recommended,
    Unknown,
)
from .turns import Turn, current

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool
    from mcp.types import CallToolResult
    from mcp.types import Tool as McpTool
    from pydantic_ai import DeferredToolRequests, DeferredToolResults, RunContext
    from pydantic_ai import Tool as PydanticAiTool

    from agents import FunctionTool

    from .acting import AnyAction
    from .approvals import Time

DESTRUCTIVE = frozenset({"irreversible", "credential", "external"})


def told(action: "AnyAction", outcome: Outcome[Any]) -> Any:
    """An outcome as a model is told of it: the result itself, or what stands in its place."""
    match outcome:
        case Done(value):
            return action.shape.told(value)
        case Denied(reason, reasons, by):
            said = "This was refused and not done. Do not try it in another way."
            if by == "unreachable":
                said = "This was not done: nobody could be asked whether it may be."
            facts = {"status": "denied", "by": by, "reason": reason, "reasons": list(reasons)}
        case Pending(id_, url):
            said = "This was not done yet: it waits for a person's approval. Do not repeat it."
            facts = {"status": "waiting_for_approval", "action": id_, "url": url}
        case Unknown(id_, because):
            said = "It is not known whether this was done. Do not repeat it; a person will find out."
            facts = {"status": "unknown", "action": id_, "reason": because}
        case Failed(error, id_):
            said = "This was tried and failed; nothing was done."
            facts = {"status": "failed", "action": id_, "error": error}
        case Recommended(id_):
            said = "This was noted as a recommendation and not done."
            facts = {"status": "recommended", "action": id_}
        case Deferred(until, because, id_):
            said = "This may not be done now."
            facts = {"status": "deferred", "action": id_, "reason": because}
            if until is not None:
                facts["until"] = until.isoformat()
    return {**facts, "message": said}


# OpenAI


def openai_tool(action: "AnyAction", api: Literal["chat", "responses"]) -> dict[str, Any]:
    function = {
        "name": action.tool,
        "description": action.description,
        "parameters": action.spec().input,
    }
    if api == "responses":
        return {"type": "function", **function}
    return {"type": "function", "function": function}


async def answer_tool_calls(
    calls: Iterable[Any], actions: Sequence["AnyAction"]
) -> list[dict[str, Any]]:
    """Carry out what a model called for, one call after the other, and answer each.

    `calls` are the `tool_calls` of a chat message, or the `function_call` items of a response;
    the answers go into the next request as they are.
    """
    return [await arun(_answered(one, actions)) for one in calls]


def answer_tool_calls_sync(
    calls: Iterable[Any], actions: Sequence["AnyAction"]
) -> list[dict[str, Any]]:
    return [run(_answered(one, actions)) for one in calls]


def _answered(call: Any, actions: Sequence["AnyAction"]) -> Protocol[dict[str, Any]]:
    """One call and its answer, in the form that it came in."""
    call = call if isinstance(call, Mapping) else call.model_dump()
    called = call.get("function") or call
    name, text = str(called["name"]), called.get("arguments") or "{}"
    said = yield from _called(name, text, actions)
    content = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    if "call_id" in call:
        return {"type": "function_call_output", "call_id": call["call_id"], "output": content}
    return {"role": "tool", "tool_call_id": call["id"], "content": content}


def _called(name: str, text: str, actions: Sequence["AnyAction"]) -> Protocol[Any]:
    action = next((one for one in actions if one.tool == name), None)
    if action is None:
        known = ", ".join(one.tool for one in actions)
        return _refusal(f"there is no tool {name!r}; there are {known}")
    try:
        arguments = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except ValueError as error:
        return _refusal(f"the arguments are no JSON object: {error}")
    if not isinstance(arguments, dict):
        return _refusal("the arguments are no JSON object")
    return told(action, (yield from current(name).proposing(action, arguments)))


def _refusal(reason: str) -> dict[str, Any]:
    return {"status": "denied", "by": "contract", "reason": reason}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Arguments in which every name stands once: two readers could take two values otherwise."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


# OpenAI Agents


def openai_agents_tool(action: "AnyAction") -> "FunctionTool":
    from agents import FunctionTool

    async def call(_context: Any, arguments: str) -> Any:
        return await arun(_called(action.tool, arguments, [action]))

    return FunctionTool(
        name=action.tool,
        description=action.description,
        params_json_schema=action.spec().input,
        on_invoke_tool=call,
        strict_json_schema=False,  # the schema is the contract's, and what was approved
    )


# Pydantic AI


def pydantic_ai_tool(action: "AnyAction") -> "PydanticAiTool[Any]":
    from pydantic_ai import ApprovalRequired, Tool

    async def call(ctx: "RunContext[Any]", **arguments: Any) -> Any:
        turn = current(action.tool)
        if ctx.tool_call_approved and ctx.tool_call_metadata:
            outcome = await turn.resume(ctx.tool_call_metadata["action"], action)
        else:
            outcome = await turn.act(action, arguments)
        if isinstance(outcome, Pending):
            raise ApprovalRequired(
                {"action": outcome.id, "request": outcome.request, "url": outcome.url}
            )
        return told(action, outcome)

    return Tool.from_schema(
        call, action.tool, action.description, action.spec().input, takes_ctx=True
    )


async def deferred_results(
    requests: "DeferredToolRequests",
    timeout: "Time" = None,  # noqa: ASYNC109  # hours, and of people
) -> "DeferredToolResults":
    """Wait for the people whom an agent's run waits for, and bring their answers in the form
    that the next run takes. What nobody has answered within `timeout` is denied.
    """
    import asyncio

    from pydantic_ai import DeferredToolResults, ToolApproved, ToolDenied

    from . import approval

    waiting = [one.tool_call_id for one in requests.approvals]
    facts = {one: dict(requests.metadata[one]) for one in waiting}
    answers = await asyncio.gather(
        *(approval(facts[one]["request"]).wait(timeout) for one in waiting)
    )
    approvals: dict[str, Any] = {}
    for one, answer in zip(waiting, answers, strict=True):
        said = answer.text or answer.reason or f"it is {answer.state}"
        approvals[one] = ToolApproved() if answer.approved else ToolDenied(said)
    return DeferredToolResults(approvals=approvals, metadata=facts)


# LangChain


def langchain_tool(action: "AnyAction") -> "StructuredTool":
    async def acall(**arguments: Any) -> Any:
        return told(action, await current(action.tool).act(action, arguments))

    def call(**arguments: Any) -> Any:
        return told(action, current(action.tool).act_sync(action, arguments))

    return _structured(action, call, acall)


def _structured(
    action: "AnyAction", call: Callable[..., Any], acall: Callable[..., Any]
) -> "StructuredTool":
    from langchain_core.tools import StructuredTool

    return StructuredTool.from_function(
        func=call,
        coroutine=acall,
        name=action.tool,
        description=action.description or action.tool,
        args_schema=action.spec().input,
    )


# LangGraph


def langgraph_tool(action: "AnyAction") -> "StructuredTool":
    from langgraph.types import interrupt

    async def acall(**arguments: Any) -> Any:
        turn = current(action.tool)
        outcome = await turn.act(action, arguments, key=_step(action, arguments))
        while isinstance(outcome, Pending):
            interrupt(_waiting(action, arguments, outcome))
            outcome = await turn.resume(outcome.id, action)
        return told(action, outcome)

    def call(**arguments: Any) -> Any:
        turn = current(action.tool)
        outcome = turn.act_sync(action, arguments, key=_step(action, arguments))
        while isinstance(outcome, Pending):
            interrupt(_waiting(action, arguments, outcome))
            outcome = turn.resume_sync(outcome.id, action)
        return told(action, outcome)

    return _structured(action, call, acall)


def _step(action: "AnyAction", arguments: Mapping[str, Any]) -> str:
    """Names a call by the step of the graph that it is made in: a graph that goes on runs the
    step from its beginning, and then means the same call, in whatever process and turn.
    """
    from langgraph.config import get_config

    from opsroom.kit.canonical import digest

    place = get_config().get("configurable", {})
    where = [str(place.get("thread_id", "")), str(place.get("checkpoint_ns", ""))]
    return "langgraph-" + digest([*where, action.tool, dict(arguments)])


def _waiting(
    action: "AnyAction", arguments: Mapping[str, Any], outcome: Pending
) -> dict[str, Any]:
    """What a graph that stopped shows to whoever runs it."""
    return {
        "action": outcome.id,
        "request": outcome.request,
        "url": outcome.url,
        "tool": action.tool,
        "arguments": dict(arguments),
    }


# MCP


def mcp_tool(action: "AnyAction") -> "McpTool":
    from mcp.types import Tool, ToolAnnotations

    spec = action.spec()
    return Tool(
        name=action.tool,
        description=action.description,
        input_schema=spec.input,
        annotations=ToolAnnotations(
            read_only_hint=action.read_only,
            destructive_hint=action.risk in DESTRUCTIVE and not action.reversible,
            idempotent_hint=action.repeatable,
            open_world_hint=action.risk == "external",
        ),
    )


async def answer_mcp_call(
    name: str,
    arguments: Mapping[str, Any] | None,
    actions: Sequence["AnyAction"],
    *,
    turn: Turn | None = None,
) -> "CallToolResult":
    """Carry out a `tools/call`, and answer it. A server that serves many callers names the
    `turn` that the call belongs to; otherwise it is the one that this code runs in.
    """
    from mcp.types import CallToolResult, TextContent

    action = next((one for one in actions if one.tool == name), None)
    if action is None:
        said: Any = _refusal(f"there is no tool {name!r}")
        done = False
    else:
        outcome = await (turn or current(name)).act(action, dict(arguments or {}))
        said, done = told(action, outcome), isinstance(outcome, Done)
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=said if isinstance(said, dict) else None,
        is_error=not done,
    )
