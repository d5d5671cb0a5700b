"""Assertions on answers as data, and on what an answer took."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from opsroom.evals.evaluators.reading import json_of, quoted
from opsroom.kit.canonical import canonical
from opsroom.kit.errors import OpsroomError
from opsroom.kit.yamlfile import Limits, parse_yaml

from .model import Answer, Check, Unclear, Verdict, kind_of, plainly, text_value, threshold_of

Valid = Callable[[Any], bool]

MAX_SCANNED = 500_000  # characters looked at in search of JSON in one answer
LONGEST_JSON = 100_000
_SMALL = Limits(size=LONGEST_JSON + 100, values=20_000, odd_keys=True)
# A quote that is not closed is taken up to the end, so that nothing is looked at twice.
COMMENT = re.compile(r'("(?:[^"\\]|\\.)*+"?)|//')

# What draft 7 knows; promptfoo refuses a schema with any other word in it.
# fmt: off
_KEYWORDS = frozenset({
    "$schema", "$id", "$ref", "$comment", "title", "description", "default", "deprecated",
    "readOnly", "writeOnly", "examples", "definitions", "multipleOf", "maximum",
    "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern",
    "items", "additionalItems", "maxItems", "minItems", "uniqueItems", "contains",
    "maxProperties", "minProperties", "required", "properties", "patternProperties",
    "additionalProperties", "dependencies", "propertyNames", "const", "enum", "type", "format",
    "if", "then", "else", "allOf", "anyOf", "oneOf", "not", "contentMediaType",
    "contentEncoding", "nullable", "discriminator", "$async",
    "formatMinimum", "formatMaximum", "formatExclusiveMinimum", "formatExclusiveMaximum",
})
_ONE = frozenset({
    "additionalItems", "contains", "additionalProperties", "propertyNames", "if", "then", "else",
    "not", "items",
})
_MANY = frozenset({"items", "allOf", "anyOf", "oneOf"})
_NAMED = frozenset({"definitions", "properties", "patternProperties", "dependencies"})
# fmt: on
_DRAFT = re.compile(r"https?://json-schema\.org/draft-07/schema#?\Z")


def is_json(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    found = json_of(answer.text)
    if found is None:
        return plainly(False, assertion, f"{quoted(answer.text)} is no JSON")
    valid = schema_of(assertion)
    holds = valid is None or valid(found.value)
    return plainly(holds, assertion, "it is JSON" if holds else "it does not fit the schema")


def contains_json(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    inverse = kind_of(assertion)[1]
    found = list(objects_in(answer.text))
    valid = schema_of(assertion) if found else None
    if valid is None:
        return plainly(bool(found), assertion, f"{len(found)} JSON objects are there")
    holds = any(valid(one) for one in found)
    reason = "one fits the schema" if inverse else "none fits the schema"
    return plainly(holds, assertion, reason)


def objects_in(text: str) -> Iterator[Any]:
    """The objects in braces that a text holds, in order and not inside each other.

    They are read as YAML flow mappings, so `{a: 1}` is one. Raises `Unclear` for a text that
    takes too long.
    """
    at, scanned = 0, 0
    while (start := text.find("{", at)) >= 0:
        end, depth = _balanced(text, start)
        scanned += end - start
        if scanned > MAX_SCANNED:
            raise Unclear("the answer has too many braces to look for JSON in it")
        found = _object(text[start:end] + "}" * depth)
        if found is not None:
            yield found
        at = end if found is not None else start + 1


def _balanced(text: str, start: int) -> tuple[int, int]:
    """Where the brace at `start` is closed, or the text ends with so many braces open."""
    depth = 0
    end = min(len(text), start + LONGEST_JSON)
    for brace in _BRACE.finditer(text, start, end):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return brace.end(), 0
    return end, depth


_BRACE = re.compile("[{}]")


def _object(text: str) -> Any:
    found = json_of(text)
    if found is not None:
        return found.value
    try:
        data = parse_yaml(
            COMMENT.sub(lambda one: one.group(1) or "#", text), limits=_SMALL
        ).data
    except (OpsroomError, RecursionError):
        return None
    return data if isinstance(data, dict | list) else None


def schema_of(assertion: Mapping[str, Any]) -> Valid | None:
    """The check of the schema that an assertion brings, if it brings one. Raises `Unclear`."""
    value = assertion.get("value")
    if isinstance(value, str) and value:
        try:
            value = parse_yaml(value, file="schema").data
        except OpsroomError as error:
            raise Unclear(f"the schema cannot be read: {error}") from error
    if not value:
        return None
    return validator(value)


def validator(schema: Any) -> Valid:
    """Whether data fits a schema of draft 7, with formats; nothing is fetched.

    Raises `Unclear` for a schema that promptfoo does not take either.
    """
    if not isinstance(schema, dict | bool):
        raise Unclear("a JSON Schema is an object")
    return _validator(canonical(schema))


@lru_cache(maxsize=256)
def _validator(written: bytes) -> Valid:
    import json  # noqa: PLC0415

    import jsonschema_rs  # noqa: PLC0415  # only where a schema is used

    schema = json.loads(written)
    _check_words(schema)
    try:
        ready = jsonschema_rs.Draft7Validator(
            schema,
            offline=True,
            validate_formats=True,
            # The default engine backtracks: a pattern of the schema could take for ever.
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise Unclear(f"the schema cannot be used: {str(error).splitlines()[0]}") from error
    return ready.is_valid


def _check_words(schema: Any) -> None:
    todo = [schema]
    while todo:
        one = todo.pop()
        if not isinstance(one, dict):
            continue
        if unknown := sorted(set(one) - _KEYWORDS):
            raise Unclear(f"the schema uses {unknown[0]!r}, which draft 7 does not have")
        draft = one.get("$schema")
        if draft is not None and not (isinstance(draft, str) and _DRAFT.match(draft)):
            raise Unclear(f"the schema is of {draft!r}; draft 7 is read")
        for word, part in one.items():
            if word in _ONE:
                todo.append(part)
            if word in _MANY and isinstance(part, list):
                todo.extend(part)
            if word in _NAMED and isinstance(part, dict):
                todo.extend(part.values())


# -- what an answer took, and how it ended --


def latency(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    """The threshold is in milliseconds."""
    threshold = threshold_of(assertion)
    if answer.output.latency is None:
        raise Unclear("the latency is not known")
    took = answer.output.latency * 1000
    return plainly(
        took <= threshold, assertion, f"it took {took:.0f} ms, threshold {threshold:g}"
    )


def cost(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    """The threshold is in US dollars."""
    threshold = threshold_of(assertion)
    if answer.output.cost is None:
        raise Unclear("the cost is not known")
    within = answer.output.cost <= Decimal(str(threshold))
    return plainly(within, assertion, f"it cost {answer.output.cost} USD")


_ENDS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "tool_call": "tool_calls",
}


def finish_reason(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    """Providers' words for one end are one: `end_turn` is `stop`, `tool_use` is `tool_calls`."""
    wanted = text_value(assertion)
    given = (answer.output.finish_reason or "").lower()
    same = bool(given) and _ENDS.get(given, given) == wanted.lower()
    return plainly(same, assertion, f"it ended by {given or 'nothing that is known'!r}")


def guardrails(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    """An answer that the provider's filter cut off is flagged; every other one passed it."""
    flagged = (answer.output.finish_reason or "").lower() == "content_filter"
    return plainly(
        not flagged, assertion, "the provider's filter stopped it" if flagged else ""
    )


CHECKS: dict[str, Check] = {
    "is-json": is_json,
    "contains-json": contains_json,
    "latency": latency,
    "cost": cost,
    "finish-reason": finish_reason,
    "guardrails": guardrails,
}
