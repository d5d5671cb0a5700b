"""Anthropic and Gemini behind the same door: their own language on the wire, OpenAI's at the door."""

import json
from typing import Any

import pytest
from tests.gateway.desk import Desk
from tests.model_server import Reply, status

CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x-1",
    "content": [
        {"type": "text", "text": "Looking."},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"city": "Ulm"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 12, "output_tokens": 7},
}
GEMINI = {
    "candidates": [
        {"content": {"role": "model", "parts": [{"text": "Grüß dich"}]}, "finishReason": "STOP"}
    ],
    "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 3, "totalTokenCount": 7},
    "modelVersion": "gemini-x-1",
    "responseId": "g1",
}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def route(desk: Desk, api: str) -> None:
    base = desk.there.url.removesuffix("/v1")
    desk.route(targets=[{"model": f"{api}-x", "endpoint": base, "api": api}])


def events(name: str, **data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"


@pytest.mark.slow
class TestAnthropic:
    def test_text_and_tools(self, desk: Desk) -> None:
        route(desk, "anthropic")
        desk.there.next(Reply(body=json.dumps(CLAUDE).encode()))
        found = desk.ask(tools=[TOOL], temperature=0.5, max_tokens=50)
        assert found.status_code == 200, found.text
        (choice,) = found.json()["choices"]
        assert choice["message"]["content"] == "Looking."
        assert choice["message"]["tool_calls"][0]["function"] == {
            "name": "look",
            "arguments": '{"city":"Ulm"}',
        }
        assert choice["finish_reason"] == "tool_calls"
        sent = desk.there.requests[0]
        assert sent.path.startswith("/v1/messages")
        assert (sent.body["max_tokens"], sent.body["temperature"]) == (50, 0.5)
        assert found.headers["opsroom-served-model"] == "claude-x-1"
        assert desk.told()[0]["gen_ai.usage.input_tokens"] == 12

    def test_a_stream(self, desk: Desk) -> None:
        route(desk, "anthropic")
        begun = {**CLAUDE, "content": [], "stop_reason": None}
        body = "".join(
            (
                events("message_start", message=begun),
                events(
                    "content_block_start", index=0, content_block={"type": "text", "text": ""}
                ),
                events(
                    "content_block_delta", index=0, delta={"type": "text_delta", "text": "Hi"}
                ),
                events("content_block_stop", index=0),
                events(
                    "message_delta",
                    delta={"stop_reason": "end_turn", "stop_sequence": None},
                    usage={"output_tokens": 3},
                ),
                events("message_stop"),
            )
        )
        desk.there.next(
            Reply(body=body.encode(), headers={"Content-Type": "text/event-stream"})
        )
        found = desk.ask(stream=True)
        chunks = [
            json.loads(line[6:])
            for line in found.text.split("\n\n")
            if line.startswith("data: {")
        ]
        assert [c["choices"][0]["delta"].get("content") for c in chunks] == ["Hi", None], (
            found.text
        )
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
        assert found.text.endswith("data: [DONE]\n\n")
        assert desk.told()[0]["gen_ai.usage.output_tokens"] == 3

    def test_a_refusal_and_what_has_no_equal(self, desk: Desk) -> None:
        route(desk, "anthropic")
        desk.there.next(status(400, error="max_tokens is too large"))
        found = desk.ask(max_tokens=10)
        assert found.status_code == 400
        assert found.json()["error"]["message"] == "max_tokens is too large"
        refused = desk.ask(logprobs=True)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "not_translated")
        assert "logprobs" in refused.text
        assert len(desk.there.requests) == 1


@pytest.mark.slow
def test_gemini(desk: Desk) -> None:
    route(desk, "google")
    desk.there.next(Reply(body=json.dumps(GEMINI).encode()))
    found = desk.ask(temperature=0.1)
    assert found.status_code == 200, found.text
    assert found.json()["choices"][0]["message"]["content"] == "Grüß dich"
    assert "gemini-x-1" in found.headers["opsroom-served-model"]
    assert "generateContent" in desk.there.requests[0].path
