"""What people corrected as examples to train a model on, in OpenAI's JSON lines.

Only accepted corrections leave, never those of the test split, and only those of which an
answer is known to be right. Nobody's name is among them. A correction of an edited call is what
was changed; here it is the whole call, read from the override that said so and cleaned as
corrections are, and so is what the agent had answered, for `dpo`.

Formats: https://developers.openai.com/api/docs/guides/supervised-fine-tuning and
https://developers.openai.com/api/docs/guides/direct-preference-optimization
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from opsroom.corrections import Correction, State
from opsroom.corrections import queries as corrections
from opsroom.corrections.model import cleaned, content_hash, taught, whole
from opsroom.datasets import Item
from opsroom.evals.compose import composer, load_prompts
from opsroom.evals.runner import Compose
from opsroom.improvement.model import SEEN, TRAIN
from opsroom.inbox.model import Say
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import Wire
from opsroom.traces import keeping

from . import reckoning
from .errors import HeldOutExport

PAGE = 100


class Format(StrEnum):
    OPENAI_CHAT = "openai-chat"
    DPO = "dpo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to export. Raises `HeldOutExport` for a split that is not for learning."""

    agent: str
    format: Format
    splits: tuple[str, ...] = (TRAIN,)

    def __post_init__(self) -> None:
        for split in self.splits:
            if split not in SEEN:
                raise HeldOutExport(split)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported(Wire):
    """How many examples an export has, and why accepted corrections of its splits are not among
    them, by how many.
    """

    version: str
    lines: int
    left_out: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a correction is no example."""

    why: str


def check(tx: Tx, wanted: Wanted) -> None:
    """Raises `NothingToImprove` where no version of the agent serves, whose prompt would ask."""
    reckoning.serving(tx, wanted.agent)


def count(tx: Tx, wanted: Wanted) -> Exported:
    """How many lines an export has. Raises as `check` does."""
    version, _ = reckoning.serving(tx, wanted.agent)
    lines, left_out = 0, dict[str, int]()
    for one in _examples(tx, wanted):
        if isinstance(one, LeftOut):
            left_out[one.why] = left_out.get(one.why, 0) + 1
        else:
            lines += 1
    return Exported(version=version.ref, lines=lines, left_out=left_out)


def lines(tx: Tx, wanted: Wanted) -> Iterator[str]:
    """The examples, newest corrections first, each a line of JSON."""
    for one in _examples(tx, wanted):
        if not isinstance(one, LeftOut):
            yield json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n"


def _examples(tx: Tx, wanted: Wanted) -> Iterator[dict[str, Any] | LeftOut]:
    version, _ = reckoning.serving(tx, wanted.agent)
    compose = composer(version, load_prompts(tx, version), variant="")
    clean = keeping.redactor(keeping.current(tx)).clean
    for one in _accepted(tx, wanted.agent):
        if one.split in wanted.splits:
            yield _example(tx, one, wanted.format, compose, clean)


def _accepted(tx: Tx, agent: str) -> Iterator[Correction]:
    before: str | None = None
    while page := corrections.corrections(
        tx, agent=agent, state=State.ACCEPTED, before=before, limit=PAGE
    ):
        yield from page
        before = page[-1].id


def _example(
    tx: Tx, one: Correction, format_: Format, compose: Compose, clean: Callable[[str], str]
) -> dict[str, Any] | LeftOut:
    if isinstance(one.expected, dict) and "not" in one.expected:
        return LeftOut("what would have been right is not known")
    try:
        messages = _messages(compose, one)
    except OpsroomError:
        return LeftOut("the prompt that serves cannot be filled with it")
    answers = _answers(tx, one, clean)
    if answers is None:
        return LeftOut("of an edited call, only what was changed is known")
    right, wrong = answers
    if format_ is Format.OPENAI_CHAT:
        return {"messages": [*messages, _assistant(right)]}
    return _pair(messages, right, wrong)


def _pair(
    messages: Sequence[dict[str, str]], right: str, wrong: str | None
) -> dict[str, Any] | LeftOut:
    if wrong is None:
        return LeftOut("what the agent had answered instead is not known")
    if wrong == right:
        return LeftOut("both answers read the same")
    return {
        "input": {"messages": list(messages)},
        "preferred_output": [_assistant(right)],
        "non_preferred_output": [_assistant(wrong)],
    }


def _messages(compose: Compose, one: Correction) -> Sequence[dict[str, str]]:
    """What the version that serves would ask a model about it."""
    item = Item(id=one.id, input=one.input, expected=one.expected, split=one.split)
    asked = compose(item, content_hash(one.input, one.expected), 0)
    return [{"role": said.role, "content": said.content} for said in asked.messages]


def _answers(
    tx: Tx, one: Correction, clean: Callable[[str], str]
) -> tuple[str, str | None] | None:
    """What is right, and what the agent had answered instead where that is known; both whole.
    None where people edited a call of which nobody knows the rest.
    """
    fragment = False
    for override in corrections.overrides(tx, one.id):
        told = taught(override)
        if override.retracted_at is not None or cleaned(told.expected, clean) != one.expected:
            continue
        if override.say is Say.EDIT:
            both = whole(override)
            if both is not None:
                right, wrong = both
                return _said(cleaned(right, clean)), _said(cleaned(wrong, clean))
            fragment = True
        elif told.wrong is not None:
            return _said(one.expected), _said(cleaned(told.wrong, clean))
    return None if fragment else (_said(one.expected), None)


def _assistant(content: str) -> dict[str, str]:
    return {"role": "assistant", "content": content}


def _said(answer: Any) -> str:
    """An answer as a model writes it: a text as it is, anything else as JSON."""
    return answer if isinstance(answer, str) else canonical(answer).decode()
