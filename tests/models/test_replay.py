"""Recorded answers, given again and never made up."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from opsroom.kit.wire import adapter, plain
from opsroom.models import (
    Message,
    Model,
    ModelRequest,
    NoRecording,
    Output,
    Recording,
    RecordingConflict,
    ToolCall,
    replay,
)


def request(item: str, *, variant: str = "", trial: int = 0) -> ModelRequest:
    return ModelRequest(
        messages=(Message(role="user", content="hi"),),
        subject="v1",
        item=item,
        variant=variant,
        trial=trial,
    )


def recording(text: str, **where: object) -> Recording:
    return Recording(subject="v1", item="i1", output=Output(text=text), **where)  # type: ignore[arg-type]


def test_each_recording_answers_its_own_question() -> None:
    model: Model = replay(
        [
            recording("cold", variant="T=0"),
            recording("warm", variant="T=0.8"),
            recording("again", variant="T=0", trial=1),
        ]
    )
    cold = asyncio.run(model.complete(request("i1", variant="T=0")))
    warm = asyncio.run(model.complete(request("i1", variant="T=0.8")))
    again = asyncio.run(model.complete(request("i1", variant="T=0", trial=1)))
    assert (cold.text, warm.text, again.text) == ("cold", "warm", "again")


def test_a_gap_is_an_error_that_names_itself() -> None:
    model = replay([recording("cold")])
    with pytest.raises(NoRecording, match="item 'i2' answered by 'v1'") as raised:
        asyncio.run(model.complete(request("i2", trial=3)))
    assert raised.value.facts == {"subject": "v1", "item": "i2", "variant": "", "trial": 3}


def test_one_question_has_one_recorded_answer() -> None:
    assert replay([recording("cold"), recording("cold")])
    with pytest.raises(RecordingConflict, match="two different outputs"):
        replay([recording("cold"), recording("warm")])


FULL = Output(
    text="done",
    tool_calls=(ToolCall(name="refund", arguments={"amount": 3}, id="c1"),),
    scores={"reward": 1.0},
    latency=1.25,
    cost=Decimal("0.0120"),
    input_tokens=10,
    output_tokens=2,
    served_model="gpt-4o",
    finish_reason="stop",
)


def test_an_output_survives_the_wire_with_its_digest() -> None:
    back = adapter(Output).validate_python(plain(FULL))
    assert back == FULL
    assert back.digest == FULL.digest


def test_the_digest_names_every_fact() -> None:
    changes: list[dict[str, Any]] = [
        {"text": "do"},
        {"tool_calls": ()},
        {"scores": {"reward": 0.0}},
        {"latency": 1.5},
        {"cost": None},
        {"input_tokens": 11},
        {"output_tokens": None},
        {"served_model": "other"},
        {"finish_reason": None},
        {"error": "timeout"},
    ]
    assert {next(iter(change)) for change in changes} == set(plain(FULL))
    facts = plain(FULL)
    digests = [adapter(Output).validate_python(facts | change).digest for change in changes]
    assert len({FULL.digest, *digests}) == len(changes) + 1


def test_the_digest_does_not_depend_on_how_a_price_is_written() -> None:
    assert Output(cost=Decimal("0.10")).digest == Output(cost=Decimal("0.1")).digest
    assert Output(cost=Decimal(100)).digest == Output(cost=Decimal("1E+2")).digest
