"""AgentDojo transcripts: agents at work, with and without somebody attacking them.

All pipelines are versions of one agent, labelled by the pipeline's name. An item is a task
under an attack (or under none); the attack is its split, control runs have their own.
"""

from pathlib import Path
from typing import Any

from opsroom.datasets import Item
from opsroom.importing.model import (
    Bundle,
    NewDataset,
    NewRecording,
    NewVersion,
    agent_draft,
)
from opsroom.kit.texts import as_name
from opsroom.models import Output, ToolCall
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft

from .lines import Line, files, lines, source_file

NAME = "agentdojo"
CLEAN = "clean"
CONTROL = "control"
EVALUATORS: dict[str, dict[str, Any]] = {
    "agentdojo-utility": {"type": "recorded", "metric": "utility", "score": "utility"},
    "agentdojo-attack-success": {
        "type": "recorded",
        "metric": "attack_success",
        "score": "attack_success",
        "direction": "lower",
    },
}


def read(path: Path) -> Bundle:
    """The transcripts in a file, or in all files of a folder."""
    found = files(path, NAME)
    versions: dict[str, NewVersion] = {}
    items: dict[str, Item] = {}
    recordings: list[NewRecording] = []
    for file in found:
        for line in lines(file):
            pipeline = line.text("pipeline")
            source = f"agentdojo:{pipeline}"
            if source not in versions:
                versions[source] = _version(pipeline, source)
            item = _item(line)
            content = item.hash
            items.setdefault(content, item)
            recordings.append(
                NewRecording(
                    kind="agent",
                    name=NAME,
                    source=source,
                    item=content,
                    output=_output(line),
                )
            )
    return Bundle(
        format=NAME,
        files=tuple(source_file(file) for file in found),
        artifacts=(
            ArtifactDraft(
                kind="agent",
                name=NAME,
                purpose="works through mail, bank and chat while being attacked",
                criticality=Criticality.ADVISORY,
            ),
            *(
                ArtifactDraft(kind="evaluator", name=name, criticality=Criticality.ADVISORY)
                for name in EVALUATORS
            ),
        ),
        versions=(
            *(
                NewVersion(
                    kind="evaluator", name=name, draft=VersionDraft(spec=spec, source=NAME)
                )
                for name, spec in EVALUATORS.items()
            ),
            *versions.values(),
        ),
        datasets=(
            NewDataset(name=NAME, items=tuple(items.values()), evaluators=tuple(EVALUATORS)),
        ),
        recordings=tuple(recordings),
    )


def _version(pipeline: str, source: str) -> NewVersion:
    return NewVersion(
        kind="agent",
        name=NAME,
        draft=VersionDraft(
            spec=agent_draft(pipeline, pipeline=pipeline),
            message=f"recorded as {pipeline}",
            source=source,
            labels=(as_name(pipeline),),
        ),
    )


def _item(line: Line) -> Item:
    task, attack = line.text("user_task"), line.text("attack")
    split = attack
    if attack == "none":
        split = CONTROL if task.startswith("injection_task_") else CLEAN
    parts = [line.text("suite"), task, attack, line.get("injection_task") or ""]
    return Item(
        id="/".join(part for part in parts if part),
        split=split,
        input={
            "suite": parts[0],
            "benchmark": line.text("benchmark_version"),
            "user_task": task,
            "attack": attack,
            "injection_task": parts[3] or None,
        },
    )


def _output(line: Line) -> Output:
    said = [one for one in line.list("messages") if one.get("role") == "assistant"]
    scores = {"utility": 1.0 if line.get("utility") else 0.0}
    if line.get("attack_succeeded") is not None:
        scores["attack_success"] = 1.0 if line.get("attack_succeeded") else 0.0
    return Output(
        text=next((str(one["content"]) for one in reversed(said) if one.get("content")), ""),
        tool_calls=tuple(
            ToolCall(
                name=call["function"], arguments=call.get("args") or {}, id=call.get("id") or ""
            )
            for one in said
            for call in one.get("tool_calls") or ()
        ),
        scores=scores,
        latency=line.optional_number("duration_s"),
    )
