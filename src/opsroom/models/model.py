"""What is asked of a model, and what came back.

A request names what is being tried (`subject`) on what (`item`), so that a recorded answer
can stand in for a live one. An output carries everything a judgement may rest on: the words,
the calls, what it took and who really served it.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from pydantic import JsonValue

from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall(Wire):
    """A tool the model asked for. Arguments that were not JSON stay the text they were."""

    name: str
    arguments: JsonValue = field(default_factory=dict[str, JsonValue])
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Wire):
    """One turn of a conversation; `tool_call_id` says which call a tool's message answers."""

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest(Wire):
    """A question to a model, and whose question it is.

    `subject` is the digest of the version that is being tried, `item` the content hash of
    the case; `variant` tells apart recordings of one version under different settings (a
    temperature, an attack), `trial` counts repetitions from 0.
    """

    messages: tuple[Message, ...]
    subject: str
    item: str
    variant: str = ""
    trial: int = 0
    parameters: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output(Wire):
    """What a model or an agent answered.

    `latency` is in seconds, `cost` in US dollars; None means not known, never zero.
    `scores` are recorded ground truth, such as the reward a benchmark gave. `error` says
    why there is no answer to judge; an output with an error is neither a pass nor a fail.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    scores: dict[str, float] = field(default_factory=dict[str, float])
    latency: float | None = None
    cost: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    served_model: str | None = None
    finish_reason: str | None = None
    error: str | None = None

    @property
    def digest(self) -> str:
        """Names this output, measurements included: two equal digests are one recording."""
        return digest(self._facts())

    def _facts(self) -> dict[str, Any]:
        # Written out because it runs once per case; the general way costs five times as much.
        return {
            "text": self.text,
            "tool_calls": [
                {"name": call.name, "arguments": call.arguments, "id": call.id}
                for call in self.tool_calls
            ],
            "scores": self.scores,
            "latency": self.latency,
            "cost": None if self.cost is None else format(self.cost.normalize(), "f"),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "served_model": self.served_model,
            "finish_reason": self.finish_reason,
            "error": self.error,
        }
