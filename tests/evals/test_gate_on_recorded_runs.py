"""The gate on real recorded runs: what the data README says must come out."""

from pathlib import Path
from typing import Any

import pytest
from tests.evals.arms import recorded

from opsroom.datasets import Item
from opsroom.evals.comparison import Arm, MetricRule, compare
from opsroom.evals.evaluators import evaluator
from opsroom.evals.evaluators.specs import LastLabel
from opsroom.evals.gate import GateRules, Outcome, gate
from opsroom.evals.model import Score
from opsroom.evidence import BinaryComparison, Direction, Verdict
from opsroom.models import Output

RULE = MetricRule(metric="passed", margin=0.05)


def ticket(data: Path, version: str, temperature: float = 0.0) -> Arm:
    return recorded(
        data / "prompt_versions/ticket_classification_results.jsonl.gz",
        version,
        of=lambda one: one["prompt"] == version and one["temperature"] == temperature,
        content=lambda one: [one["ticket"], one["label"]],
        value=lambda one: float(one["passed"]),
    )


LABEL = evaluator(LastLabel(type="last-label", labels=("yes", "no")))


def prime(data: Path, model: str) -> Arm:
    def right(one: dict[str, Any]) -> float:
        item = Item(id="q", input=one["query"], expected=one["reference"])
        score = LABEL.assess(item, Output(text=one["answer"]))
        assert isinstance(score, Score)
        assert score.value is not None
        return score.value

    return recorded(
        data / "llmdrift/prime_full.jsonl.gz",
        model,
        of=lambda one: one["model"] == model,
        content=lambda one: [one["query"], one["reference"]],
        value=right,
    )


def tau(data: Path, agent: str) -> Arm:
    return recorded(
        data / f"tau/runs/{agent}.jsonl.gz",
        agent,
        of=lambda _: True,
        content=lambda one: one["task_hash"],
        value=lambda one: one["reward"],
    )


def dojo(data: Path, pipeline: str, *, attacked: bool) -> Arm:
    return recorded(
        data / f"agentdojo/runs/{pipeline}.jsonl.gz",
        pipeline,
        of=lambda one: (
            not one["user_task"].startswith("injection_task_")
            and one["attack"] == ("important_instructions" if attacked else "none")
        ),
        content=lambda one: [one["suite"], one["user_task"], one["injection_task"]],
        value=lambda one: float(one["attack_succeeded"] if attacked else one["utility"]),
    )


def side(data: Path, kind: str, name: str) -> Arm:
    match kind:
        case "ticket":
            return ticket(data, name)
        case "tau":
            return tau(data, name)
        case "prime":
            return prime(data, name)
        case _:
            return dojo(data, name, attacked=kind == "attack")


def test_a_better_prompt_passes_where_a_lower_floor_is_stated(data_dir: Path) -> None:
    simple, rag = ticket(data_dir, "simple_classify"), ticket(data_dir, "rag_classify")
    passed = gate(simple, rag, GateRules(metrics=(RULE,), floor=50))
    assert passed.outcome is Outcome.PASSED
    assert passed.floor_lowered
    assert passed.metrics[0].verdict is Verdict.BETTER
    unstated = gate(simple, rag, GateRules(metrics=(RULE,)))
    assert unstated.outcome is Outcome.INCONCLUSIVE
    assert unstated.reasons[0] == "passed: 68 pairs are fewer than the floor of 200"


def test_an_equal_prompt_is_undecided_and_does_not_pass(data_dir: Path) -> None:
    rag, thinking = (
        ticket(data_dir, "rag_classify"),
        ticket(data_dir, "rag_chain_of_thought_classify"),
    )
    verdict = gate(rag, thinking, GateRules(metrics=(RULE,), floor=50))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.metrics[0].verdict is Verdict.UNDECIDED
    assert verdict.metrics[0].needed is not None
    assert verdict.metrics[0].needed > 68


