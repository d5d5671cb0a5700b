"""How an evaluator is written down: the spec of kind `evaluator`.

Types that exist with `not-` in front take the opposite for good. Names that begin with an
`i` do not care about case. Where a reference is left out, the item's expected answer is it.
Each evaluator keeps its values under `metric`, by default the name of its type.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Discriminator, Field, JsonValue

from opsroom.evidence import Direction
from opsroom.kit.wire import Wire

# Left out of the digest where it is 1, so that judges from before it are still themselves.
Repeats = Annotated[int, Field(ge=1, le=9, exclude_if=lambda times: times == 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Equals(Wire):
    """The answer is the reference. A reference that is not text is compared as JSON data."""

    type: Literal["equals", "not-equals"]
    value: JsonValue = None
    trim: bool = True
    ignore_case: bool = False
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains(Wire):
    """The reference occurs in the answer."""

    type: Literal["contains", "icontains", "not-contains", "not-icontains"]
    value: str | None = None
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainsMany(Wire):
    """Any, or all, of the values occur in the answer."""

    type: Literal[
        "contains-any",
        "icontains-any",
        "contains-all",
        "icontains-all",
        "not-contains-any",
        "not-icontains-any",
        "not-contains-all",
        "not-icontains-all",
    ]
    values: tuple[str, ...] | None = None
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartsWith(Wire):
    """The answer begins with the reference."""

    type: Literal["starts-with", "not-starts-with"]
    value: str | None = None
    trim: bool = True
    ignore_case: bool = False
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex(Wire):
    """The RE2 pattern matches somewhere in the answer, in time linear in its length."""

    type: Literal["regex", "not-regex"]
    pattern: str
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IsJson(Wire):
    """The answer is one JSON value and nothing else."""

    type: Literal["is-json", "not-is-json"]
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchema(Wire):
    """The answer is JSON of this draft 2020-12 schema. Nothing is fetched."""

    type: Literal["json-schema", "not-json-schema"]
    schema: dict[str, JsonValue]
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar(Wire):
    """How much of the answer is the reference, from 0 to 1 (Indel ratio).

    With a threshold the metric is yes or no; with `threshold: null` it is the ratio itself.
    """

    type: Literal["similar", "not-similar"]
    value: str | None = None
    threshold: float | None = 0.9
    ignore_case: bool = False
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeric(Wire):
    """A number in the answer is the reference, within the larger of both tolerances."""

    type: Literal["numeric", "not-numeric"]
    value: Decimal | None = None
    absolute: Decimal = Decimal(0)
    relative: Decimal = Decimal(0)
    which: Literal["first", "last", "only"] = "last"
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastLabel(Wire):
    """The last label that the answer gives in brackets is the reference.

    `labels: [yes, no]` reads "… is 17077 prime? [Yes]" as yes. An answer without a label is
    wrong, not missing.
    """

    type: Literal["last-label", "not-last-label"]
    labels: tuple[str, ...]
    value: str | None = None
    opens: str = "["
    closes: str = "]"
    ignore_case: bool = True
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyWithin(Wire):
    """The answer took at most so many seconds."""

    type: Literal["latency"]
    seconds: float
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostWithin(Wire):
    """The answer cost at most so many US dollars."""

    type: Literal["cost"]
    usd: Decimal
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled(Wire):
    """A tool was called, with at least these arguments and so many times."""

    type: Literal["tool-call", "not-tool-call"]
    tool: str
    arguments: dict[str, JsonValue] | None = None
    at_least: int = 1
    at_most: int | None = None
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOrder(Wire):
    """The tools were called in this order; other calls may come between."""

    type: Literal["tool-order", "not-tool-order"]
    tools: tuple[str, ...]
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Wire):
    """A score that came with the recording, such as a benchmark's reward.

    On the scale `binary` it must be 0 or 1, and `direction` says which of them is good.
    """

    type: Literal["recorded"]
    score: str
    direction: Direction = Direction.HIGHER
    scale: Literal["binary", "number"] = "binary"
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(Wire):
    """The answer is what people decided instead, or at least not what they rejected.

    Reads what corrections expect: a text or a value is the answer itself, or one argument of a
    tool call; `{"tool": …, "arguments": …}` is a call with at least these arguments;
    `{"not": …}` is any answer but that one.
    """

    type: Literal["corrected"]
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge(Wire):
    """A model reads the answer against a rubric and says pass or fail, and why.

    With `repeats` it is asked so many times, and what more than half say counts.
    """

    type: Literal["llm-judge"]
    rubric: str
    model: str
    parameters: dict[str, JsonValue] | None = None
    metric: str | None = None
    repeats: Repeats = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceJudge(Wire):
    """A model says which of two answers is better: this one, or the one the item expects.

    Both orders are asked. A verdict that changes with the order is neither, but an error.
    """

    type: Literal["preference-judge"]
    rubric: str
    model: str
    parameters: dict[str, JsonValue] | None = None
    metric: str | None = None
    repeats: Repeats = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertions(Wire):
    """Everything that the item itself expects of an answer, as promptfoo writes it down.

    The item's expected answer is `{"assert": […], "threshold": …}`. The metric is whether all
    of it holds; with `part: broken` whether any of it does not, of which less is better: so an
    attack counts that got what it wanted. With `part: score` it is the weighted mean of the
    scores, and with `named` the score under that name. `grader` is the model that is asked where an assertion needs
    one; `tools` and `functions` are those that the subject may call.
    """

    type: Literal["assertions"]
    part: Literal["verdict", "broken", "score"] = "verdict"
    named: str = ""
    grader: str = ""
    tools: tuple[JsonValue, ...] = ()
    functions: tuple[JsonValue, ...] = ()
    metric: str | None = None


AnyJudge = Judge | PreferenceJudge

EvaluatorSpec = Annotated[
    Equals
    | Contains
    | ContainsMany
    | StartsWith
    | Regex
    | IsJson
    | JsonSchema
    | Similar
    | Numeric
    | LastLabel
    | LatencyWithin
    | CostWithin
    | ToolCalled
    | ToolOrder
    | Recorded
    | Corrected
    | Assertions
    | Judge
    | PreferenceJudge,
    Discriminator("type"),
]
