"""Datasets over HTTP."""

from typing import Any

import pytest
from tests.api import Api

CASES = [{"id": f"c{n}", "input": f"question {n}", "expected": n} for n in range(5)]


def test_items_become_a_version_once(api: Api) -> None:
    author = api.program("author")
    body = {"items": CASES, "description": "five questions", "source": "cases.jsonl"}
    made = author.post("/v1/datasets/cases/versions", body)
    assert (made["number"], len(made["spec"]["items"])) == (1, 5)
    assert made["spec"]["lineage"]["made_by"] == author.name
    assert author.post("/v1/datasets/cases/versions", body)["number"] == 1
    changed = [*CASES[:4], {**CASES[4], "expected": "five"}]
    assert author.post("/v1/datasets/cases/versions", {"items": changed})["number"] == 2


def test_items_are_listed_page_by_page(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    items = [*CASES, {"id": "t", "input": "example", "split": "train"}]
    author.post("/v1/datasets/cases/versions", {"items": items})
    seen, start = [], 0
    while start is not None:
        page = author.get("/v1/datasets/cases/items", start=start, limit=4)
        seen += [one["id"] for one in page["items"]]
        start = page["next"]
    assert seen == ["c0", "c1", "c2", "c3", "c4", "t"]
    train = author.get("/v1/datasets/cases/items", split="train", at="1")
    assert (train["total"], train["version"]) == (1, "dataset/cases@1")


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([], "empty_dataset"),
        ([CASES[0], CASES[0]], "duplicate_item"),
        ([CASES[0], {**CASES[0], "id": "again"}], "duplicate_content"),
        ([CASES[0], {**CASES[0], "id": "again", "split": "train"}], "content_in_two_splits"),
        ([{"id": " ", "input": 1}], "bad_item"),
        ([{"id": "x", "input": float(2**60)}, {"id": "y"}], "bad_request"),
    ],
)
def test_bad_items_store_nothing(sqlite_api: Api, items: list[Any], code: str) -> None:
    author = sqlite_api.program("author")
    refusal = author.refused("POST", "/v1/datasets/cases/versions", {"items": items})
    assert refusal.code == code
    assert author.get("/v1/artifacts/dataset")["items"] == []