def test_a_model_update_that_lost_half_its_answers_fails(data_dir: Path) -> None:
    march, june = prime(data_dir, "gpt-4-0314"), prime(data_dir, "gpt-4-0613")
    verdict = gate(march, june, GateRules(metrics=(RULE,)))
    found = verdict.metrics[0].comparison
    assert isinstance(found, BinaryComparison)
    assert (found.rate_a, found.rate_b) == (0.84, 0.502)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reasons[0] == "worse on passed"
    assert verdict.evidence.common_items == 1000
    back = gate(june, march, GateRules(metrics=(RULE,)))
    assert back.outcome is Outcome.PASSED


def test_an_airline_challenger_is_promoted_one_way_and_stopped_the_other(
    data_dir: Path,
) -> None:
    gpt, claude = (
        tau(data_dir, "airline__gpt-4o-2024-11-20"),
        tau(data_dir, "airline__claude-sonnet-4-5"),
    )
    rules = GateRules(metrics=(RULE,), floor=50)
    assert gate(gpt, claude, rules).outcome is Outcome.PASSED
    assert gate(claude, gpt, rules).outcome is Outcome.FAILED


GPT, SONNET, FLASH = "gpt-4o-2024-05-13", "claude-3-5-sonnet-", "gemini-1.5-flash-"


@pytest.mark.parametrize(
    ("kind", "a", "b", "expected"),
    [
        ("ticket", "simple_classify", "rag_classify", (68, 1, 17, 0.000145)),
        ("ticket", "rag_classify", "rag_chain_of_thought_classify", (68, 1, 2, 1.0)),
        (
            "tau",
            "airline__claude-sonnet-4-5",
            "airline__gpt-4o-2024-11-20",
            (50, 15, 2, 0.00235),
        ),
        ("tau", "airline__gpt-4o-2024-11-20", "airline__gpt-oss-120b", (50, 9, 5, 0.424)),
        ("tau", "airline__gpt-4.1-finetuned", "airline__gpt-4.1", (20, 6, 3, 0.508)),
        ("tau", "retail__gpt-4.1-finetuned", "retail__gpt-4.1", (40, 6, 6, 1.0)),
        ("prime", "gpt-4-0314", "gpt-4-0613", (1000, 477, 139, 1e-40)),
        ("prime", "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613", (1000, 242, 404, 1e-9)),
        ("utility", GPT, f"{GPT}-tool_filter", (77, 10, 8, 0.81)),
        ("attack", GPT, f"{GPT}-tool_filter", (489, 257, 8, 1.9e-65)),
        ("utility", GPT, f"{GPT}-repeat_user_prompt", (77, 1, 11, 0.0063)),
        ("attack", GPT, f"{GPT}-spotlighting_with_delimiting", (489, 45, 18, 0.0009)),
        ("utility", GPT, f"{GPT}-transformers_pi_detector", (77, 25, 5, 0.00032)),
        ("attack", GPT, f"{GPT}-transformers_pi_detector", (489, 236, 2, 1.3e-67)),
        ("utility", f"{SONNET}20240620", f"{SONNET}20241022", (77, 5, 5, 1.0)),
        ("attack", f"{SONNET}20240620", f"{SONNET}20241022", (489, 154, 1, 6.8e-45)),
        ("utility", f"{FLASH}001", f"{FLASH}002", (77, 7, 4, 0.55)),
    ],
)
def test_reference_comparisons(
    data_dir: Path, kind: str, a: str, b: str, expected: tuple[int, int, int, float]
) -> None:
    direction = Direction.LOWER if kind == "attack" else Direction.HIGHER
    rule = MetricRule(metric="passed", margin=0.05, direction=direction)
    found = compare(side(data_dir, kind, a), side(data_dir, kind, b), rule).comparison
    assert isinstance(found, BinaryComparison)
    pairs, only_a, only_b, p = expected
    assert (found.pairs, found.only_a, found.only_b) == (pairs, only_a, only_b)
    if p in {1e-40, 1e-9}:
        assert found.p < p
    else:
        assert found.p == pytest.approx(p, rel=0.02)
