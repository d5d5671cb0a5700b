"""Cases that a program's own tests answer, and where they come from.

Those of a dataset are judged by the server, where they become one eval run; those of a file are
judged in this process, and nothing is kept of them.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from opsroom.kit.canonical import digest
from opsroom.kit.errors import Conflict, Invalid
from opsroom.kit.wire import adapter, plain

from .client import Opsroom

FILES = (".jsonl", ".csv", ".jsonl.gz", ".csv.gz")
PAGE = 1000
TEST = "test"
MAX_ERROR = 500


@dataclass(eq=False)
class JudgingNotInstalled(Invalid):
    code = "judging_not_installed"
    text = "the cases of {0.file} are judged here, and this installation of opsroom cannot"
    hint = 'install "opsroom[server]", or store them as a dataset of a server'
    file: str


@dataclass(eq=False)
class NothingJudges(Invalid):
    code = "nothing_judges"
    text = "nothing says how to judge answers to {0.file}"
    hint = "name `evaluators`: specs, or YAML files that hold them"
    file: str


@dataclass(eq=False)
class AnsweredTwice(Conflict):
    code = "answered_twice"
    text = "the case {0.case!r} has its answer"
    hint = "call `answer` once for each case; `trials` asks for several"
    case: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What evaluators said of an answer: a value for each metric that they could give, and why it
    is `wrong` or could not be judged (`unjudged`), in words.
    """

    scores: Mapping[str, float]
    wrong: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return not self.wrong and not self.unjudged


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a test asks for: the cases, and how to judge the answers."""

    dataset: str
    subject: str = ""
    evaluators: tuple[Any, ...] = ()
    split: str = ""
    variant: str = ""
    trials: int = 1

    @property
    def is_file(self) -> bool:
        return self.dataset.endswith(FILES)


class Source(Protocol):
    """Where cases come from and answers go to. `on` names it for people."""

    on: str

    def items(self) -> list[dict[str, Any]]: ...

    @property
    def subject(self) -> str:
        """The version that is tested, as it is cited; empty where there is none."""
        ...

    @property
    def run(self) -> str:
        """The id of the run; empty where nothing is kept."""
        ...

    @property
    def place(self) -> str:
        """The same for whatever answers go into one run, without opening it; empty without one."""
        ...

    def judge(self, case: "Case", output: dict[str, Any]) -> Judged: ...


@dataclass
class Case:
    """One case: what goes in, and where it is known what should come out.

    A test puts it to whatever it tests, and hands over what came back with `answer`.
    """

    source: Source = field(repr=False)
    id: str
    input: Any
    expected: Any = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    trial: int = 0
    judged: Judged | None = field(default=None, repr=False)
    _since: float = field(default=0.0, repr=False)

    @cached_property
    def hash(self) -> str:
        """The content hash, as in a dataset."""
        return digest({"input": self.input, "expected": self.expected})

    @property
    def name(self) -> str:
        return f"{self.id}#{self.trial + 1}" if self.trial else self.id

    @property
    def subject(self) -> str:
        """The version that is tested (`agent/clerk@7`), settled for the whole session."""
        return self.source.subject

    def start(self) -> None:
        """From now on the time runs, and an answer is waited for."""
        self.judged = None
        self._since = time.perf_counter()

    def answer(
        self,
        said: Any = "",
        *,
        tool_calls: Iterable[Any] = (),
        latency: float | None = None,
        cost: Decimal | float | str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        model: str | None = None,
        scores: Mapping[str, float] | None = None,
    ) -> Judged:
        """Hand over what came back, and hear what the evaluators say of it.

        What is no text goes as JSON. `tool_calls` have a `name` and `arguments`, or are those of a
        chat completion. `latency` is in seconds, by default those since the test began; `cost` is
        in US dollars; `scores` are measured by the test itself, for evaluators of type `recorded`.
        Raises `AnsweredTwice`, and what asking the server raises.
        """
        if self.judged is not None:
            raise AnsweredTwice(self.name)
        took = time.perf_counter() - self._since if latency is None else latency
        self.judged = self.source.judge(
            self,
            {
                "text": said if isinstance(said, str) else json.dumps(said, ensure_ascii=False),
                "tool_calls": [_call(one) for one in tool_calls],
                "scores": dict(scores or {}),
                "latency": took,
                "cost": None if cost is None else str(cost),
                "input_tokens": input_tokens,
                "output_tokens": output_tokens,
                "served_model": model,
            },
        )
        return self.judged

    def failed(self, error: str) -> None:
        """Put down that there is no answer, and why."""
        self.source.judge(self, {"error": error[:MAX_ERROR] or "it failed"})


class Served:
    """The cases of a dataset; answers become a run of `session`."""

    def __init__(self, client: Opsroom, asked: Asked, session: str) -> None:
        self._client = client
        self._asked = asked
        self._session = session
        self.on = asked.dataset

    def items(self) -> list[dict[str, Any]]:
        """The items of the split, and from now on of this version of the dataset."""
        name, _, at = self._asked.dataset.partition("@")
        found: list[dict[str, Any]] = []
        start: int | None = 0
        while start is not None:
            query = {"at": at or "latest", "start": start, "limit": PAGE}
            page = self._client.get(f"/v1/datasets/{name}/items", **query)
            self.on = page["version"]
            at = self.on.rpartition("@")[2]
            found += page["items"]
            start = page["next"]
        return _of_split(found, self._asked.split)

    @property
    def _session_of(self) -> dict[str, Any]:
        asked = self._asked
        return {
            "session": self._session,
            "subject": asked.subject or asked.dataset.partition("@")[0],
            "dataset": self.on,
            "evaluators": list(asked.evaluators),
            "split": asked.split,
            "variant": asked.variant,
            "trials": asked.trials,
        }

    @property
    def place(self) -> str:
        return digest(self._session_of)

    @cached_property
    def _run(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.post("/v1/evals/sessions", self._session_of)
        return found

    @property
    def run(self) -> str:
        return str(self._run["id"])

    @property
    def subject(self) -> str:
        return str(self._run["subject_name"])

    def judge(self, case: Case, output: dict[str, Any]) -> Judged:
        brought = {"item": case.hash, "trial": case.trial, "output": output}
        path = f"/v1/evals/runs/{self.run}/answers"
        # A judge answers when it has: a model's patience, not a minute.
        (result,) = self._client.call("POST", path, {"answers": [brought]}, timeout=None)
        return judged(result["scores"])


class Filed:
    """The cases of a file, judged in this process."""

    subject = run = place = ""

    def __init__(self, file: Path, asked: Asked) -> None:
        self._file = file
        self._asked = asked
        self.on = file.name
        try:
            # By name: the client must be importable without the server.
            self._judging: Any = import_module("opsroom.evals.evaluators")
            self._reading: Any = import_module("opsroom.datasets.reading")
            self._shapes: Any = (
                import_module("opsroom.datasets"),
                import_module("opsroom.models"),
            )
        except ModuleNotFoundError as error:
            raise JudgingNotInstalled(file.name) from error
        if not asked.evaluators:
            raise NothingJudges(file.name)
        shape = adapter(self._judging.EvaluatorSpec)
        specs = [shape.validate_python(self._written(one)) for one in asked.evaluators]
        self._evaluators: Sequence[Any] = self._judging.evaluators(specs)

    def items(self) -> list[dict[str, Any]]:
        item = adapter(self._shapes[0].Item)
        found = [
            plain(item.validate_python(one)) for one in self._reading.read_items(self._file)
        ]
        return _of_split(found, self._asked.split)

    def judge(self, case: Case, output: dict[str, Any]) -> Judged:
        datasets, models = self._shapes
        answer = adapter(models.Output).validate_python(output)
        if answer.error is not None:
            return Judged({})
        item = datasets.Item(id=case.id, input=case.input, expected=case.expected)
        scores: dict[str, Any] = {}
        for one in self._evaluators:
            scores[one.metric.name] = plain(one.assess(item, answer))
        return judged(scores)

    def _written(self, one: Any) -> Any:
        if isinstance(one, Mapping):
            return dict(one)
        from opsroom.kit.yamlfile import read_yaml

        return read_yaml(self._file.parent / str(one)).data


def source(client: Opsroom, asked: Asked, *, session: str, beside: Path) -> Source:
    """Where the cases come from: a file (found `beside` the test), or a dataset.

    Raises `JudgingNotInstalled` and `NothingJudges` for a file, and what reading it raises.
    """
    if asked.is_file:
        return Filed(beside / asked.dataset, asked)
    return Served(client, asked, session)


def cases(found: Source, trials: int) -> list[Case]:
    """Every case of a source, as often as it is to be answered."""
    return [
        Case(
            source=found,
            id=one["id"],
            input=one["input"],
            expected=one["expected"],
            tags=tuple(one["tags"]),
            metadata=one["metadata"],
            trial=trial,
        )
        for one in found.items()
        for trial in range(trials)
    ]


def judged(scores: Mapping[str, Mapping[str, Any]]) -> Judged:
    """What scores say, in words where they say something bad."""
    said = {name: printable(one["reason"]) or "it did not pass" for name, one in scores.items()}
    return Judged(
        scores={
            n: float(one["value"]) for n, one in scores.items() if one["value"] is not None
        },
        wrong=tuple(
            f"{name}: {said[name]}" for name, one in scores.items() if one["passed"] is False
        ),
        unjudged=tuple(f"{name}: {said[name]}" for name, one in scores.items() if one["error"]),
    )


def printable(text: str) -> str:
    """Text that may quote a model, as a terminal may see it."""
    return "".join(one if one.isprintable() else " " for one in text)


def _of_split(items: list[dict[str, Any]], asked: str) -> list[dict[str, Any]]:
    """Those of a split: the one that is asked for, or as everywhere `test`, or the first."""
    splits = dict.fromkeys(one["split"] for one in items)
    split = asked or (TEST if TEST in splits else next(iter(splits), ""))
    return [one for one in items if one["split"] == split]


def _call(one: Any) -> dict[str, Any]:
    call = one if isinstance(one, Mapping) else one.model_dump()
    called = call.get("function") or call
    arguments = called.get("arguments") or {}
    if isinstance(arguments, str):
        with suppress(ValueError):  # arguments that were no JSON stay the text they were
            arguments = json.loads(arguments)
    return {"name": called["name"], "arguments": arguments, "id": str(call.get("id") or "")}
