"""Assertions on tool calls: that they are well formed, and that the right ones were made."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opsroom.evals.evaluators.reading import json_of

from .data import validator
from .model import Answer, Check, Unclear, Verdict, by_degrees
from .words import as_text, trimmed

_OPENING = re.compile(r"^[ \t]*([\[{])", re.MULTILINE)
_LINE_END = re.compile(r"[^\S\n]*(?:\n|\Z)")
MAX_FAILED = 500  # brackets that open no JSON, in one answer
_MCP = re.compile(r"MCP Tool (Result|Error)")


def is_valid_tools_call(_: Mapping[str, Any], answer: Answer) -> Verdict:
    """Every call names a tool of the provider, with arguments of its schema."""
    if mcp := _MCP.findall(answer.text):
        failed = "Error" in mcp
        return Verdict(not failed, float(not failed), "an MCP tool failed" if failed else "")
    data = answer.data
    calls = data.get("tool_calls") if isinstance(data, dict) else data
    if not isinstance(calls, list) or not calls:
        return _wrong("the answer calls no tools")
    if not answer.tools:
        return _wrong("the provider has no tools")
    declared = [
        one["function"]
        for one in answer.tools
        if isinstance(one, dict) and one.get("type") == "function" and "function" in one
    ]
    for call in calls:
        if problem := _misfit(call["function"], declared):
            return _wrong(problem)
    return Verdict(True, 1.0, "")


def is_valid_function_call(_: Mapping[str, Any], answer: Answer) -> Verdict:
    """The one call names a function of the provider. Written as `functions`, before tools."""
    data = answer.data
    calls = data.get("tool_calls") if isinstance(data, dict) else data
    if not isinstance(calls, list) or len(calls) != 1:
        return _wrong("the answer is not one function call")
    problem = _misfit(calls[0]["function"], answer.functions)
    return _wrong(problem) if problem else Verdict(True, 1.0, "")


def _misfit(call: Mapping[str, Any], declared: Sequence[Any]) -> str:
    name = call["name"]
    schema = next(
        (
            one.get("parameters")
            for one in declared
            if isinstance(one, dict) and one.get("name") == name
        ),
        None,
    )
    if not schema:
        return f"there is no function {name!r}"
    arguments = json_of(call["arguments"])
    if arguments is None:
        return f"the arguments of {name!r} are no JSON"
    return "" if validator(schema)(arguments.value) else f"the arguments of {name!r} do not fit"


def _wrong(reason: str) -> Verdict:
    """`not-` does not turn these round: promptfoo does not either."""
    return Verdict(False, 0.0, reason)


def tool_call_f1(assertion: Mapping[str, Any], answer: Answer) -> Verdict:
    """Harmonic mean of precision and recall of the names of the tools, as sets."""
    value = assertion.get("value")
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list):
        raise Unclear("tool-call-f1 needs the names of tools")
    wanted = {trimmed(as_text(one)) for one in names} - {""}
    if not wanted:
        raise Unclear("tool-call-f1 needs the names of tools")
    called = names_in(answer.text if answer.data is None else answer.data)
    right = len(wanted & called)
    f1 = 2 * right / (len(wanted) + len(called))
    good, _, _ = by_degrees(f1, assertion, 1)
    said = f"F1 {f1:.3f}: wanted {sorted(wanted)}, called {sorted(called)}"
    return Verdict(good, f1, "" if good else said)


def names_in(output: Any) -> set[str]:  # noqa: PLR0911  # one return a notation
    """The tools that an answer calls, in the notations of the large providers."""
    match output:
        case str():
            found = json_of(output)
            if found is not None:
                return set() if isinstance(found.value, str) else names_in(found.value)
            return {name for block in _blocks(output) for name in names_in(block)}
        case list():
            return {name for one in output if (name := _name(one)) is not None}
        case {"tool_calls": list() as calls}:
            return {name for one in calls if isinstance(one, dict) for name in _own(one)}
        case {"type": "tool_use" | "function_call", "name": str(name)}:
            return {name}
        case {"functionCall": {"name": str(name)}}:
            return {name}
        case {"toolCall": {"functionCalls": list() as calls}}:
            return {
                one["name"]
                for one in calls
                if isinstance(one, dict) and isinstance(one.get("name"), str)
            }
        case _:
            return set()


def _name(one: Any) -> str | None:
    match one:
        case {"type": "tool_use", "name": str(name)}:
            return name
        case {"functionCall": dict() as call}:
            pass
        case {"function": dict() as call}:
            pass
        case dict() as call:
            pass
        case _:
            return None
    own = call.get("name")
    return own if isinstance(own, str) else None


def _own(call: Mapping[str, Any]) -> Iterator[str]:
    for part in (call.get("function"), call):
        if isinstance(part, dict) and isinstance(part.get("name"), str):
            yield part["name"]


def _blocks(text: str) -> Iterator[Any]:
    """JSON values among words: each begins a line, and a line ends behind it."""
    decoder = json.JSONDecoder()
    at = failed = 0
    while opening := _OPENING.search(text, at):
        try:
            value, end = decoder.raw_decode(text, opening.start(1))
        except ValueError:
            at, failed = opening.end(), failed + 1
            if failed > MAX_FAILED:
                raise Unclear("the answer has too many brackets to look for calls in") from None
            continue
        except RecursionError:
            raise Unclear("the answer is nested too deep to look for calls in") from None
        if _LINE_END.match(text, end):
            yield value
        at = end


CHECKS: dict[str, Check] = {
    "is-valid-openai-tools-call": is_valid_tools_call,
    "is-valid-openai-function-call": is_valid_function_call,
    "is-valid-function-call": is_valid_function_call,
    "tool-call-f1": tool_call_f1,
}
