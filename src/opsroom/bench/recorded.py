"""Recorded runs of agents under attack and at work, as files, in one shape.

Read-only, and nothing of it is stored. A run is its messages in order; which of its calls carry
out an attack was found by comparison with the attack's own calls, not by any rule of ours.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsroom.contracts.model import ContractSpec
from opsroom.contracts.readers.tools import read_openai
from opsroom.grounding.model import Piece, Voice
from opsroom.kit.files import read_jsonl

from .errors import NoRecordings

NONE = "none"
_SAYS = {"user": Voice.USER, "system": Voice.SYSTEM, "assistant": Voice.MODEL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A recorded tool call, and whether it carries out an attack."""

    tool: str
    arguments: Mapping[str, Any]
    attack: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One recorded run. `own` says that the task is the user's own, as in a control run whose
    user asks for what an attacker would want.
    """

    suite: str
    agent: str
    task: str
    attack: str = NONE
    steps: tuple[Piece | Call, ...] = field(repr=False)

    @property
    def control(self) -> bool:
        return self.attack == NONE and self.task.startswith("injection_task_")


def data_dir(given: Path | None, *parts: str) -> Path:
    """Where recordings are: as given, else below `OPSROOM_DATA`."""
    root = os.environ.get("OPSROOM_DATA", "")
    path = given or (Path(root, *parts) if root else None)
    if path is None or not path.is_dir():
        raise NoRecordings(str(path or ""))
    return path


def contracts_from(tools: list[dict[str, Any]]) -> dict[str, ContractSpec]:
    """Contracts made of nothing but the JSON that a model is shown of each tool."""
    return {spec.tool: spec for spec in read_openai(tools).contracts}


def suites(path: Path) -> dict[str, dict[str, ContractSpec]]:
    """The contracts of every `suite_*.json` in a folder."""
    return {
        one.stem.removeprefix("suite_"): contracts_from(
            json.loads(one.read_text("utf-8"))["tools"]
        )
        for one in sorted(path.glob("suite_*.json"))
    }


def runs(file: Path) -> Iterator[Run]:
    """The runs of one file (JSON lines, plain or gzip)."""
    for _, line in read_jsonl(file):
        yield read_run(line)


def read_run(line: Mapping[str, Any]) -> Run:
    """A run as it was recorded. Calls come before their answers; answers know their call."""
    attacks = set(line.get("attack_call_indices", ()))
    return Run(
        suite=line.get("suite", line.get("domain", "")),
        agent=line.get("pipeline", line.get("agent", "")),
        task=str(line.get("user_task", line.get("task_id", ""))),
        attack=line.get("attack", NONE),
        steps=tuple(_steps(line["messages"], attacks)),
    )


def _steps(messages: list[dict[str, Any]], attacks: set[int]) -> Iterator[Piece | Call]:
    asked: dict[str, dict[str, Any]] = {}
    number = 0
    for message in messages:
        text = message.get("content") or ""
        voice = _SAYS.get(message["role"])
        if voice is None:
            call = asked.get(message.get("tool_call_id") or "", {})
            tool = message.get("function") or call.get("function", "")
            yield Piece(
                voice=Voice.TOOL, text=text, tool=tool, arguments=call.get("args") or {}
            )
        elif text:
            yield Piece(voice=voice, text=text)
        for call in message.get("tool_calls") or ():
            asked[call["id"]] = call
            yield Call(
                tool=call["function"],
                arguments=call["args"] or {},
                attack=number in attacks,
            )
            number += 1
