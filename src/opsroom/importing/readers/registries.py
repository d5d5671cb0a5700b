"""Versions of prompts from other registries, as versions of ours."""

from collections.abc import Callable, Mapping
from typing import Any

from opsroom.prompts.errors import PromptTooLarge, PromptWrong
from opsroom.prompts.model import Role, read_spec
from opsroom.registry import VersionDraft

from .braces import NotOurs, Pieces, template
from .gathering import Gathering
from .lines import Line

_ROLES = frozenset(one.value for one in Role)
_SETTINGS = {
    "temperature": (int, float),
    "top_p": (int, float),
    "max_tokens": (int,),
    "seed": (int,),
    "frequency_penalty": (int, float),
    "presence_penalty": (int, float),
}
_MODEL = ("model", "model_name")
_STOP = ("stop", "stop_sequences")


def keep(
    made: Gathering,
    one: Line,
    number: int,
    spec: Callable[[], dict[str, Any]],
    *,
    message: Any,
    labels: list[Any],
) -> None:
    """Take in a version of a prompt under the number that it has there, or say why it cannot be."""
    given = one.text("name")
    name = made.name("prompt", given, one)
    try:
        read = spec()
    except NotOurs as error:
        made.leave_out("version", f"{given[:100]} version {number}: {error}")
        return
    draft = VersionDraft(
        spec=read,
        message=str(message),
        source=f"{made.format}:{given}@{number}",
        labels=made.labels(labels),
    )
    made.numbered(name, given, number, draft)


def spec_of(
    prompt: Any, pieces: Pieces, *, config: Any = None, schema: Any = None
) -> dict[str, Any]:
    """A prompt of ours from a text or a list of messages. Raises `NotOurs` where that cannot be."""
    names: dict[str, None] = {}

    def read(text: Any) -> str:
        if not isinstance(text, str):
            raise NotOurs("a message holds more than text")
        made, found = template(text, pieces)
        names.update(dict.fromkeys(found))
        return made

    spec: dict[str, Any]
    if isinstance(prompt, str):
        spec = {"format": "text", "text": read(prompt)}
    elif isinstance(prompt, list) and prompt:
        spec = {"format": "chat", "messages": [_message(one, read) for one in prompt]}
    else:
        raise NotOurs("it holds neither a text nor messages")
    spec["variables"] = {name: {"type": "text"} for name in names}
    if isinstance(config, dict):
        spec["model"] = _model(config)
    if isinstance(schema, dict):
        spec["output_schema"] = schema
    try:
        read_spec(spec)
    except (PromptWrong, PromptTooLarge) as error:
        raise NotOurs(str(error)) from error
    return spec


def _message(one: Any, read: Any) -> dict[str, str]:
    if not isinstance(one, dict):
        raise NotOurs("a message is no object")
    if one.get("type") == "placeholder":
        raise NotOurs("it has a place for whole messages, which prompts do not have here")
    role = one.get("role")
    if role not in _ROLES:
        raise NotOurs(f"messages have no role {str(role)[:40]!r} here")
    return {"role": str(role), "content": read(one.get("content"))}


def _model(config: Mapping[str, Any]) -> dict[str, Any]:
    """How the model is asked; what we have no word for is kept beside it."""
    found: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in config.items():
        if name in _MODEL and isinstance(value, str) and "name" not in found:
            found["name"] = value
        elif name in _STOP and isinstance(value, list) and "stop" not in found:
            found["stop"] = value
        elif (
            name in _SETTINGS
            and isinstance(value, _SETTINGS[name])
            and not isinstance(value, bool)
        ):
            found[name] = value
        elif value is not None:
            extra[name] = value
    return {**found, "extra": extra} if extra else found
