"""Pairs of answers that judges chose from, and three people's votes on each.

A judge that chose otherwise than most people is overridden; where people have no majority nobody
is. The data has no reasons of people's own, so the votes and the judge's reason stand for them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opsroom.importing.model import Bundle, NewOverride
from opsroom.inbox.model import OverrideDraft
from opsroom.kit.texts import as_name

from .lines import Line, files, lines, source_file

FORMAT = "pandalm"
ASKED = ("instruction", "input", "response_1", "response_2")
CALLED: dict[object, str] = {0: "tie", 1: "response 1", 2: "response 2"}


def read(path: Path) -> Bundle:
    """The judgements in a file, or in all files of a folder."""
    found = files(path, FORMAT)
    return Bundle(
        format=FORMAT,
        files=tuple(source_file(file) for file in found),
        overrides=tuple(
            one for file in found for line in lines(file) for one in _overrides(line)
        ),
    )


def _overrides(line: Line) -> Iterator[NewOverride]:
    right = line.get("human_decision")
    if right is None:
        return
    judges: dict[str, dict[str, Any]] = line.get("judges") or {}
    votes = ", ".join(CALLED.get(vote, "unreadable") for vote in line.get("human_votes") or ())
    asked = {name: line.get(name) for name in ASKED}
    if asked["instruction"] is None:
        raise line.wrong("the field 'instruction' is missing")
    for judge, judged in judges.items():
        said = judged.get("decision")
        if said == right:
            continue
        reason = str(judged.get("reason") or "no reason")
        yield NewOverride(
            draft=OverrideDraft(
                subject=f"recording/{FORMAT}/{line.get('idx')}/{judge}",
                agent=as_name(judge),
                asked=asked,
                agent_decision=CALLED.get(said, "unreadable"),
                human_decision=CALLED[right],
                reasoning=f"people voted {votes}; the judge said: {reason}",
            )
        )
