"""Assertions mean what they mean in promptfoo, and no answer can stop or stall them.

`answers.jsonl` holds what promptfoo 0.123.1 said of generated cases; `test_differential.py`
asks it anew.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.promptfoo.judging import differs, ours

from opsroom.datasets import Item
from opsroom.evals.evaluators import evaluators
from opsroom.evals.evaluators.assertions import TYPES, why_not
from opsroom.evals.evaluators.assertions.data import COMMENT, objects_in
from opsroom.evals.evaluators.assertions.texts import BeyondRe2, compiled
from opsroom.evals.evaluators.specs import Assertions
from opsroom.evals.model import Metric, Scale, Score
from opsroom.models import ModelRequest, Output

ANSWERS = Path(__file__).parent / "answers.jsonl"


def test_our_verdicts_are_those_of_promptfoo() -> None:
    wrong: list[dict[str, Any]] = []
    for line in ANSWERS.read_text().splitlines():
        case = json.loads(line)
        found = ours(case)
        if differs(case["said"], found):
            wrong.append({**case, "ours": found})
    assert wrong == []


def test_every_type_is_run_or_has_a_reason() -> None:
    assert len(TYPES) == 66
    assert sorted(one for one in TYPES if why_not(one) is None) == [
        "bleu", "contains", "contains-all", "contains-any", "contains-html", "contains-json",
        "contains-xml", "cost", "equals", "factuality", "finish-reason", "g-eval", "gleu",
        "guardrails", "icontains", "icontains-all", "icontains-any", "is-html", "is-json",
        "is-refusal", "is-valid-function-call", "is-valid-openai-function-call",
        "is-valid-openai-tools-call", "is-xml", "latency", "levenshtein", "llm-rubric",
        "model-graded-closedqa", "model-graded-factuality", "regex", "rouge-n", "starts-with",
        "tool-call-f1", "word-count",
    ]  # fmt: skip
    assert why_not("javascript") == "it runs code of the configuration"
    assert why_not("contains-sense") == "promptfoo has no assertion of this type"


@pytest.mark.parametrize(
    ("kind", "value", "output"),
    [
        ("regex", "(a+)+$", "a" * 40_000 + "!"),
        ("is-json", None, "[" * 100_000),
        ("contains-json", None, "{" * 50_000),
        ("contains-json", None, "{" * 50_000 + "}" * 50_000),
        ("contains-json", None, '{"a": ' * 3_000),
        ("contains-json", None, '{"' + '\\"' * 50_000),
        ("is-xml", None, "<a>" * 100_000),
        ("contains-xml", None, "<a>" * 50_000),
        ("is-xml", None, '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>'),
        ("is-xml", None, '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r>&x;</r>'),
        ("is-html", None, "<div>" * 20_000),
        ("contains-html", None, "<a " * 30_000),
        ("tool-call-f1", "a", "[\n" * 20_000),
        ("bleu", "x", "x " * 60_000),
        ("levenshtein", "x", "x" * 60_000),
        ("word-count", {"max": 3}, "\ud800 \x00"),
    ],
)
def test_a_hostile_answer_is_judged_or_said_to_be_unclear(
    kind: str, value: Any, output: str
) -> None:
    one = {"type": kind} if value is None else {"type": kind, "value": value}
    found = ours({"assert": [one], "output": output})
    assert "error" in found or found["pass"] in {True, False}


def test_quotes_that_are_not_closed_are_looked_at_once() -> None:
    text = '{"' + '\\"' * 100
    assert [one.span() for one in COMMENT.finditer(text)] == [(1, len(text))]
    assert list(objects_in('{a: "b//c", // why\n d: 1}')) == [{"a": "b//c", "d": 1}]


@pytest.mark.parametrize("pattern", ["(?=x)", "(?<!x)y", r"(a)\1"])
def test_patterns_that_cannot_be_matched_in_linear_time_are_named(pattern: str) -> None:
    with pytest.raises(BeyondRe2):
        compiled(pattern)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[^]*foo", True),
        ("^a[^]foo$", True),
        ("[]|foo", True),
        ("[]foo", False),
        (r"\[^]", False),
    ],
)
def test_a_class_without_members_is_read_as_javascript_reads_it(
    pattern: str, found: bool
) -> None:
    search = compiled(pattern)
    if search is None:
        pytest.fail("it is a pattern")
    assert search("a\nfoo") is found


@pytest.mark.parametrize("pattern", ["(?i)foo", "a(?s:.)", "(?m-i)x", "(?-i:x)"])
def test_flags_inside_a_pattern_are_named(pattern: str) -> None:
    with pytest.raises(BeyondRe2, match="flags"):
        compiled(pattern)
    assert compiled("[(?i)]"), "in a class it is nothing but letters"


class Grader:
    """A grader that says the same every time, and counts how often it was asked."""

    def __init__(self, said: str) -> None:
        self.said = said
        self.asked: list[ModelRequest] = []

    async def complete(self, request: ModelRequest) -> Output:
        self.asked.append(request)
        return Output(text=self.said, input_tokens=5, output_tokens=2)


def judged(grader: Grader, assertion: dict[str, Any]) -> dict[str, Score]:
    """The verdict and the score of an answer, by two evaluators that share one grading."""
    item = Item(id="x", input={"q": "?"}, expected={"assert": [assertion]})
    specs = [
        Assertions(type="assertions", grader="judge"),
        Assertions(type="assertions", grader="judge", part="score"),
    ]
    output = Output(text="an answer")

    async def ask() -> dict[str, Score]:
        found: dict[str, Score] = {}
        for one in evaluators(specs, {"judge": grader}):
            score = one.assess(item, output)
            assert not isinstance(score, Score)
            found[one.metric.name] = await score
        return found

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("assertion", "said", "good", "score"),
    [
        ({"type": "llm-rubric", "value": "polite"}, '{"pass": true, "score": 0.8, "reason": "r"}', True, 0.8),
        ({"type": "not-llm-rubric", "value": "rude"}, '{"pass": true, "score": 1, "reason": "r"}', False, 0),
        (
            {"type": "llm-rubric", "value": "polite", "threshold": 0.9},
            '{"pass": true, "score": 0.8, "reason": "r"}',
            False,
            0.8,
        ),
        ({"type": "factuality", "value": "facts"}, '{"category": "B", "reason": "r"}', True, 1),
        ({"type": "factuality", "value": "facts"}, '{"category": "D", "reason": "r"}', False, 0),
        ({"type": "g-eval", "value": "coherent"}, '{"score": 6, "reason": "r"}', False, 0.6),
        ({"type": "llm-rubric", "value": "polite"}, "I would say yes", None, None),
    ],
)  # fmt: skip
def test_a_grader_decides_in_the_agreed_form(
    assertion: dict[str, Any], said: str, good: bool | None, score: float | None
) -> None:
    grader = Grader(said)
    found = judged(grader, assertion)
    assert found["assertions"].passed is good
    assert found["assertions-score"].value == score
    assert len(grader.asked) == 1, "both evaluators rest on one grading"
    if good is not None:
        assert found["assertions"].usage is not None
        assert found["assertions-score"].usage is None, "what it took is counted once"


def test_an_empty_threshold_is_no_verdict_however_many_criteria_there_are() -> None:
    for value in ("coherent", ["coherent", "short"]):
        one = {"type": "g-eval", "value": value, "threshold": None}
        found = judged(Grader('{"score": 6, "reason": "r"}'), one)
        assert "needs a number as threshold" in found["assertions"].reason


def test_scores_are_metrics_of_their_own() -> None:
    specs = [
        Assertions(type="assertions"),
        Assertions(type="assertions", part="score"),
        Assertions(type="assertions", named="Tone", metric="named.tone"),
    ]
    assert [one.metric for one in evaluators(specs)] == [
        Metric(name="assertions"),
        Metric(name="assertions-score", scale=Scale.NUMBER),
        Metric(name="named.tone", scale=Scale.NUMBER),
    ]
