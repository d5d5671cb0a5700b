"""Exports of Langfuse: versions of prompts and items of datasets.

Read are the objects that its public interface gives out, alone, in a list, in the `data` of a
page, or one a line: prompts (`/api/public/v2/prompts/{name}`: name, version, prompt, config,
labels, commitMessage) and dataset items (`/api/public/dataset-items`, also the batch export of
the page: id, datasetName, input, expectedOutput, metadata, status). Its Python SDK writes the
same fields in snake case. Sources: `langfuse/api` in langfuse-python 5, and
https://langfuse.com/docs/api-and-data-platform/features/public-api.
"""

from pathlib import Path
from typing import Any

from opsroom.importing.model import Bundle

from .braces import NotOurs, of_langfuse
from .gathering import Gathering
from .lines import Line, exported, records, stem
from .registries import keep, spec_of

FORMAT = "langfuse"
_INCLUDED = "@@@langfusePrompt:"


def read(path: Path) -> Bundle:
    """The prompts and datasets in a file, or in all files of a folder, by version."""
    found = exported(path, FORMAT, ".json", ".jsonl", ".jsonl.gz", ".json.gz")
    made = Gathering(FORMAT)
    prompts: list[Line] = []
    for file in found:
        for one in records(file):
            if one.has("prompt", "version", "name"):
                prompts.append(one)
            elif one.has("input") and (
                one.has("expectedOutput")
                or one.has("expected_output")
                or one.has("datasetName")
            ):
                _item(made, one, stem(file).removesuffix(".json"))
            elif one.has("versions", "name"):
                made.leave_out("prompt", "a list of prompts has no texts; export each version")
            elif one.has("name"):
                made.leave_out("description", "of a dataset only its items are read")
            else:
                raise one.wrong("this is neither a prompt nor an item of a dataset")
    for one in sorted(prompts, key=lambda one: (one.text("name"), one.number("version"))):
        _prompt(made, one)
    return made.bundle(found)


def _prompt(made: Gathering, one: Line) -> None:
    number = int(one.number("version"))
    keep(
        made,
        one,
        number,
        lambda: _spec(one),
        message=one.get("commitMessage", "commit_message") or f"version {number} of Langfuse",
        labels=_listed(one.get("labels")),
    )


def _spec(one: Line) -> dict[str, Any]:
    prompt = one.get("prompt")
    if _INCLUDED in str(prompt):
        raise NotOurs("it includes other prompts; export it resolved")
    return spec_of(prompt, of_langfuse, config=one.get("config"))


def _item(made: Gathering, one: Line, otherwise: str) -> None:
    if one.get("status") == "ARCHIVED":
        made.leave_out("item", "it is archived in Langfuse")
        return
    if one.get("input") is None:
        made.leave_out("item", "it has no input")
        return
    dataset = one.get("datasetName", "dataset_name")
    metadata = one.get("metadata")
    kept = dict(metadata) if isinstance(metadata, dict) else {}
    if isinstance(trace := one.get("sourceTraceId", "source_trace_id"), str):
        kept["source_trace"] = trace
    made.item(
        made.name("dataset", str(dataset or otherwise), one),
        one,
        asked=one.get("input"),
        expected=one.get("expectedOutput", "expected_output"),
        given_id=one.get("id"),
        metadata=kept,
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []
