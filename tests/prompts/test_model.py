"""A prompt that exists is well formed; what is not is refused by place."""

from typing import Any

import pytest

from opsroom.kit.canonical import digest
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import plain
from opsroom.prompts.errors import PromptTooLarge, PromptWrong
from opsroom.prompts.model import (
    MAX_TEXT,
    Variable,
    chat_prompt,
    read_spec,
    references,
    text_prompt,
)
from opsroom.prompts.text import lines

FULL: dict[str, Any] = {
    "format": "chat",
    "syntax": "template",
    "text": None,
    "messages": [
        {"role": "system", "content": "You sort mail.\n"},
        {"role": "user", "content": '{{ mail }}{% include "tone" %}'},
    ],
    "variables": {
        "mail": {
            "type": "text",
            "required": True,
            "default": None,
            "description": "what came in",
            "max_length": 5000,
            "trust": "untrusted",
        }
    },
    "includes": {"tone": "house-tone@3"},
    "model": {
        "name": "gpt-4o",
        "temperature": 0.0,
        "top_p": None,
        "max_tokens": 200,
        "stop": ["END"],
        "seed": 7,
        "frequency_penalty": None,
        "presence_penalty": None,
        "extra": {"reasoning": {"effort": "low"}},
    },
    "output_schema": {"type": "object", "properties": {"label": {"$ref": "#/$defs/l"}}},
}


def test_what_is_read_is_written_back() -> None:
    spec = read_spec(FULL)
    assert plain(spec) == FULL
    assert read_spec(plain(spec)) == spec
    assert digest(plain(spec)) == digest(FULL)


def test_what_goes_without_saying_is_spelt_out() -> None:
    said = read_spec({"format": "text", "text": "x", "variables": {"a": {}}})
    assert plain(said)["variables"]["a"]["type"] == "text"
    assert set(plain(said)) == set(FULL)


def test_it_says_what_it_cites() -> None:
    spec = text_prompt("", includes={"a": "x@1", "b": "prompt/y@2", "c": "x@1"})
    assert references(spec) == ["prompt/x@1", "prompt/y@2"]


def changed(path: str, value: Any) -> dict[str, Any]:
    copy: dict[str, Any] = plain(read_spec(FULL))
    inner: Any = copy
    *way, last = path.split("/")
    for step in way:
        inner = inner[int(step) if step.isdecimal() else step]
    inner[last] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("format", "poem", "format"),
        ("format", "text", "text"),
        ("text", "x", "text"),
        ("messages", [], "messages"),
        ("messages/0/role", "tool", "messages.0.role"),
        ("messages/1/content", None, "messages.1.content"),
        ("messages/1/content", "a\ud800", "messages.1.content"),
        ("syntax", "literal", "variables"),
        ("unknown", 1, "unknown"),
        ("messages/0/name", "x", "messages.0.name"),
        ("variables/mail/type", "json", "variables.mail.type"),
        ("variables/mail/default", 5, "variables.mail.default"),
        ("variables/mail/default", "x" * 5001, "variables.mail.default"),
        ("variables/mail/max_length", 0, "variables.mail.max_length"),
        ("variables/a b", {}, "variables.a b"),
        ("variables/__class__", {}, "variables.__class__"),
        ("variables/loop", {}, "variables.loop"),
        ("variables/1a", {}, "variables.1a"),
        ("variables/é", {}, "variables.é"),
        ("includes/a b", "x@1", "includes.a b"),
        ("includes/tone", "../x", "includes.tone"),
        ("includes/tone", "policy/x@1", "includes.tone"),
        ("model/temperature", 3, "model.temperature"),
        ("model/top_p", float("nan"), "model.top_p"),
        ("model/max_tokens", 0, "model.max_tokens"),
        ("model/seed", 2**60, "model.seed"),
        ("model/stop", [""], "model.stop"),
        ("model/extra", {"a": float("inf")}, "model.extra"),
        ("model/temprature", 1, "model.temprature"),
        ("output_schema", {"$ref": "https://example.org/s.json"}, "output_schema"),
        ("output_schema", {"a": [{"$ref": "file:///etc/passwd"}]}, "output_schema"),
        ("output_schema", [], "output_schema"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_place(path: str, value: Any, place: str) -> None:
    with pytest.raises(PromptWrong) as caught:
        read_spec(changed(path, value))
    assert caught.value.place == place
    assert caught.value.status == 422


@pytest.mark.parametrize(
    "data", [None, 1, "x", [], {}, {"format": "text", "text": {"$ref": "x"}}]
)
def test_other_data_is_no_prompt(data: object) -> None:
    with pytest.raises(PromptWrong):
        read_spec(data)


@pytest.mark.parametrize(
    "build",
    [
        lambda: text_prompt("x" * 10_000_000),
        lambda: text_prompt("x" * (MAX_TEXT + 1)),
        lambda: chat_prompt(("user", "x" * MAX_TEXT), ("user", "x")),
        lambda: chat_prompt(*[("user", "x")] * 201),
        lambda: text_prompt("x", variables={f"v{n}": Variable() for n in range(201)}),
        lambda: text_prompt("x", includes={f"v{n}": "a@1" for n in range(101)}),
        lambda: text_prompt("x", output_schema={"a": "x" * 70_000}),
    ],
)
def test_too_much_is_refused(build: Any) -> None:
    with pytest.raises(PromptTooLarge) as caught:
        build()
    assert caught.value.status == 413


def test_deep_data_is_refused_and_not_followed() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(OpsroomError):
        read_spec({"format": "text", "text": "x", "output_schema": deep})


def test_a_prompt_reads_as_text() -> None:
    assert list(lines(read_spec(FULL))) == [
        "── system ──",
        "You sort mail.",
        "",
        "",
        "── user ──",
        '{{ mail }}{% include "tone" %}',
        "",
        "── variables ──",
        "mail: text, required, at most 5000: what came in",
        "",
        "── includes ──",
        "tone: house-tone@3",
        "",
        "── model ──",
        "max_tokens: 200",
        'name: "gpt-4o"',
        'reasoning: {"effort":"low"}',
        "seed: 7",
        'stop: ["END"]',
        "temperature: 0",
        "",
        "── output schema ──",
        "{",
        '  "properties": {',
        '    "label": {',
        '      "$ref": "#/$defs/l"',
        "    }",
        "  }",
        '  "type": "object"',
        "}",
    ]


def test_equal_prompts_read_alike_and_others_do_not() -> None:
    def text(data: dict[str, Any]) -> str:
        return "\n".join(lines(read_spec(data)))

    assert text(FULL) == text(plain(read_spec(FULL)))
    for path, value in [
        ("messages/0/role", "developer"),
        ("variables/mail/default", "x"),
        ("variables/mail/trust", "trusted"),
        ("variables/mail/description", "y"),
        ("includes/tone", "house-tone@4"),
        ("model/seed", 8),
        ("model/temperature", 0.1),
        ("output_schema", {}),
    ]:
        assert text(changed(path, value)) != text(FULL), path
