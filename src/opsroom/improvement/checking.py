"""Why a candidate may not even be tried: what an optimiser writes is not trusted to be a prompt."""

from typing import Any

from pydantic import ValidationError

from opsroom.agents import AgentSpec
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import adapter
from opsroom.prompts import lint as linting
from opsroom.prompts.includes import Include, Whole, whole
from opsroom.prompts.model import PromptSpec, read_spec
from opsroom.registry import Severity


def refused(
    kind: str, spec: dict[str, Any], base: dict[str, Any], *, include: Include, max_chars: int
) -> str:
    """What is wrong with a candidate, in a sentence; empty where nothing is."""
    if kind == "agent":
        return _refused_agent(spec)
    try:
        made, was = read_spec(spec), read_spec(base)
        new, old = whole(made, include=include), whole(was, include=include)
    except OpsroomError as error:
        return f"not a valid prompt: {error}"
    if reason := _variables(new, old):
        return reason
    if [part.place for part in made.parts if not part.template.strip()]:
        return "a part of it is empty"
    size = sum(len(part.template) for part in made.parts)
    if size > max_chars:
        return f"it is {size:,} characters long, and {max_chars:,} are allowed"
    return _lint(made, was, include)


def _variables(new: Whole, old: Whole) -> str:
    """A variable is dropped where the base placed it and the candidate does not."""
    used, before = _used(new), _used(old)
    if dropped := sorted(before - used):
        return f"it drops the variable {_listed(dropped)}"
    if invented := sorted((used - before) | (new.variables.keys() - old.variables.keys())):
        return f"it invents the variable {_listed(invented)}"
    return ""


def _used(prompt: Whole) -> set[str]:
    return {name for _, unit in prompt.parts for name in unit.template.names}


def _lint(made: PromptSpec, was: PromptSpec, include: Include) -> str:
    """The first error that the base does not have as well."""
    known = {one.code for one in linting.lint(was, include=include)}
    for one in linting.lint(made, previous=was, include=include):
        if one.severity is Severity.ERROR and one.code not in known:
            return f"lint: {one.message}"
    return ""


def _refused_agent(spec: dict[str, Any]) -> str:
    try:
        adapter(AgentSpec).validate_python(spec)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"not a valid manifest: {place}: {first['msg']}"
    return ""


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names))
