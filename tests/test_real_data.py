"""What opsroom says about real recorded runs, asked the way a person would ask.

The answers are those of the data's own documentation ("Reference comparisons"). The data is
not part of this repository; without it these tests are skipped.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsroom.cli.main import run

Cli = Callable[..., tuple[int, Any]]

# format, file or folder, and how many versions of which artifact it brings
IMPORTS = (
    ("ticket-prompts", "prompt_versions"),
    ("tau", "tau/runs"),
    ("llmdrift", "llmdrift/prime_full.jsonl.gz"),
    ("agentdojo", "agentdojo/runs"),
    ("prompt-history", "prompts/fabric.jsonl.gz"),
)
TICKET = "ticket-classification"
GPT4O = "agentdojo@gpt-4o-2024-05-13"
CLEAN = ("--split", "clean", "--metric", "utility")
ATTACKED = ("--split", "important_instructions", "--metric", "attack_success")
COLD = ("--variant", "temperature=0.0")
# a, b, options, pairs, only a, only b, p (rounded as it is cited)
REFERENCE = [
    (f"{TICKET}@simple_classify", f"{TICKET}@rag_classify", COLD, 68, 1, 17, 0.000145),
    (f"{TICKET}@rag_classify", f"{TICKET}@rag_chain_of_thought_classify", COLD, 68, 1, 2, 1.0),
    ("airline@claude-sonnet-4-5", "airline@gpt-4o-2024-11-20", (), 50, 15, 2, 0.00235),
    ("airline@gpt-4o-2024-11-20", "airline@gpt-oss-120b", (), 50, 9, 5, 0.424),
    ("airline@gpt-4.1-finetuned", "airline@gpt-4.1", (), 20, 6, 3, 0.508),
    ("retail@gpt-4.1-finetuned", "retail@gpt-4.1", (), 40, 6, 6, 1.0),
    ("prime_full@gpt-4-0314", "prime_full@gpt-4-0613", (), 1000, 477, 139, 0.0),
    ("prime_full@gpt-3.5-turbo-0301", "prime_full@gpt-3.5-turbo-0613", (), 1000, 242, 404, 0.0),
    (GPT4O, f"{GPT4O}-tool_filter", CLEAN, 77, 10, 8, 0.81),
    (GPT4O, f"{GPT4O}-tool_filter", ATTACKED, 489, 257, 8, 1.9e-65),
    (GPT4O, f"{GPT4O}-repeat_user_prompt", CLEAN, 77, 1, 11, 0.0063),
    (GPT4O, f"{GPT4O}-spotlighting_with_delimiting", ATTACKED, 489, 45, 18, 0.0009),
    (GPT4O, f"{GPT4O}-transformers_pi_detector", CLEAN, 77, 25, 5, 0.00032),
    (GPT4O, f"{GPT4O}-transformers_pi_detector", ATTACKED, 489, 236, 2, 1.3e-67),
    (
        "agentdojo@claude-3-5-sonnet-20240620",
        "agentdojo@claude-3-5-sonnet-20241022",
        CLEAN,
        77,
        5,
        5,
        1.0,
    ),
    (
        "agentdojo@claude-3-5-sonnet-20240620",
        "agentdojo@claude-3-5-sonnet-20241022",
        ATTACKED,
        489,
        154,
        1,
        6.8e-45,
    ),
    ("agentdojo@gemini-1.5-flash-001", "agentdojo@gemini-1.5-flash-002", CLEAN, 77, 7, 4, 0.55),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """An installation that everything was imported into, twice."""
    home = tmp_path_factory.mktemp("home")
    for format_, path in IMPORTS:
        assert run(["--data", str(home), "import", format_, str(data_dir / path)]) == 0
    return home


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    def call(*args: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = run([*args, "--data", str(home), "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out or said.err)

    return call


@pytest.mark.parametrize(("a", "b", "options", "pairs", "only_a", "only_b", "p"), REFERENCE)
def test_reference_comparisons_are_reproduced(
    cli: Cli,
    a: str,
    b: str,
    options: tuple[str, ...],
    pairs: int,
    only_a: int,
    only_b: int,
    p: float,
) -> None:
    code, found = cli("eval", "compare", a, b, *options)
    assert code == 0
    assert (found["pairs"], found["only_a"], found["only_b"]) == (pairs, only_a, only_b)
    assert found["p"] == pytest.approx(p, rel=0.06, abs=1e-9)
    assert found["interval"]["low"] <= found["difference"] <= found["interval"]["high"]


@pytest.mark.parametrize(("format_", "path"), IMPORTS)
def test_importing_again_changes_nothing(
    cli: Cli, data_dir: Path, format_: str, path: str
) -> None:
    _, before = cli("audit", "head")
    code, report = cli("import", format_, str(data_dir / path))
    assert code == 0
    assert not any(report["new"].values())
    assert cli("audit", "head")[1] == before


def test_the_gate_lets_the_better_ticket_prompt_pass(cli: Cli) -> None:
    code, found = cli(
        *("eval", "gate", f"{TICKET}@rag_classify", "--base", f"{TICKET}@simple_classify"),
        *(*COLD, "--min-samples", "60"),
    )
    assert (code, found["verdict"]["outcome"]) == (0, "passed")
    assert found["verdict"]["floor_lowered"] is True


def test_without_a_stated_floor_68_samples_are_not_enough(cli: Cli) -> None:
    code, found = cli(
        *("eval", "gate", f"{TICKET}@rag_classify", "--base", f"{TICKET}@simple_classify"),
        *COLD,
    )
    assert (code, found["verdict"]["outcome"]) == (3, "inconclusive")


def test_a_model_update_that_costs_accuracy_fails_the_gate(cli: Cli) -> None:
    code, found = cli(
        "eval", "gate", "prime_full@gpt-4-0613", "--base", "prime_full@gpt-4-0314"
    )
    assert (code, found["verdict"]["outcome"]) == (3, "failed")
    assert found["verdict"]["metrics"][0]["verdict"] == "worse"


def test_an_undecided_comparison_does_not_pass(cli: Cli) -> None:
    code, found = cli(
        *("eval", "gate", f"{TICKET}@rag_chain_of_thought_classify"),
        *("--base", f"{TICKET}@rag_classify", *COLD, "--min-samples", "60"),
    )
    assert (code, found["verdict"]["outcome"]) == (3, "inconclusive")
    assert found["verdict"]["metrics"][0]["verdict"] == "undecided"


def test_different_tasks_are_not_compared(cli: Cli) -> None:
    code, found = cli(
        *("eval", "compare", "airline@gpt-4.1", "retail@gpt-4.1", "--dataset", "airline")
    )
    assert (code, found["error"]["code"]) == (2, "not_measurable")


def test_prompt_histories_are_there_with_their_reverts(cli: Cli) -> None:
    _, page = cli("prompt", "list", "--search", "analyze_prose")
    names = {one["artifact"]["name"] if "artifact" in one else one["name"] for one in page}
    assert "analyze_prose" in names


def test_everything_that_happened_verifies(cli: Cli) -> None:
    code, _ = cli("audit", "verify")
    assert code == 0
