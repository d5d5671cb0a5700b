"""The same questions put to dated versions of a model, with answers, latency and cost.

A file becomes one dataset and one agent; each dated model a version of the agent, labelled
by the model's name. What the source graded itself is kept as a recorded score; yes-or-no
questions are graded here, by the last label in the answer.
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
from opsroom.models import Output
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft

from .lines import Line, files, lines, source_file, stem

GRADES = ("directly_usable", "response_rate")


def read(path: Path) -> Bundle:
    """The answers in a file, or in all files of a folder."""
    found = files(path, "llmdrift")
    parts = [_file(file) for file in found]
    return Bundle(
        format="llmdrift",
        files=tuple(source_file(file) for file in found),
        artifacts=tuple(one for part in parts for one in part.artifacts),
        versions=tuple(one for part in parts for one in part.versions),
        datasets=tuple(one for part in parts for one in part.datasets),
        recordings=tuple(one for part in parts for one in part.recordings),
    )


def _file(file: Path) -> Bundle:
    name = as_name(stem(file))
    versions: dict[str, NewVersion] = {}
    items: dict[str, Item] = {}
    recordings: list[NewRecording] = []
    grades: set[str] = set()
    trials: dict[tuple[str, str], int] = {}
    for line in lines(file):
        model = line.text("model")
        source = f"llmdrift:{name}:{model}"
        if source not in versions:
            versions[source] = _version(line, name, source)
        reference = line.get("reference")
        item = Item(
            id=str(line.get("query_id")),
            input={"query": line.text("query")},
            expected=None if reference is None else str(reference),
        )
        items.setdefault(item.hash, item)
        asked = (source, item.hash)
        trials[asked] = trials.get(asked, -1) + 1  # a file may put the same question twice
        scores = {key: line.number(key) for key in GRADES if line.get(key) is not None}
        grades |= set(scores) or {"accuracy"}
        recordings.append(
            NewRecording(
                kind="agent",
                name=name,
                source=source,
                item=item.hash,
                trial=trials[asked],
                output=_output(line, scores),
            )
        )
    evaluators = {f"{name}-{metric}": _evaluator(metric) for metric in sorted(grades)}
    return Bundle(
        format="llmdrift",
        artifacts=(
            ArtifactDraft(
                kind="agent",
                name=name,
                purpose=f"answers the questions of {name}",
                criticality=Criticality.ADVISORY,
                tags=("llmdrift",),
            ),
            *(
                ArtifactDraft(kind="evaluator", name=one, criticality=Criticality.ADVISORY)
                for one in evaluators
            ),
        ),
        versions=(
            *(
                NewVersion(
                    kind="evaluator",
                    name=one,
                    draft=VersionDraft(spec=spec, source="llmdrift"),
                )
                for one, spec in evaluators.items()
            ),
            *versions.values(),
        ),
        datasets=(
            NewDataset(name=name, items=tuple(items.values()), evaluators=tuple(evaluators)),
        ),
        recordings=tuple(recordings),
    )


def _version(line: Line, name: str, source: str) -> NewVersion:
    model = line.text("model")
    return NewVersion(
        kind="agent",
        name=name,
        draft=VersionDraft(
            spec=agent_draft(
                model, temperature=line.get("temperature"), max_tokens=line.get("max_tokens")
            ),
            message=f"recorded answers of {model}",
            source=source,
            labels=(as_name(model),),
        ),
    )


def _evaluator(metric: str) -> dict[str, Any]:
    if metric == "accuracy":
        return {"type": "last-label", "metric": metric, "labels": ["yes", "no"]}
    return {"type": "recorded", "metric": metric, "score": metric}


def _output(line: Line, scores: dict[str, float]) -> Output:
    cost, tokens = line.optional_number("cost_usd"), line.optional_number("answer_tokens")
    return Output(
        text=line.text("answer"),
        scores=scores,
        latency=line.optional_number("latency_s"),
        cost=None if cost is None else Decimal(repr(cost)),
        output_tokens=None if tokens is None else int(tokens),
        served_model=line.text("model"),
    )
