"""What must not be learnt from: the questions that versions are tested on."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

from opsroom.datasets import Item
from opsroom.datasets import queries as datasets
from opsroom.datasets.model import SELECTION, TEST, TRAIN, split_of
from opsroom.kit.canonical import digest
from opsroom.kit.db import Tx
from opsroom.registry import ArtifactNotFound, VersionNotFound

from .model import Task

DATASET = "dataset/"
LEARNT = frozenset({TRAIN, SELECTION})


def held_out(tx: Tx, tasks: Sequence[Task], split: str, *, beside: Iterable[Item]) -> set[str]:
    """The ids of the tasks that may not get into `split` beside these items.

    Into train and selection gets no question that the rule for all datasets tests on, none that
    is tested on in the dataset that it came from, and none that is tested on beside it.
    """
    if split not in LEARNT:
        return set()
    tested = {digest(question(one.input)) for one in beside if one.split == TEST}
    origins = {name for one in tasks if (name := _origin(one.subject)[0])}
    sources = {name: _tested_in(tx, name) for name in origins}
    return {one.id for one in tasks if _is_held_out(one, tested, sources)}


def question(asked: JsonValue) -> JsonValue:
    """What was asked, of an item that may hold an answer to judge beside it."""
    if isinstance(asked, dict) and set(asked) == {"input", "answer"}:
        return asked["input"]
    return asked


def _is_held_out(task: Task, tested: set[str], sources: Mapping[str, set[str]]) -> bool:
    asked = digest(task.input)
    name, content = _origin(task.subject)
    return split_of(asked) == TEST or asked in tested or content in sources.get(name, set())


def _origin(subject: str) -> tuple[str, str]:
    """The dataset that a task is an item of, and the beginning of the item's hash."""
    if not subject.startswith(DATASET):
        return "", ""
    name, _, content = subject.removeprefix(DATASET).rpartition("#")
    return name, content


def _tested_in(tx: Tx, dataset: str) -> set[str]:
    try:
        _, spec = datasets.dataset(tx, f"{dataset}@latest")
    except (ArtifactNotFound, VersionNotFound):
        return set()
    return {ref.hash[:16] for ref in spec.items if ref.split == TEST}
