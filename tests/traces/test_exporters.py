"""What the exporters of OpenTelemetry for Python send, old and new, is read the same.

`exporters.jsonl` holds what versions 1.27.0, 1.39.0 and 1.45.2, unmodified, sent to a port of ours
for the same three spans. What they do when they are answered with 503 `test_crash.py` shows of the
one that is installed.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.api import Api
from tests.telemetry import Room

RECORDED = [
    json.loads(line)
    for line in Path(__file__).with_name("exporters.jsonl").read_text("utf-8").splitlines()
]


def test_old_and_new_are_recorded() -> None:
    assert [one["exporter"] for one in RECORDED] == ["1.27.0", "1.39.0", "1.45.2"]


@pytest.mark.parametrize("sent", RECORDED, ids=lambda one: one["exporter"])
def test_what_an_exporter_sends_is_read_whole(
    sqlite_api: Api, room: Room, sent: dict[str, Any]
) -> None:
    sqlite_api.app.state.traces = room.traces
    sqlite_api.project(room.project)
    desk = sqlite_api.program("agent", project=room.project)
    answer = desk.send(
        "POST",
        "/v1/traces",
        content=base64.b64decode(sent["body_base64"]),
        headers=sent["headers"],
    )
    assert (answer.status_code, answer.content) == (200, b"")
    turn, call, tool = room.spans()
    assert {one["trace_id"] for one in (turn, call, tool)} == {"d00d" + "0" * 27 + "1"}
    assert [one["parent_id"] for one in (turn, call, tool)] == ["", *[turn["span_id"]] * 2]
    assert [one["operation"] for one in (turn, call, tool)] == [
        "invoke_agent",
        "chat",
        "execute_tool",
    ]
    assert (turn["agent"], turn["session"], turn["service"]) == ("clerk", "s-1", "desk")
    assert turn["environment"] == "test"
    assert turn["duration"] == 2 * 10**9
    assert (call["served_model"], call["provider"]) == ("gpt-4o-2024-08-06", "openai")
    assert (call["input_tokens"], call["output_tokens"]) == (1000, 200)
    assert call["cost"] is not None
    kept = call["attributes"]
    assert kept["gen_ai.response.finish_reasons"] == '["stop","length"]'
    assert (kept["zero"], kept["no"], kept["empty"]) == ("0", "false", "")
    assert call["events.name"] == ["gen_ai.choice"]
    assert call["events.attributes"][0]["said"] == "Grüße"
    assert call["links.attributes"] == [{"why": "again"}]
    assert (tool["status"], tool["error_type"]) == ("error", "ValueError")
    assert tool["status_message"] == "it was away"
