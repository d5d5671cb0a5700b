"""What the endpoint adapter sends, what it makes of answers, and what it does about trouble."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from tests.model_server import Asked, ModelServer, garbage, hang, say, status, tool_call
from tests.model_server import Reply as Bytes

from opsroom.datasets import Item
from opsroom.engines.openai_compatible import OpenAICompatible, Patience
from opsroom.evals.asking import as_it_is
from opsroom.evals.evaluators import evaluators
from opsroom.evals.evaluators.specs import Equals
from opsroom.evals.model import Totals
from opsroom.evals.runner import Finished, Pace, run
from opsroom.kit.clock import ManualClock
from opsroom.models import (
    BadMessage,
    Message,
    ModelGarbled,
    ModelRefused,
    ModelRequest,
    ModelUnavailable,
    Output,
    ReservedParameter,
    ToolCall,
)

SECRET = "the patient's name is Ada"
CLOCK = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def request(text: str = "hi", **more: Any) -> ModelRequest:
    more = {"messages": (Message(role="user", content=text),), **more}
    return ModelRequest(subject="s" * 64, item="i" * 64, **more)


@asynccontextmanager
async def model(
    url: str, *, pauses: list[float] | None = None, **patience: Any
) -> AsyncIterator[OpenAICompatible]:
    waited = [] if pauses is None else pauses

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    async with httpx2.AsyncClient(trust_env=False) as client:
        yield OpenAICompatible(
            "gpt-4o",
            endpoint=url,
            key="sk-secret",
            client=client,
            clock=CLOCK,
            patience=Patience(**patience),
            pause=pause,
        )


def ask(url: str, what: ModelRequest | None = None, **more: Any) -> Output:
    async def once() -> Output:
        async with model(url, **more) as asked:
            return await asked.complete(what or request())

    return asyncio.run(once())


def test_an_answer_comes_with_what_it_took(server: ModelServer) -> None:
    server.next(say("forty-two", tokens=(1000, 100), delay=0.02))
    output = ask(server.url)
    assert output.text == "forty-two"
    assert (output.input_tokens, output.output_tokens) == (1000, 100)
    assert output.served_model == "gpt-4o-2024-11-20"
    assert output.finish_reason == "stop"
    assert output.latency is not None
    assert output.latency >= 0.02
    assert output.cost is None  # nobody publishes a price for loopback
    assert output.error is None


def test_what_the_version_says_is_what_is_sent(server: ModelServer) -> None:
    messages = (
        Message(role="system", content="be brief <|im_start|>"),
        Message(role="user", content="weather?"),
        Message(
            role="assistant",
            tool_calls=(ToolCall(name="weather", arguments={"city": "Bonn"}, id="c1"),),
        ),
        Message(role="tool", content="rain", tool_call_id="c1"),
        Message(role="assistant", content="It rains."),
        Message(role="user", content="and tomorrow?"),
    )
    parameters = {
        "temperature": 0.0,
        "max_tokens": 7,
        "response_format": {"type": "json_object"},
    }
    ask(server.url, request(messages=messages, parameters=parameters, seed=3))
    [asked] = server.requests
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer sk-secret"
    body = asked.body
    sent = body.pop("messages")
    assert body.pop("stream", False) is False
    assert body == {"model": "gpt-4o", "seed": 3, **parameters}
    assert [(one["role"], one.get("content")) for one in sent] == [
        ("system", "be brief <|im_start|>"),
        ("user", "weather?"),
        ("assistant", None),
        ("tool", "rain"),
        ("assistant", "It rains."),
        ("user", "and tomorrow?"),
    ]
    [call] = sent[2]["tool_calls"]
    assert (call["id"], call["function"]["name"]) == ("c1", "weather")
    assert json.loads(call["function"]["arguments"]) == {"city": "Bonn"}
    assert sent[3]["tool_call_id"] == "c1"


@pytest.mark.parametrize("name", ["o3-mini", "gpt-5", "o1-mini", "deepseek-reasoner"])
def test_no_parameter_is_dropped_on_a_models_behalf(server: ModelServer, name: str) -> None:
    async def once() -> None:
        async with httpx2.AsyncClient(trust_env=False) as client:
            asked = OpenAICompatible(
                name, endpoint=server.url, key=None, client=client, clock=CLOCK
            )
            system = Message(role="system", content="be brief")
            user = Message(role="user", content="hi")
            await asked.complete(
                request(messages=(system, user), parameters={"temperature": 0.5, "top_p": 1})
            )

    asyncio.run(once())
    body = server.requests[0].body
    assert (body["temperature"], body["top_p"]) == (0.5, 1)
    assert [one["role"] for one in body["messages"]] == ["system", "user"]


def test_the_environment_decides_nothing(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-other")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-other")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Other: other")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-other")
    ask(server.url)
    assert "other" not in repr(server.requests[0].headers)


def test_tool_calls_come_back_as_data(server: ModelServer) -> None:
    calls = [
        tool_call("refund", '{"amount": 3}', "a"),
        tool_call("note", "not json", "b"),
        tool_call("limit", '{"n": NaN}', "c"),
        tool_call("stop", "", "d"),
    ]
    server.next(say(None, tool_calls=calls, finish_reason="tool_calls"))
    output = ask(server.url)
    assert output.tool_calls == (
        ToolCall(name="refund", arguments={"amount": 3}, id="a"),
        ToolCall(name="note", arguments="not json", id="b"),
        ToolCall(name="limit", arguments='{"n": NaN}', id="c"),
        ToolCall(name="stop", arguments={}, id="d"),
    )
    assert output.finish_reason == "tool_calls"
    assert output.text == ""


def test_a_refusal_is_an_answer(server: ModelServer) -> None:
    server.next(say(None, refusal="I cannot help with that."))
    assert ask(server.url).text == "I cannot help with that."


def test_tokens_that_were_not_counted_are_not_zero(server: ModelServer) -> None:
    server.next(say(tokens=None))
    output = ask(server.url)
    assert output.input_tokens is None
    assert output.output_tokens is None
    assert output.cost is None


@pytest.mark.parametrize("code", [429, 503])
def test_a_busy_provider_is_asked_again_when_it_says(server: ModelServer, code: int) -> None:
    pauses: list[float] = []
    server.next(status(code, retry_after="2"), status(code))
    assert ask(server.url, pauses=pauses).text == "ok"
    assert pauses == [2.0, 1.0]
    assert len(server.requests) == 3


def test_attempts_are_bounded(server: ModelServer) -> None:
    pauses: list[float] = []
    server.next(*[status(503) for _ in range(9)])
    with pytest.raises(ModelUnavailable, match="answered 503") as raised:
        ask(server.url, pauses=pauses, attempts=3)
    assert raised.value.attempts == 3
    assert pauses == [0.5, 1.0]
    assert len(server.requests) == 3


def test_a_long_pause_is_not_sat_out(server: ModelServer) -> None:
    pauses: list[float] = []
    server.next(status(429, retry_after="3600"))
    with pytest.raises(ModelUnavailable, match="pause of 3600 s"):
        ask(server.url, pauses=pauses)
    assert pauses == []


def test_an_unreachable_endpoint_is_tried_again_and_then_said() -> None:
    pauses: list[float] = []
    with pytest.raises(ModelUnavailable, match="could not connect"):
        ask("http://127.0.0.1:9/v1", pauses=pauses, attempts=2)
    assert pauses == [0.5]


@pytest.mark.parametrize("code", [500, 502, 504])
def test_a_failed_provider_is_not_asked_again(server: ModelServer, code: int) -> None:
    server.next(status(code))
    with pytest.raises(ModelUnavailable, match=f"answered {code}"):
        ask(server.url)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (status(401, code="invalid_api_key"), "invalid_api_key"),
        (status(404, code="model_not_found"), "model_not_found"),
        (status(400, type="invalid_request_error"), "invalid_request_error"),
        (status(429, code="insufficient_quota"), "insufficient_quota"),
        (status(422), "no reason given"),
    ],
)
def test_a_refused_request_is_not_repeated(server: ModelServer, reply: Bytes, why: str) -> None:
    server.next(reply)
    with pytest.raises(ModelRefused, match=why) as raised:
        ask(server.url)
    assert raised.value.answered == reply.status
    assert len(server.requests) == 1


def test_a_hanging_server_is_given_up_on(server: ModelServer) -> None:
    server.next(hang())
    with pytest.raises(ModelUnavailable, match=r"no answer within 0\.1 s"):
        ask(server.url, timeout=timedelta(seconds=0.1))
    assert len(server.requests) == 1


def test_an_answer_that_breaks_off_is_not_repeated(server: ModelServer) -> None:
    server.next(Bytes(body=say("long answer").body, close_after=40))
    with pytest.raises(ModelUnavailable, match="connection broke"):
        ask(server.url)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        garbage(),
        garbage(""),
        garbage("[]"),
        garbage("null"),
        garbage('"words"'),
        garbage('{"object": "list"}'),
        garbage('{"choices": []}'),
        garbage('{"choices": [{}]}'),
        garbage('{"choices": [{"message": null, "finish_reason": "stop"}]}'),
        garbage('{"choices": 3}'),
        garbage('{"choices": [{"message": {"role": "assistant", "content": 7}}]}'),
        garbage("\ufeff\x00"),
        Bytes(body=b"\xff\xfe\xfd"),
        Bytes(body=b'{"error": {"message": "overloaded", "type": "server_error"}}'),
        Bytes(body=b"<html>", headers={"Content-Type": "text/html"}),
        Bytes(status=204),
    ],
)
def test_what_is_not_a_chat_completion_is_said_to_be_none(
    server: ModelServer, reply: Bytes
) -> None:
    server.next(reply)
    with pytest.raises(ModelGarbled, match="not with a chat completion"):
        ask(server.url)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        status(400, error=SECRET, code="bad"),
        garbage(SECRET),
        garbage('{"choices": [{"message": "' + SECRET + '"}]}'),
    ],
)
def test_contents_stay_out_of_logs_and_errors(
    server: ModelServer, caplog: pytest.LogCaptureFixture, reply: Bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    server.next(say(SECRET), reply)
    assert ask(server.url, request(SECRET)).text == SECRET
    with pytest.raises((ModelRefused, ModelGarbled)) as raised:
        ask(server.url, request(SECRET))
    assert SECRET not in repr(raised.value.as_dict())
    logging.getLogger("test").info("failed", exc_info=raised.value)
    assert SECRET not in caplog.text
    assert "sk-secret" not in caplog.text


@pytest.mark.parametrize("name", ["model", "messages", "stream", "n"])
def test_some_parameters_are_not_a_versions_to_set(server: ModelServer, name: str) -> None:
    with pytest.raises(ReservedParameter, match=name):
        ask(server.url, request(parameters={name: 1}))
    assert not server.requests


def test_an_answer_to_a_call_that_nobody_made_is_refused(server: ModelServer) -> None:
    orphan = Message(role="tool", content="rain", tool_call_id="c1")
    with pytest.raises(BadMessage, match="message 0"):
        ask(server.url, request(messages=(orphan,)))


def test_a_listed_provider_is_priced_at_its_list(server: ModelServer) -> None:
    """The endpoint names the provider; a local proxy of it is reached through its address."""

    async def once() -> Output:
        def to_loopback(sent: httpx2.Request) -> httpx2.Response:
            assert sent.url.host == "api.openai.com"
            return httpx2.Response(200, content=say(tokens=(1000, 100)).body)

        transport = httpx2.MockTransport(to_loopback)
        async with httpx2.AsyncClient(transport=transport) as client:
            asked = OpenAICompatible(
                "gpt-4o",
                endpoint="https://api.openai.com/v1",
                key="k",
                client=client,
                clock=CLOCK,
            )
            return await asked.complete(request())

    assert asyncio.run(once()).cost == Decimal("0.0035")


def test_a_run_over_the_wire_keeps_to_its_pace_and_loses_nothing() -> None:
    """Runner, adapter and a server that fails now and then, end to end."""

    def reply(asked: Asked) -> Bytes:
        text = asked.body["messages"][0]["content"]
        return status(400, code="bad") if text == "case 7" else say(text, delay=0.01)

    kept: list[Finished] = []

    async def whole(url: str) -> Totals:
        async with model(url) as asked:
            return await run(
                "run_1",
                [Item(id=f"i{n}", input=f"case {n}", expected=f"case {n}") for n in range(60)],
                asked,
                evaluators([Equals(type="equals")]),
                compose=as_it_is("v1"),
                on_results=kept.extend,
                pace=Pace(concurrency=20),
            )

    with ModelServer(reply) as server:
        totals = asyncio.run(whole(server.url))
        assert 10 <= server.most_at_once <= 20
    assert (totals.answered, totals.errors, totals.input_tokens) == (59, 1, 590)
    failed = [one.result for one in kept if one.result.error]
    assert [one.item_id for one in failed] == ["i7"]
    assert all(one.result.value("equals") == 1 for one in kept if not one.result.error)
