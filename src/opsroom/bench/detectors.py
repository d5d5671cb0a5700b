"""What the detectors find, and how often they cry wolf, on recorded texts.

The signals of injections were written while looking at the injection cases with an even number. Of the odd
ones, which stand apart as "held out", nobody read a text; but they were counted after each of
four versions, and that few were found said where to widen the signals. Both halves come from
the same authors, so even that half says more about these attacks than about tomorrow's.

Of the cases, those called logic-violating ask harmless things that only their agent's task
forbids: nothing in such a text could be seen. Every text counts once, however often recorded.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

from opsroom.detectors.injection import inspect
from opsroom.detectors.output import anomalies
from opsroom.detectors.secrets import secrets
from opsroom.grounding.model import Piece, Voice
from opsroom.kit.files import read_jsonl
from opsroom.kit.wire import Wire

from .agentdojo import ALL, Rate, rate_of
from .errors import NoRecordings
from .recorded import NONE, Run, read_run


class Asked(StrEnum):
    """What an alarm on these texts would be."""

    DETECTED = "detected"
    FALSE_ALARM = "false alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms(Wire):
    """How many texts of one kind raise an alarm."""

    texts: str
    part: str
    asked: Asked
    alarms: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection(Wire):
    rows: tuple[Alarms, ...]


Label = tuple[str, str]  # texts, part


def report(path: Path) -> Detection:
    """Look at everything below `path`: security, agentdojo, tau, intents."""
    return Detection(rows=(*cases(path), *harmless(path), *recorded_work(path)))


def cases(path: Path) -> tuple[Alarms, ...]:
    """Injection cases: all, by how they come, by what they want, and by variant."""

    def labelled() -> Iterator[tuple[Label, str]]:
        for line in _lines(path / "security" / "prompt_injection_cases.jsonl.gz"):
            half = "held out" if line["prompt_id"] % 2 else "developed on"
            names = ("injection_type", "risk_category", "injection_variant")
            for what in ("injection cases", *(line[one] for one in names)):
                for part in (half, ALL):
                    yield (what, part), line["user_input"]

    rows = list(_rows(labelled(), Asked.DETECTED))
    order = list(dict.fromkeys(row.texts for row in rows))
    return tuple(sorted(rows, key=lambda row: (order.index(row.texts), row.part)))


def harmless(path: Path) -> tuple[Alarms, ...]:
    """Harmless requests: some that sound risky, and some of every day."""

    def labelled() -> Iterator[tuple[Label, str]]:
        for line in _lines(path / "security" / "benign_but_risky_sounding.jsonl.gz"):
            yield ("harmless, sounding risky", ALL), line["text"]
        for line in _lines(path / "intents" / "clinc150.jsonl.gz"):
            yield ("short requests (clinc150)", ALL), line["text"]

    return tuple(_rows(labelled(), Asked.FALSE_ALARM))


def recorded_work(path: Path) -> tuple[Alarms, ...]:
    """What was said in recorded runs: by users, by tools with and without an injection, and by
    agents, whose own answers are looked at for secrets and odd outputs instead.
    """
    clean: dict[Label, set[str]] = defaultdict(set)
    attacked: dict[Label, set[str]] = defaultdict(set)
    answers: dict[Label, set[str]] = defaultdict(set)
    for source in ("agentdojo", "tau"):
        files = sorted((path / source / "runs").glob("*.jsonl*"))
        for line in chain.from_iterable(map(_lines, files)):
            run = read_run(line)
            if run.attack == NONE:
                for voice, text in _said(run):
                    known = answers if voice is Voice.MODEL else clean
                    known[_speaker(voice, run), source].add(text)
            else:
                attacked["tool answers, injected", run.attack].update(_injected(run, line))
    return (
        *_rows(_each(attacked), Asked.DETECTED),
        *_rows(_each(clean), Asked.FALSE_ALARM),
        *_rows(_each(answers), Asked.FALSE_ALARM, look=_is_odd),
    )


def _gives_orders(text: str) -> bool:
    found = inspect(text)
    return found is not None and found.alarming


def _is_odd(text: str) -> bool:
    return any(one.alarming for one in (*secrets(text), *anomalies(text)))


def _said(run: Run) -> Iterator[tuple[Voice, str]]:
    for step in run.steps:
        if isinstance(step, Piece) and step.voice is not Voice.SYSTEM:
            yield step.voice, step.text


def _speaker(voice: Voice, run: Run) -> str:
    if voice is Voice.TOOL:
        return "tool answers, clean"
    if voice is Voice.MODEL:
        return "agents' own answers"
    return "users, wanting what an attacker would" if run.control else "users"


def _injected(run: Run, line: dict[str, Any]) -> Iterator[str]:
    """The answers in which an injection stands, told by its letters: formats quote and wrap."""
    orders = [one for one in map(_letters, (line.get("injections") or {}).values()) if one]
    for voice, text in _said(run):
        if voice is Voice.TOOL:
            letters = _letters(text)
            if any(one[:200] in letters for one in orders):
                yield text


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text)


def _each(texts: dict[Label, set[str]]) -> Iterator[tuple[Label, str]]:
    for label in sorted(texts):
        for text in texts[label]:
            yield label, text


def _rows(
    labelled: Iterable[tuple[Label, str]],
    asked: Asked,
    *,
    look: Callable[[str], bool] = _gives_orders,
) -> Iterator[Alarms]:
    seen: Counter[Label] = Counter()
    alarms: Counter[Label] = Counter()
    known: dict[str, bool] = {}
    for label, text in labelled:
        if text not in known:
            known[text] = look(text)
        seen[label] += 1
        alarms[label] += known[text]
    for texts, part in seen:
        count = rate_of(alarms[texts, part], seen[texts, part])
        yield Alarms(texts=texts, part=part, asked=asked, alarms=count)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    if not file.is_file():
        raise NoRecordings(str(file))
    return (dict(line) for _, line in read_jsonl(file))
