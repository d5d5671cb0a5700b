"""Token counts are estimates, and we know how good they are."""

import gzip
import json
from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.prompts.tokens import estimate_tokens


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("a", 1, 2),
        ("Hello, world!", 4, 5),
        ("You sort mail for a freight desk.", 8, 9),
        ('{"label": "invoice", "confidence": 0.87}', 12, 18),
        ("2026-11-20T12:30:00Z", 12, 18),
        ("今日は良い天気です", 6, 10),
        ("Größe und Maß", 5, 9),
        ("    indented\n\n\ttext", 4, 6),
    ],
)
def test_the_estimate_is_near(text: str, least: int, most: int) -> None:
    assert least <= estimate_tokens(text) <= most


@given(st.text(), st.text())
def test_more_text_is_not_fewer_tokens(first: str, second: str) -> None:
    together = estimate_tokens(f"{first}\n{second}")
    assert together >= max(estimate_tokens(first), estimate_tokens(second)) - 1


def test_it_agrees_with_what_models_report(data_dir: Path) -> None:
    errors: list[float] = []
    for name in ("airline__gpt-4o-2024-11-20", "airline__gpt-4.1", "retail__gpt-4.1"):
        with gzip.open(data_dir / "tau" / "runs" / f"{name}.jsonl.gz", "rt") as lines:
            for line in lines:
                for message in json.loads(line)["messages"]:
                    told = (message.get("usage") or {}).get("completion_tokens")
                    spoken = message["role"] == "assistant" and not message.get("tool_calls")
                    if told and spoken and message["content"]:
                        errors.append(estimate_tokens(message["content"]) / told - 1)
    assert len(errors) > 500
    assert abs(mean(errors)) < 0.02
    assert mean(map(abs, errors)) < 0.04
