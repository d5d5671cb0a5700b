"""What an assertion is given and what it finds.

An assertion is plain data as promptfoo writes it: `type`, `value`, `threshold`, `weight`,
`metric`, and for an `assert-set` the assertions in it. What cannot be applied raises `Unclear`:
promptfoo calls such a test an error, and so do we, because it is neither a pass nor a failure.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from opsroom.models import Output

from .words import number


class Unclear(Exception):
    """An assertion cannot be applied to an answer, and says why."""


class Verdict(NamedTuple):
    """Whether an assertion holds, how far from 0 to 1, and why."""

    good: bool
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as assertions see it.

    `text` is what is compared. A model that calls tools says so beside its words or instead of
    them; `data` is then the list of calls, or an object with `content` and `tool_calls`, and
    `text` is its JSON. `tools` are those the model could call.
    """

    text: str
    output: Output
    data: Any = None
    tools: Sequence[Any] = ()
    functions: Sequence[Any] = ()


Check = Callable[[Mapping[str, Any], Answer], Verdict]


def answer_of(
    output: Output, *, tools: Sequence[Any] = (), functions: Sequence[Any] = ()
) -> Answer:
    """An output as promptfoo's providers for chat models hand it to assertions."""
    if not output.tool_calls:
        return Answer(output.text, output, tools=tools, functions=functions)
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {
                "name": call.name,
                "arguments": call.arguments
                if isinstance(call.arguments, str)
                else json.dumps(call.arguments, ensure_ascii=False, separators=(",", ":")),
            },
        }
        for call in output.tool_calls
    ]
    data: Any = calls
    if output.text:
        data = {"role": "assistant", "content": output.text, "tool_calls": calls}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Answer(text, output, data, tools, functions)


def kind_of(assertion: Mapping[str, Any]) -> tuple[str, bool]:
    """The type without `not-`, and whether it was there."""
    kind = str(assertion.get("type", ""))
    return kind.removeprefix("not-"), kind.startswith("not-")


def plainly(holds: bool, assertion: Mapping[str, Any], reason: str) -> Verdict:
    """The verdict of an assertion that holds or does not; `not-` turns it round."""
    good = holds is not kind_of(assertion)[1]
    return Verdict(good, float(good), "" if good else reason)


def by_degrees(score: float, assertion: Mapping[str, Any], otherwise: float) -> Verdict:
    """The verdict of a score that has to reach a threshold; `not-` turns both round."""
    threshold = threshold_of(assertion, otherwise)
    base, inverse = kind_of(assertion)
    good = (score >= threshold) is not inverse
    reason = "" if good else f"{base} is {score:.4f}, threshold {threshold:g}"
    return Verdict(good, 1 - score if inverse else score, reason)


def threshold_of(assertion: Mapping[str, Any], otherwise: float | None = None) -> float:
    threshold = number(assertion.get("threshold", otherwise))
    if threshold is None:
        raise Unclear(f"{assertion.get('type')} needs a number as threshold")
    return threshold


def text_value(assertion: Mapping[str, Any], *, empty: bool = True) -> str:
    value = assertion.get("value")
    if not isinstance(value, str) or not (value or empty):
        raise Unclear(f"{assertion.get('type')} needs a text as value")
    return value
