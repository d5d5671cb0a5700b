"""From an item to a request, for subjects that take the item as it is.

A subject with a prompt of its own renders it instead; that is its caller's business.
"""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from opsroom.datasets import BadItem, Item
from opsroom.kit.canonical import canonical
from opsroom.kit.wire import adapter
from opsroom.models import Message, ModelRequest


def as_it_is(
    subject: str,
    *,
    variant: str = "",
    parameters: dict[str, Any] | None = None,
    seed: int | None = None,
) -> Callable[[Item, str, int], ModelRequest]:
    """Ask `subject` (a version's digest) with the item's input and nothing else.

    Text is the user's message, a list of messages is the conversation, anything else goes
    out as canonical JSON. Trials get seeds of their own, counted up from `seed`.
    """

    def compose(item: Item, content: str, trial: int) -> ModelRequest:
        return ModelRequest(
            messages=conversation(item),
            subject=subject,
            item=content,
            variant=variant,
            trial=trial,
            parameters=parameters or {},
            seed=None if seed is None else seed + trial,
        )

    return compose


def conversation(item: Item) -> tuple[Message, ...]:
    """The messages that the item's input stands for. Raises `BadItem`."""
    match item.input:
        case str(text):
            return (Message(role="user", content=text),)
        case [{"role": _}, *_] as turns:
            try:
                return adapter(tuple[Message, ...]).validate_python(turns)
            except ValidationError as error:
                problem = error.errors()[0]
                place = ".".join(str(step) for step in problem["loc"])
                raise BadItem(item.id, f"message {place}: {problem['msg']}") from error
        case data:
            return (Message(role="user", content=canonical(data).decode()),)
