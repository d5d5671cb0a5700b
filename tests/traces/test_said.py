"""What was asked and answered, wherever an instrumentation keeps it."""

import json

import pytest

from opsroom.traces.said import LONGEST, answered, asked

MESSAGES = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "hi"},
    {"role": "user", "content": [{"type": "text", "text": "where is it?"}]},
]


@pytest.mark.parametrize(
    "content",
    [
        {"gen_ai.input.messages": json.dumps(MESSAGES)},
        {"gen_ai.prompt": json.dumps(MESSAGES)},
        {"input.value": json.dumps({"messages": MESSAGES, "model": "m"})},
        {"input.value": "where is it?"},
        {"traceloop.entity.input": '"where is it?"'},
        {"ai.prompt.messages": json.dumps(MESSAGES)},
        {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "hello",
            "llm.input_messages.10.message.role": "user",
            "llm.input_messages.10.message.contents.0.message_content.text": "where is it?",
            "llm.input_messages.2.message.role": "assistant",
            "llm.input_messages.2.message.content": "hi",
        },
        {
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "where is it?",
            "gen_ai.prompt.1.role": "tool",
            "gen_ai.prompt.1.content": "nowhere",
        },
    ],
)
def test_the_last_thing_a_user_said(content: dict[str, str]) -> None:
    assert asked(content) == "where is it?"


@pytest.mark.parametrize(
    "content",
    [
        {
            "gen_ai.output.messages": json.dumps(
                [{"role": "assistant", "parts": [{"type": "text", "content": "here"}]}]
            )
        },
        {
            "output.value": json.dumps(
                {"choices": [{"message": {"role": "assistant", "content": "here"}}]}
            )
        },
        {"ai.response.text": "here"},
        {"gen_ai.completion.0.content": "here", "gen_ai.completion.0.role": "assistant"},
        {"langfuse.observation.output": "here"},
    ],
)
def test_the_answer(content: dict[str, str]) -> None:
    assert answered(content) == "here"


@pytest.mark.parametrize("value", ["", "[", "{}", "[[[", "null", "7", "[" * 5_000, '{"a": 1}'])
def test_whatever_it_is_it_is_text(value: str) -> None:
    for of in (asked, answered):
        for name in ("input.value", "output.value", "gen_ai.input.messages"):
            assert len(of({name: value})) <= LONGEST


def test_nothing_that_was_kept_is_nothing() -> None:
    assert asked({"output.value": "x"}) == ""
    assert answered({"tool.parameters": "x"}) == ""
