"""Actions as tools of other frameworks: each call passes the gate, and the model hears how."""

import asyncio
import json
from typing import Any

import pytest
from langchain_core.messages import ToolCall
from mcp.types import TextContent
from openai import OpenAI
from pydantic_ai import Agent, DeferredToolRequests, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, FunctionModel
from tests.model_server import ModelServer, say, tool_call
from tests.sdk.freight import EVERYTHING, World, post_invoice, read_invoice, send_note, tag

import opsroom
from opsroom.sdk.errors import NoTurn
from opsroom.testing import Room

NOTE = {"text": "hello"}


def call(name: str, arguments: Any) -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": text}}


def test_a_model_calls_and_is_answered(room: Room, clerk: str, world: World) -> None:
    """The loop of every program that uses chat completions."""
    with (
        ModelServer() as server,
        opsroom.turn(clerk, intent="note") as t,
        OpenAI(base_url=server.url, api_key="none") as model,
    ):
        server.next(
            say(None, tool_calls=[tool_call("read_invoice", '{"number": 7}')]), say("done")
        )
        messages: list[Any] = [{"role": "user", "content": "Read invoice 7."}]
        t.hear("Read invoice 7.")
        tools: Any = [one.as_openai_tool() for one in EVERYTHING]
        for _ in range(2):
            asked = model.chat.completions.create(
                model="gpt-5-mini", messages=messages, tools=tools
            )
            answer = asked.choices[0].message
            messages.append(answer)
            messages += opsroom.answer_tool_calls_sync(answer.tool_calls or [], EVERYTHING)
        sent = server.requests[1].body
    assert sent["messages"][-1] == {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": "invoice 7: Acme, 12.50",
    }
    assert sent["tools"][1]["function"]["parameters"]["required"] == ["number"]


def test_responses_are_answered_in_their_own_form(room: Room, clerk: str) -> None:
    item = {
        "type": "function_call",
        "call_id": "f1",
        "name": "read_invoice",
        "arguments": '{"number": 7}',
    }
    with opsroom.turn(clerk, intent="read"):
        (answer,) = opsroom.answer_tool_calls_sync([item], EVERYTHING)
    assert answer["type"] == "function_call_output"
    assert (answer["call_id"], answer["output"]) == ("f1", "invoice 7: Acme, 12.50")
    assert read_invoice.as_openai_tool("responses")["name"] == "read_invoice"


def test_what_waits_is_told_as_waiting(room: Room, clerk: str, world: World) -> None:
    with opsroom.turn(clerk, intent="note"):
        (answer,) = opsroom.answer_tool_calls_sync([call("send_note", NOTE)], EVERYTHING)
    told = json.loads(answer["content"])
    assert told["status"] == "waiting_for_approval"
    assert told["action"].startswith("act_")
    assert "/inbox" in told["url"]
    assert world.done == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("launch", {}),
        ("send_note", "not json"),
        ("send_note", "[1]"),
        ("send_note", '{"text": "a", "text": "b"}'),
        ("send_note", '{"text": NaN}'),
        ("send_note", {"text": 7.5}),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(
    trusting: Room, clerk: str, world: World, name: str, arguments: Any
) -> None:
    with opsroom.turn(clerk, intent="note"):
        (answer,) = opsroom.answer_tool_calls_sync([call(name, arguments)], EVERYTHING)
    assert json.loads(answer["content"])["status"] == "denied"
    assert world.done == []


def test_outside_of_a_turn_no_tool_works(world: World) -> None:
    with pytest.raises(NoTurn):
        opsroom.answer_tool_calls_sync([call("send_note", NOTE)], EVERYTHING)
    with pytest.raises(NoTurn):
        send_note.as_langchain().invoke(NOTE)
    assert world.done == []


def notes(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """A model that sends a note, and then says how it went."""
    if len(messages) == 1:
        return ModelResponse(parts=[ToolCallPart("send_note", NOTE, tool_call_id="c1")])
    returned = messages[-1].parts[-1]
    return ModelResponse(parts=[TextPart(str(getattr(returned, "content", returned)))])


def test_pydantic_ai_waits_in_its_own_way(room: Room, clerk: str, world: World) -> None:
    agent = Agent(
        FunctionModel(notes),
        tools=[send_note.as_pydantic_ai()],
        output_type=[str, DeferredToolRequests],
    )

    async def main() -> str:
        async with opsroom.turn(clerk, intent="note"):
            first = await agent.run("Send a note.")
            waiting = first.output
            assert isinstance(waiting, DeferredToolRequests)
            room.approve(waiting.metadata["c1"]["request"])
            results = await opsroom.deferred_results(waiting, timeout="10s")
            second = await agent.run(
                message_history=first.all_messages(), deferred_tool_results=results
            )
            return str(second.output)

    asyncio.run(main())
    assert world.done == ["note hello"]


def test_pydantic_ai_hears_a_rejection(room: Room, clerk: str, world: World) -> None:
    agent = Agent(
        FunctionModel(notes),
        tools=[send_note.as_pydantic_ai()],
        output_type=[str, DeferredToolRequests],
    )

    async def main() -> str:
        async with opsroom.turn(clerk, intent="note"):
            first = await agent.run("Send a note.")
            assert isinstance(first.output, DeferredToolRequests)
            room.reject(first.output.metadata["c1"]["request"], "not in this tone")
            results = await opsroom.deferred_results(first.output, timeout="10s")
            second = await agent.run(
                message_history=first.all_messages(), deferred_tool_results=results
            )
            return str(second.output)

    assert "not in this tone" in asyncio.run(main())
    assert world.done == []


def test_langchain_calls_with_and_without_a_loop(
    trusting: Room, clerk: str, world: World
) -> None:
    tool = tag.as_langchain()
    assert (tool.name, tool.args) == ("tag", tag.spec().input["properties"])
    said = [{"role": "user", "content": "Tag it with urgent, customs and refund."}]
    with opsroom.turn(clerk, intent="tag", messages=said):
        assert tool.invoke({"text": "urgent"}) == "urgent"
    with opsroom.turn(clerk, intent="tag", messages=said):
        asked = ToolCall(name="tag", args={"text": "customs"}, id="c1", type="tool_call")
        assert tool.invoke(asked).content == "customs"

    async def main() -> Any:
        async with opsroom.turn(clerk, intent="tag", messages=said):
            return await tool.ainvoke({"text": "refund"})

    assert asyncio.run(main()) == "refund"
    assert world.done == ["tag urgent", "tag customs", "tag refund"]


def test_mcp_lists_hints_and_answers(trusting: Room, clerk: str, world: World) -> None:
    tool = post_invoice.as_mcp()
    hints = tool.annotations
    assert hints is not None
    assert (hints.read_only_hint, hints.destructive_hint) == (False, False)
    assert read_invoice.as_mcp().annotations.read_only_hint is True  # type: ignore[union-attr]
    assert tag.as_mcp().annotations.idempotent_hint is True  # type: ignore[union-attr]

    async def main() -> None:
        async with opsroom.turn(clerk, intent="tag") as t:
            good = await opsroom.answer_mcp_call("tag", {"text": "a"}, EVERYTHING)
            bad = await opsroom.answer_mcp_call("tag", {"text": 1.5}, EVERYTHING, turn=t)
            none = await opsroom.answer_mcp_call("launch", None, EVERYTHING)
        assert good.content == [TextContent(type="text", text="a")]
        assert (good.is_error, bad.is_error, none.is_error) == (False, True, True)
        assert bad.structured_content["status"] == "denied"

    asyncio.run(main())
    assert world.done == ["tag a"]
