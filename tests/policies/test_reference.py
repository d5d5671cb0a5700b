"""The page about facts says what the code says."""

from pathlib import Path

from opsroom.policies.facts import FACTS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "policy-facts.md"


def test_every_fact_is_documented_as_it_is() -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    assert rows == [
        f"| `{name}` | {fact.type} | `{fact.missing}` | {fact.words} |"
        for name, fact in FACTS.items()
    ]
