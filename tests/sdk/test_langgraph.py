"""Actions in a graph of LangGraph: what waits for people interrupts it, and it goes on after."""

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command
from tests.sdk.freight import World, read_invoice, send_note

import opsroom
from opsroom.testing import Room

ONE: Any = {"configurable": {"thread_id": "1"}}
ASKED: Any = {
    "messages": [
        AIMessage("", tool_calls=[{"id": "c1", "name": "send_note", "args": {"text": "hello"}}])
    ]
}


def graph() -> Any:
    built = StateGraph(MessagesState)
    tools = [send_note.as_langgraph(), read_invoice.as_langgraph()]
    built.add_node("tools", ToolNode(tools))
    built.add_edge(START, "tools")
    built.add_edge("tools", END)
    return built.compile(checkpointer=InMemorySaver())


def waiting(state: Any) -> dict[str, Any]:
    (one,) = state["__interrupt__"]
    value: dict[str, Any] = one.value
    return value


@pytest.mark.parametrize("turns", [1, 2])
def test_an_action_that_waits_interrupts_the_graph(
    room: Room, clerk: str, world: World, turns: int
) -> None:
    """Also where the graph goes on in another turn than the one that proposed."""
    works = graph()
    with opsroom.turn(clerk, intent="note"):
        first = waiting(works.invoke(ASKED, ONE))
        assert (first["tool"], first["arguments"]) == ("send_note", {"text": "hello"})
        assert world.done == []
        if turns == 1:
            room.approve(first["request"])
            done = works.invoke(Command(resume=True), ONE)
    if turns == 2:
        room.approve(first["request"])
        with opsroom.turn(clerk, intent="note, after the approval"):
            done = works.invoke(Command(resume=True), ONE)
    assert world.done == ["note hello"]
    assert done["messages"][-1].name == "send_note"
    assert "waiting" not in done["messages"][-1].content


def test_a_graph_that_goes_on_too_early_is_interrupted_again(
    room: Room, clerk: str, world: World
) -> None:
    works = graph()
    with opsroom.turn(clerk, intent="note"):
        first = waiting(works.invoke(ASKED, ONE))
        again = waiting(works.invoke(Command(resume=True), ONE))
        assert again == first
        room.approve(first["request"])
        works.invoke(Command(resume=True), ONE)
        assert world.done == ["note hello"]


def test_a_rejection_reaches_the_model(room: Room, clerk: str, world: World) -> None:
    works = graph()

    async def main() -> Any:
        async with opsroom.turn(clerk, intent="note"):
            first = waiting(await works.ainvoke(ASKED, ONE))
            room.reject(first["request"], "not in this tone")
            return await works.ainvoke(Command(resume=True), ONE)

    said = asyncio.run(main())["messages"][-1].content
    assert "not in this tone" in said
    assert world.done == []
