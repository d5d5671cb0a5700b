"""The dashboard that is shipped asks for what there is, and its panels have room."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from opsroom.metrics.catalog import METRICS

PATH = Path(__file__).parents[2] / "deploy" / "grafana" / "opsroom.json"
BOARD: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = BOARD["panels"]
LABELS = {one.name: set(one.labels) for one in METRICS}
QUESTIONS = [
    "Is it healthy?",
    "Who needs attention?",
    "What does it cost?",
    "Is it secure?",
    "What waits?",
]
_SELECTOR = re.compile(r"(opsroom_\w+)(?:\{([^}]*)\})?")


def expressions() -> list[tuple[str, str]]:
    asked = [
        (one["title"], target["expr"]) for one in PANELS for target in one.get("targets", ())
    ]
    return [*asked, ("variable", BOARD["templating"]["list"][1]["query"]["query"])]


@pytest.mark.parametrize(("title", "asked"), expressions())
def test_every_question_names_metrics_and_labels_that_there_are(title: str, asked: str) -> None:
    found = _SELECTOR.findall(asked)
    assert found, title
    for name, inside in found:
        assert name in LABELS
        assert set(re.findall(r"(\w+)\s*=", inside)) <= LABELS[name]
    named = set[str]().union(*(LABELS[name] for name, _ in found))
    for words in re.findall(r"by \(([^)]*)\)", asked):
        assert {one.strip() for one in words.split(",")} <= named


def test_legends_name_labels_that_there_are() -> None:
    for one in PANELS:
        for target in one.get("targets", ()):
            labels = set[str]().union(
                *(LABELS[n] for n, _ in _SELECTOR.findall(target["expr"]))
            )
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels


def test_the_five_questions_in_their_order() -> None:
    assert [one["title"] for one in PANELS if one["type"] == "row"] == QUESTIONS


def test_it_can_be_brought_in_anywhere() -> None:
    assert BOARD["schemaVersion"] >= 39
    first, agent = BOARD["templating"]["list"]
    assert (first["name"], first["type"]) == ("DS_PROMETHEUS", "datasource")
    assert (agent["name"], agent["multi"]) == ("agent", True)
    sources = [one["datasource"] for one in PANELS if one["type"] != "row"]
    sources += [target["datasource"] for one in PANELS for target in one.get("targets", ())]
    assert {one["uid"] for one in [*sources, agent["datasource"]]} == {"${DS_PROMETHEUS}"}


def test_panels_have_numbers_and_places_of_their_own() -> None:
    ids = [one["id"] for one in PANELS]
    assert len(ids) == len(set(ids))
    places = [one["gridPos"] for one in PANELS]
    for one in places:
        assert one["x"] >= 0
        assert one["x"] + one["w"] <= 24
    for one, two in combinations(places, 2):
        beside = one["x"] + one["w"] <= two["x"] or two["x"] + two["w"] <= one["x"]
        above = one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
        assert beside or above
