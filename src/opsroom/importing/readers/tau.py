"""tau-bench runs: customer-service agents on tasks with programmatic ground truth.

A line is one conversation. Each domain becomes one agent; each recorded agent in it a
version, labelled by the agent's own name. Two tasks are the same item exactly where scenario
and grading are the same (`task_hash`; in the older benchmark, the user's instruction).
"""

from decimal import Decimal
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

RECORDED = {
    "success": {"type": "recorded", "metric": "success", "score": "success"},
    "escalated": {
        "type": "recorded",
        "metric": "escalated",
        "score": "escalated",
        "direction": "lower",
    },
}


def read(path: Path) -> Bundle:
    """The runs in a file, or in all files of a folder."""
    found = files(path, "tau")
    versions: dict[tuple[str, str], NewVersion] = {}
    items: dict[str, dict[str, Item]] = {}
    recordings: list[NewRecording] = []
    for file in found:
        for line in lines(file):
            domain = as_name(line.text("domain"))
            source = f"tau:{line.text('agent')}"
            if (domain, source) not in versions:
                versions[domain, source] = _version(line, domain, source)
            item = _item(line)
            content = item.hash
            items.setdefault(domain, {}).setdefault(content, item)
            recordings.append(
                NewRecording(
                    kind="agent",
                    name=domain,
                    source=source,
                    item=content,
                    trial=int(line.number("trial")),
                    output=_output(line),
                )
            )
    domains = sorted(items)
    return Bundle(
        format="tau",
        files=tuple(source_file(file) for file in found),
        artifacts=(
            *(
                ArtifactDraft(
                    kind="agent",
                    name=domain,
                    purpose=f"customer service, {domain}",
                    criticality=Criticality.ADVISORY,
                    tags=("tau",),
                )
                for domain in domains
            ),
            *(
                ArtifactDraft(
                    kind="evaluator",
                    name=f"tau-{metric}",
                    criticality=Criticality.ADVISORY,
                    tags=("tau",),
                )
                for metric in RECORDED
            ),
        ),
        versions=(
            *(
                NewVersion(
                    kind="evaluator",
                    name=f"tau-{metric}",
                    draft=VersionDraft(spec=spec, source="tau"),
                )
                for metric, spec in RECORDED.items()
            ),
            *versions.values(),
        ),
        datasets=tuple(
            NewDataset(
                name=domain,
                items=tuple(items[domain].values()),
                description=f"tau tasks of the domain {domain}",
                evaluators=tuple(f"tau-{metric}" for metric in RECORDED),
            )
            for domain in domains
        ),
        recordings=tuple(recordings),
    )


def _version(line: Line, domain: str, source: str) -> NewVersion:
    agent = line.text("agent")
    return NewVersion(
        kind="agent",
        name=domain,
        draft=VersionDraft(
            spec=agent_draft(
                line.text("model"),
                implementation=line.get("implementation"),
                temperature=line.get("temperature"),
                policy_sha=line.get("policy_sha"),
                recorded_as=agent,
            ),
            message=f"recorded as {agent}",
            source=source,
            labels=(as_name(agent.partition("__")[2] or agent),),
        ),
    )


def _item(line: Line) -> Item:
    task: dict[str, Any] = {"domain": line.text("domain")}
    if line.get("task_hash") is not None:
        task["task_hash"] = line.text("task_hash")
    else:
        task["instruction"] = line.text("user_instruction")
    return Item(id=f"task-{line.get('task_id')}", input=task)


def _output(line: Line) -> Output:
    messages = line.list("messages")
    said = [one for one in messages if one.get("role") == "assistant"]
    reward = line.number("reward")
    usage = [one["usage"] for one in said if one.get("usage")]
    cost = line.optional_number("agent_cost_usd")
    return Output(
        text=next((str(one["content"]) for one in reversed(said) if one.get("content")), ""),
        tool_calls=tuple(
            ToolCall(
                name=call["function"], arguments=call.get("args") or {}, id=call.get("id") or ""
            )
            for one in said
            for call in one.get("tool_calls") or ()
        ),
        scores={
            "success": 1.0 if reward >= 1 else 0.0,
            "escalated": 1.0 if line.get("escalated") else 0.0,
        },
        latency=line.optional_number("duration_s"),
        cost=None if cost is None else Decimal(repr(cost)),
        input_tokens=sum(one.get("prompt_tokens") or 0 for one in usage) if usage else None,
        output_tokens=sum(one.get("completion_tokens") or 0 for one in usage)
        if usage
        else None,
        served_model=next(
            (one["served_model"] for one in said if one.get("served_model")), None
        ),
        finish_reason=line.get("termination_reason"),
    )
