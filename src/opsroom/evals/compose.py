"""From an item to a request, for a version that brings prompts of its own."""

from collections.abc import Mapping
from typing import Any

from opsroom.agents import AgentSpec
from opsroom.datasets import BadItem, Item
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter, plain
from opsroom.models import Message, ModelRequest, Role
from opsroom.prompts.model import PromptSpec
from opsroom.prompts.model import Role as PromptRole
from opsroom.prompts.rendering import Prepared, prepare
from opsroom.registry import Ref, Version
from opsroom.registry import queries as registry

from .asking import as_it_is, conversation
from .runner import Compose

SYSTEM: Role = "system"
ROLES: dict[PromptRole, Role] = {
    PromptRole.SYSTEM: "system",
    PromptRole.DEVELOPER: "system",
    PromptRole.USER: "user",
    PromptRole.ASSISTANT: "assistant",
}


def load_prompts(tx: Tx, version: Version) -> dict[str, PromptSpec]:
    """Every prompt that a version needs, includes and all, by its citation `name@7`.

    A prompt itself need not be in the registry; what it includes does.
    """
    found: dict[str, PromptSpec] = {}
    if version.kind == "prompt":
        own = found[_cited(version)] = adapter(PromptSpec).validate_python(version.spec)
        todo = list(own.includes.values())
    else:
        todo = list(adapter(AgentSpec).validate_python(version.spec).prompts.values())
    while todo:
        cited = todo.pop()
        if cited not in found:
            stored = registry.version(tx, Ref.parse(cited, kind="prompt"))
            spec = found[cited] = adapter(PromptSpec).validate_python(stored.spec)
            todo += spec.includes.values()
    return found


def composer(version: Version, prompts: Mapping[str, PromptSpec], *, variant: str) -> Compose:
    """How `version` asks about an item.

    A prompt is rendered with the item's input as its variables, or as its only one. An agent's prompt for the
    role `system` (or its only one) is rendered likewise where it has variables; where it has
    none it comes first and the item follows as the user's message.
    """
    cited, parameters = _entry(version)
    if cited is None:
        return as_it_is(version.digest, variant=variant, parameters=parameters)
    spec = prompts[cited]
    prepared = prepare(spec, include=lambda reference: prompts[reference])
    parameters = {**_parameters(spec), **parameters}

    def compose(item: Item, content: str, trial: int) -> ModelRequest:
        return ModelRequest(
            messages=_messages(prepared, item),
            subject=version.digest,
            item=content,
            variant=variant,
            trial=trial,
            parameters=parameters,
            seed=trial,
        )

    return compose


def _entry(version: Version) -> tuple[str | None, dict[str, Any]]:
    """The prompt that a version starts with, and the parameters that go with it."""
    if version.kind == "prompt":
        return _cited(version), {}
    agent = adapter(AgentSpec).validate_python(version.spec)
    prompts = agent.prompts
    only = next(iter(prompts.values())) if len(prompts) == 1 else None
    return prompts.get(SYSTEM, only), dict(agent.model.parameters)


def _cited(version: Version) -> str:
    return f"{version.name}@{version.number}"


def _messages(prepared: Prepared, item: Item) -> tuple[Message, ...]:
    if not prepared.prompt.variables:
        first = _as_messages(prepared, {}, role=SYSTEM)
        return (*first, *conversation(item))
    values = item.input
    if not isinstance(values, dict):
        names = list(prepared.prompt.variables)
        if len(names) > 1:
            raise BadItem(
                item.id,
                f"a prompt with the variables {', '.join(names)} needs an object as input",
            )
        values = {names[0]: values}
    return _as_messages(prepared, values, role="user")


def _as_messages(
    prepared: Prepared, values: Mapping[str, Any], role: Role
) -> tuple[Message, ...]:
    rendered = prepared.render(values)
    if rendered.text is not None:
        return (Message(role=role, content=rendered.text),)
    return tuple(
        Message(role=ROLES[one.role], content=one.content) for one in rendered.messages
    )


def _parameters(spec: PromptSpec) -> dict[str, Any]:
    """What a prompt asks of its model, without what it leaves open."""
    asked: dict[str, Any] = plain(spec.model)
    extra = asked.pop("extra")
    asked.pop("name")
    return {
        name: value for name, value in {**asked, **extra}.items() if value not in (None, [])
    }
