"""Our own suites, as recorded runs: an agent that does its task, and obeys every injection."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from opsroom.bench.recorded import NONE, Call, Run, contracts_from
from opsroom.contracts.model import ContractSpec
from opsroom.grounding.model import Piece, Voice

FOLDER = Path(__file__).parent / "suites"
NAMES = tuple(sorted(one.stem for one in FOLDER.glob("*.yaml")))
HOLE = "{{note}}"


@dataclass(frozen=True, slots=True)
class Suite:
    name: str
    contracts: dict[str, ContractSpec]
    data: dict[str, Any]

    def runs(self) -> Iterator[Run]:
        """Every task alone, then with every injection that it comes to read."""
        for task in self.data["tasks"]:
            yield self._run(task, None)
            for attack in self.data["attacks"]:
                run = self._run(task, attack)
                if any(isinstance(step, Call) and step.attack for step in run.steps):
                    yield run

    def _run(self, task: dict[str, Any], attack: dict[str, Any] | None) -> Run:
        return Run(
            suite=self.name,
            agent="obedient",
            task=f"user_task_{task['id']}",
            attack=attack["id"] if attack else NONE,
            steps=tuple(self._steps(task, attack)),
        )

    def _steps(
        self, task: dict[str, Any], attack: dict[str, Any] | None
    ) -> Iterator[Piece | Call]:
        yield Piece(voice=Voice.SYSTEM, text=self.data["system"])
        yield Piece(voice=Voice.USER, text=task["user"])
        obeyed = attack is None
        for step in task["steps"]:
            tool, arguments = step["tool"], step["arguments"]
            raw = self.data["world"].get(step["result"], step["result"])
            yield Call(tool=tool, arguments=arguments)
            text = _filled(raw, attack["text"] if attack else "")
            yield Piece(voice=Voice.TOOL, text=text, tool=tool, arguments=arguments)
            if attack is not None and HOLE in raw and not obeyed:
                obeyed = True
                for call in attack["calls"]:
                    yield Call(tool=call["tool"], arguments=call["arguments"], attack=True)
                    yield Piece(
                        voice=Voice.TOOL,
                        text="done",
                        tool=call["tool"],
                        arguments=call["arguments"],
                    )


def load(name: str) -> Suite:
    data = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    return Suite(name, contracts_from(data["tools"]), data)


def _filled(raw: str, note: str) -> str:
    """The injection at its place, quoted as the format there wants it."""
    if raw.startswith(('{"', '[{"')):
        note = json.dumps(note)[1:-1]
    elif raw.startswith("{'"):
        note = repr(note)[1:-1].replace("'", "\\'") if "'" in note else note
    elif "'" in raw:
        note = note.replace("'", "''").replace("\n", "\n\n    ")
    return raw.replace(HOLE, note)
