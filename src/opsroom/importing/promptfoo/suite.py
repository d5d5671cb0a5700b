"""What a configuration comes to: cases, prompts, providers, and everything that is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsroom.datasets import Item
from opsroom.kit.errors import Invalid

MAX_CASES = 20_000


@dataclass(eq=False)
class NotRunnable(Invalid):
    """A configuration was read, and asks for what is not done here."""

    code = "promptfoo_not_runnable"
    text = "{0.file} is read, but cannot be run here:{0.listed}"
    hint = "take these out of the file, or run it with promptfoo; docs/how-to/promptfoo.md says what is run"
    file: str
    missing: list[str]

    @property
    def listed(self) -> str:
        return "".join(f"\n  - {one}" for one in self.missing)


class Missing:
    """What a configuration asks for that is not done here, in the order found, once each."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def add(self, where: str, why: str) -> None:
        self._found.setdefault(f"{where}: {why}")

    def __bool__(self) -> bool:
        return bool(self._found)

    def listed(self) -> list[str]:
        return list(self._found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt as `PromptSpec` is written, and the label that providers choose it by."""

    label: str
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who answers: `model` is the name to ask for, or empty where nobody is asked.

    `prompts` are the labels of the prompts that it gets; None is all of them.
    """

    id: str
    label: str
    model: str
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tools: Sequence[Any] = ()
    functions: Sequence[Any] = ()
    prompts: tuple[str, ...] | None = None

    def gets(self, label: str) -> bool:
        if self.prompts is None:
            return True
        return any(
            label == one
            or label.startswith(f"{one}:")
            or (one.endswith("*") and label.startswith(one[:-1]))
            for one in self.prompts
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A configuration that can be run. `answers` are those the file brings, by content hash.

    `notes` say what was read and takes no effect here.
    """

    name: str
    description: str
    prompts: tuple[Prompt, ...]
    providers: tuple[Provider, ...]
    items: tuple[Item, ...]
    answers: Mapping[str, str]
    named: tuple[str, ...]
    grader: str
    repeat: int = 1
    notes: tuple[str, ...] = ()
