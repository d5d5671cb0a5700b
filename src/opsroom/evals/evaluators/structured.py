"""Evaluators that read an answer as data: JSON, numbers, tool calls, measurements."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from opsroom.datasets import Item
from opsroom.evals.errors import BadEvaluator, BadSchema
from opsroom.evals.model import Score, number, unknown, yes_or_no
from opsroom.evidence import Direction
from opsroom.models import Output, ToolCall

from .reading import NoReference, json_of, negated, quoted, reference, same_json
from .specs import (
    Corrected,
    CostWithin,
    IsJson,
    JsonSchema,
    LatencyWithin,
    Numeric,
    Recorded,
    ToolCalled,
    ToolOrder,
)

Check = Callable[[Item, Output], Score]

_NUMBER = re.compile(
    r"(?<![\w.])[-+−]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?"
    r"|(?<![\w.])[-+−]?\.[0-9]+"
)
_LONGEST_NUMBER = 60


def is_json(spec: IsJson) -> Check:
    good = not negated(spec.type)

    def check(_: Item, output: Output) -> Score:
        parsed = json_of(output.text) is not None
        return yes_or_no(parsed is good, "it is JSON" if parsed else "it is not JSON")

    return check


def json_schema(spec: JsonSchema) -> Check:
    import jsonschema_rs  # noqa: PLC0415  # only where a schema is used

    metric = spec.metric or spec.type
    try:
        validator = jsonschema_rs.Draft202012Validator(
            spec.schema,
            offline=True,
            # The default engine backtracks: a pattern of the schema could take for ever.
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise BadSchema(metric, str(error).splitlines()[0]) from error
    good = not negated(spec.type)

    def check(_: Item, output: Output) -> Score:
        parsed = json_of(output.text)
        if parsed is None:
            return yes_or_no(not good, "it is not JSON")
        try:
            validator.validate(parsed.value)
        except jsonschema_rs.ValidationError as error:
            place = "/".join(str(step) for step in error.instance_path)
            return yes_or_no(not good, f"at /{place}: {error.kind.name}")
        return yes_or_no(good, "it fits the schema")

    return check


def numeric(spec: Numeric) -> Check:
    good = not negated(spec.type)
    if spec.absolute < 0 or spec.relative < 0:
        raise BadEvaluator(spec.metric or spec.type, "a tolerance is negative")

    def check(item: Item, output: Output) -> Score:
        wanted = _exact(reference(spec.value, item))
        numbers = [_read(match.group()) for match in _NUMBER.finditer(output.text)]
        if not numbers or (spec.which == "only" and len(numbers) > 1):
            found = "no number" if not numbers else f"{len(numbers)} numbers"
            return Score(value=0.0, passed=False, reason=f"the answer has {found}")
        given = numbers[0 if spec.which == "first" else -1]
        if given is None:
            return Score(value=0.0, passed=False, reason="the number is too long to read")
        within = abs(given - wanted) <= max(spec.absolute, spec.relative * abs(wanted))
        return yes_or_no(within is good, f"it says {given}, expected {wanted}")

    return check


def latency(spec: LatencyWithin) -> Check:
    def check(_: Item, output: Output) -> Score:
        if output.latency is None:
            return unknown("the latency is not known")
        return yes_or_no(output.latency <= spec.seconds, f"it took {output.latency:.3f} s")

    return check


def cost(spec: CostWithin) -> Check:
    def check(_: Item, output: Output) -> Score:
        if output.cost is None:
            return unknown("the cost is not known")
        return yes_or_no(output.cost <= spec.usd, f"it cost {output.cost} USD")

    return check


def tool_called(spec: ToolCalled) -> Check:
    good = not negated(spec.type)
    if spec.at_least < 1 or (spec.at_most is not None and spec.at_most < spec.at_least):
        raise BadEvaluator(
            spec.metric or spec.type, "it asks for an impossible number of calls"
        )

    def check(_: Item, output: Output) -> Score:
        calls = sum(_fits(call, spec) for call in output.tool_calls)
        enough = calls >= spec.at_least and (spec.at_most is None or calls <= spec.at_most)
        names = [call.name for call in output.tool_calls]
        return yes_or_no(
            enough is good, f"{calls} matching call(s) of {spec.tool!r} in {names}"
        )

    return check


def tool_order(spec: ToolOrder) -> Check:
    good = not negated(spec.type)
    if not spec.tools:
        raise BadEvaluator(spec.metric or spec.type, "it names no tools")

    def check(_: Item, output: Output) -> Score:
        names = [call.name for call in output.tool_calls]
        rest = iter(names)
        in_order = all(tool in rest for tool in spec.tools)
        return yes_or_no(in_order is good, f"the calls were {names}")

    return check


def recorded(spec: Recorded) -> Check:
    def check(_: Item, output: Output) -> Score:
        value = output.scores.get(spec.score)
        if value is None:
            return unknown(f"no score {spec.score!r} was recorded")
        if spec.scale == "number":
            return number(value)
        if value not in {0.0, 1.0}:
            return unknown(f"the recorded score {spec.score!r} is {value}, not 0 or 1")
        return Score(value=value, passed=(value == 1.0) is (spec.direction is Direction.HIGHER))

    return check


def corrected(_: Corrected) -> Check:
    def check(item: Item, output: Output) -> Score:
        wanted = item.expected
        if wanted is None:
            raise NoReference("the item does not say what people decided")
        if isinstance(wanted, dict) and set(wanted) == {"not"}:
            again = _gives(output, wanted["not"])
            return yes_or_no(not again, f"it is again {quoted(wanted['not'])}")
        given = [call.name for call in output.tool_calls] or output.text
        return yes_or_no(_gives(output, wanted), f"it is {quoted(given)}, not {quoted(wanted)}")

    return check


def _gives(output: Output, wanted: Any) -> bool:
    """Whether an answer is `wanted`, or does it: a call that is wanted may be written as text."""
    parsed = json_of(output.text)
    said = None if parsed is None else parsed.value
    if isinstance(wanted, dict) and "tool" in wanted:
        arguments = wanted.get("arguments", {})
        return any(
            call.name == wanted["tool"] and holds(call.arguments, arguments)
            for call in output.tool_calls
        ) or (
            isinstance(said, dict)
            and (holds(said, wanted) or (bool(arguments) and holds(said, arguments)))
        )
    if isinstance(wanted, str) and output.text.strip() == wanted.strip():
        return True
    if parsed is not None and same_json(said, wanted):
        return True
    return any(
        same_json(value, wanted)
        for call in output.tool_calls
        if isinstance(call.arguments, dict)
        for value in call.arguments.values()
    )


def _fits(call: ToolCall, spec: ToolCalled) -> bool:
    if call.name != spec.tool:
        return False
    return spec.arguments is None or holds(call.arguments, spec.arguments)


def holds(given: Any, wanted: Any) -> bool:
    """Whether `given` has everything that `wanted` has; objects may have more, lists may not."""
    if isinstance(wanted, Mapping):
        return isinstance(given, Mapping) and all(
            key in given and holds(given[key], part) for key, part in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(given, list)
            and len(given) == len(wanted)
            and all(holds(one, part) for one, part in zip(given, wanted, strict=True))
        )
    return same_json(given, wanted)


def _exact(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) or (
        isinstance(value, int | float) and not isinstance(value, bool)
    ):
        read = _read(str(value).strip())
        if read is not None and read.is_finite():
            return read
    raise NoReference(f"the expected answer {quoted(value)} is not a number")


def _read(text: str) -> Decimal | None:
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        return Decimal(text.replace(",", "").replace("−", "-"))
    except InvalidOperation:
        return None
