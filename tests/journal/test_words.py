"""The journal in words: every event that exists has some, and nothing is made up."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import opsroom
from opsroom.journal import Entry
from opsroom.journal.vocabulary import WORDS
from opsroom.journal.words import address, tell

NOW = datetime(2026, 11, 20, tzinfo=UTC)
EVENT = re.compile(r"[a-z]+\.[a-z_]+")
RECORDERS = {
    "attesting.py",
    "commands.py",
    "gating.py",
    "measure.py",
    "observing.py",
    "proposals.py",
}


def entry(event: str, subject: str = "prompt/house-tone", **facts: Any) -> Entry:
    return Entry(
        seq=1,
        id="evt_1",
        at=NOW,
        project="default",
        actor="ana",
        event=event,
        subject=subject,
        facts=facts,
    )


@pytest.mark.parametrize(
    ("told", "title", "tone"),
    [
        (
            entry("label.moved", label="production", before=2, after=1, how="rollback"),
            "ana rolled production of prompt house-tone back from 2 to 1",
            "bad",
        ),
        (
            entry("label.moved", label="production", before=None, after=1, how="merge"),
            "ana set production of prompt house-tone to version 1",
            "info",
        ),
        (
            entry("version.created", number=3, author="cat", reverts=1),
            "cat made version 3 of prompt house-tone, back to version 1",
            "warn",
        ),
        (
            entry("approval.given", "proposal/prp_1", answer="request_changes"),
            "ana asked for changes to proposal prp_1",
            "warn",
        ),
        (
            entry("gate.decided", "agent/x@2", baseline="agent/x@1", outcome="passed"),
            "x@2 passed the gate against x@1",
            "good",
        ),
        (entry("user.created", "user/ben", roles=["risk"]), "ana created ben", "muted"),
    ],
)
def test_an_entry_reads_as_a_sentence(told: Entry, title: str, tone: str) -> None:
    found = tell(told)
    assert (found.title, found.tone) == (title, tone)


def test_what_people_call_a_subject_comes_first() -> None:
    told = tell(entry("release.promoted", "release/rel_1"), {"release/rel_1": "clerk 1 → 2"})
    assert told.title == "clerk 1 → 2 was promoted"


def test_an_unknown_event_is_told_by_its_name_and_facts() -> None:
    told = tell(entry("moon.landed", "moon/1", where="sea", crew=3))
    assert told.title == "ana: moon.landed on moon/1"
    assert told.note == "where sea, crew 3"


def test_a_fact_that_an_older_entry_lacks_is_not_made_up() -> None:
    assert tell(entry("label.moved", label="staging")).title.endswith("to version ?")


def test_braces_in_what_people_wrote_are_not_read_as_ours() -> None:
    told = tell(
        entry("label.moved", label="staging", before=1, after=2, reason="{actor} {{x}}")
    )
    assert told.note == "{actor} {{x}}"


@pytest.mark.parametrize(
    ("subject", "page"),
    [
        ("prompt/house-tone", "/prompts/house-tone"),
        ("agent/clerk@7", "/agents/clerk?at=7"),
        ("release/rel_1", "/releases/rel_1"),
        ("run/run_1", "/evals/runs/run_1"),
        ("proposal/prp_1", "/proposals/prp_1"),
        ("user/ana", "/people"),
        ("import/tau", ""),
        ("journal", ""),
        ("prompt/../../login", ""),
        ('prompt/"onclick=x', ""),
    ],
)
def test_a_subject_leads_to_its_page_or_nowhere(subject: str, page: str) -> None:
    assert address(subject) == page


def test_every_event_that_is_recorded_has_words() -> None:
    recorded = {
        event
        for path in Path(opsroom.__path__[0]).rglob("*.py")
        if path.name in RECORDERS
        for event in events(path.read_text())
    }
    assert len(recorded) > 30
    assert recorded - {name.partition(":")[0] for name in WORDS} == set()


def events(source: str) -> Iterator[str]:
    """Everything in a module that has the form of an event and does not name a fault point."""
    tree = ast.parse(source)
    faults = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "boundary"
        for part in node.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in faults:
            text = str(node.value)
            if EVENT.fullmatch(text):
                yield text
