"""Logs of Inspect: `.eval` archives and `.json` files, each one task by one model.

A task becomes an agent and a dataset, each model a version, each sample a case, and each answer a
recorded one with the scores that it got, an epoch a trial. C, P, I and N count as 1, 0.5, 0 and 0,
as in Inspect. In an archive, what was asked stands in `_journal/start.json` (older: `start.json`),
and a sample in `samples/ID_epoch_N.json`. Sources: `src/inspect_ai/log/_log.py` and
`_recorders/eval.py` in UKGovernmentBEIS/inspect_ai, https://inspect.aisi.org.uk/eval-logs.html.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opsroom.importing.errors import BadImport
from opsroom.importing.model import Bundle, NewRecording, agent_draft
from opsroom.kit.files import JsonWrong, read_json, read_object
from opsroom.kit.texts import as_name
from opsroom.kit.zipped import Archive, opened
from opsroom.models import Output, ToolCall
from opsroom.registry import VersionDraft

from .gathering import Gathering
from .lines import Line, exported

FORMAT = "inspect"
_STARTS = ("_journal/start.json", "start.json", "header.json")
_GRADES = {
    "C": 1.0,
    "P": 0.5,
    "I": 0.0,
    "N": 0.0,
    "yes": 1.0,
    "true": 1.0,
    "no": 0.0,
    "false": 0.0,
}
_MOST = sys.float_info.max
_ATTACHED = "attachment://"


def read(path: Path) -> Bundle:
    """The runs in a log, or in all logs of a folder."""
    found = exported(path, FORMAT, ".eval", ".json")
    made = Gathering(FORMAT)
    for file in found:
        for start, sample in _archive(file) if file.name.endswith(".eval") else _json(file):
            _sample(made, start, sample)
    return made.bundle(found)


def _json(path: Path) -> Iterator[tuple[Line, Line]]:
    log = read_json(path)
    if not isinstance(log, dict) or not isinstance(log.get("samples"), list):
        raise BadImport(path.name, 1, "this is no log of Inspect with samples in it")
    start = Line(path.name, 1, log)
    for number, sample in enumerate(log["samples"], 1):
        if not isinstance(sample, dict):
            raise BadImport(path.name, 1, f"sample {number} is no object")
        yield start, Line(path.name, 1, sample, record=number)


def _archive(path: Path) -> Iterator[tuple[Line, Line]]:
    with opened(path) as archive:
        named = next((name for name in _STARTS if name in archive.names), None)
        if named is None:
            raise BadImport(path.name, 1, f"this is no log of Inspect: it has no {_STARTS[0]}")
        start = _member(path, archive, named)
        for name in sorted(archive.names):
            if name.startswith("samples/") and name.endswith(".json"):
                yield start, _member(path, archive, name)


def _member(path: Path, archive: Archive, name: str) -> Line:
    file = f"{path.name}:{name}"
    try:
        return Line(file, 1, read_object(archive.text(name)))
    except JsonWrong as error:
        raise BadImport(file, 1, f"{error.why} (character {error.column})") from error


def _sample(made: Gathering, start: Line, sample: Line) -> None:
    spec = start.get("eval")
    if not isinstance(spec, dict) or not spec.get("task") or not spec.get("model"):
        raise start.wrong("the field 'eval' does not say task and model")
    task = made.name("dataset", str(spec["task"]), start)
    model = str(spec["model"])
    source = f"{FORMAT}:{model}"
    attached = _object(sample.get("attachments"))
    content, _ = made.case(
        task,
        sample,
        asked=_asked(sample, attached),
        expected=sample.get("target") or None,
        given_id=sample.get("id"),
        metadata=_object(sample.get("metadata")),
    )
    made.version(
        "agent",
        task,
        VersionDraft(
            spec=agent_draft(model, recorded_as=model, task=str(spec["task"])),
            message=f"recorded by Inspect with {model}",
            source=source,
            labels=made.labels([model]),
        ),
    )
    if sample.get("error"):
        made.leave_out("answer", "the sample ended in an error")
        return
    scores = _scores(made, task, sample)
    epoch = sample.get("epoch") or 1
    if not isinstance(epoch, int) or not 1 <= epoch <= 1_000_000:
        raise sample.wrong("the field 'epoch' is no number from 1")
    made.recording(
        NewRecording(
            kind="agent",
            name=task,
            source=source,
            item=content,
            trial=epoch - 1,
            output=_output(_object(sample.get("output")), attached, scores, sample),
        )
    )


def _asked(sample: Line, attached: dict[str, Any]) -> dict[str, Any]:
    """What was asked: a text, or the messages with their roles, and the choices where there are any."""
    given = sample.get("input")
    if isinstance(given, list):
        asked: dict[str, Any] = {
            "messages": [
                {"role": str(one.get("role")), "content": _said(one.get("content"), attached)}
                for one in given
                if isinstance(one, dict)
            ]
        }
    elif isinstance(given, str):
        asked = {"input": _resolved(given, attached)}
    else:
        raise sample.wrong("the field 'input' is missing, or neither a text nor messages")
    if choices := sample.get("choices"):
        asked["choices"] = choices
    return asked


def _scores(made: Gathering, task: str, sample: Line) -> dict[str, float]:
    """The scores that are numbers or grades, each with an evaluator that reads it back."""
    found: dict[str, float] = {}
    for given, score in _object(sample.get("scores")).items():
        value = _graded(_object(score).get("value"))
        if value is None:
            made.leave_out("score", f"{given[:60]} is neither a number nor a grade")
            continue
        name = as_name(given) or "score"
        found[name] = value
        evaluator = f"inspect-{name}"[:100]
        spec = {"type": "recorded", "metric": name, "score": name}
        made.version("evaluator", evaluator, VersionDraft(spec=spec, source=FORMAT))
        made.judged_by(task, evaluator)
    return found


def _graded(value: Any) -> float | None:
    if isinstance(value, str):
        return _GRADES.get(value) if value in _GRADES else _GRADES.get(value.lower())
    return float(value) if isinstance(value, int | float) and abs(value) <= _MOST else None


def _output(
    output: dict[str, Any], attached: dict[str, Any], scores: dict[str, float], sample: Line
) -> Output:
    choices = output.get("choices")
    choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
    message, usage = _object(choice.get("message")), _object(output.get("usage"))
    return Output(
        text=_said(message.get("content"), attached),
        tool_calls=tuple(
            ToolCall(
                name=str(call["function"]),
                arguments=_object(call.get("arguments")),
                id=str(call.get("id") or ""),
            )
            for call in _list(message.get("tool_calls"))
            if isinstance(call, dict) and call.get("function")
        ),
        scores=scores,
        latency=sample.optional_number("working_time"),
        input_tokens=_count(usage.get("input_tokens")),
        output_tokens=_count(usage.get("output_tokens")),
        served_model=str(output["model"]) if output.get("model") else None,
        finish_reason=str(choice["stop_reason"]) if choice.get("stop_reason") else None,
    )


def _said(content: Any, attached: dict[str, Any]) -> str:
    """The text of a message; pictures, sounds and thoughts are passed over."""
    if isinstance(content, str):
        return _resolved(content, attached)
    parts = content if isinstance(content, list) else []
    return "\n".join(
        _resolved(str(one.get("text") or ""), attached)
        for one in parts
        if isinstance(one, dict) and one.get("type") == "text"
    )


def _resolved(text: str, attached: dict[str, Any]) -> str:
    """A long text that stands beside the sample, in the place where it is cited."""
    if not text.startswith(_ATTACHED):
        return text
    return str(attached.get(text.removeprefix(_ATTACHED), text))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
