"""The exam: the tables of the data's README, to the third digit, and the judges to take."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from opsroom.bench.judges import JudgeRow, PreferenceRow, RaterRow, Report, report
from opsroom.cli.root import root


@pytest.fixture(scope="module")
def found(data_dir: Path) -> Report:
    return report(data_dir / "judges")


def table(data_dir: Path, first: str) -> list[list[str]]:
    """A table of the README, by its first headings and without its head."""
    lines = (data_dir / "README.md").read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows: list[list[str]] = []
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_judges_come_out_as_the_readme_says(found: Report, data_dir: Path) -> None:
    assert [judged(one) for one in found.judges] == table(data_dir, "domain | judge prompt")


def judged(one: JudgeRow) -> list[str]:
    counts, rate = one.report.counts, one.report.agreement.rate
    return [
        one.domain,
        one.judge,
        str(one.report.n),
        f"{rate:.3f}",
        f"{one.report.kappa:.3f}",
        str(counts.good_passed),
        str(counts.bad_passed),
        str(counts.good_failed + counts.good_outside),
        str(counts.bad_failed + counts.bad_outside),
        str(counts.outside),
        f"{one.agreement_read_as_pass:.3f}, {one.kappa_read_as_pass:.3f}",
        f"{one.cost_usd:.3f}".rstrip("0"),
    ]


def test_preferences_come_out_as_the_readme_says(found: Report, data_dir: Path) -> None:
    rows: dict[tuple[str, str], dict[str, PreferenceRow]] = {}
    for one in found.preferences:
        rows.setdefault((one.judge, one.strategy), {})[one.set] = one
    told = table(data_dir, "judge | strategy")
    assert len(told) == 25
    for judge, strategy, *figures in told:
        some = rows[judge, strategy]
        ordered = [some[name] for name in ("Natural", "Neighbor", "GPTInst")]
        assert [one.n for one in ordered] == [100, 134, 92]
        same = " / ".join(f"{one.same.rate:.3f}" for one in ordered)
        assert [*(f"{one.accuracy:.3f}" for one in ordered), same] == figures


def test_raters_come_out_as_the_readme_says(found: Report, data_dir: Path) -> None:
    assert [rated(one) for one in found.raters] == table(data_dir, "comparison | n | agreement")


def rated(one: RaterRow) -> list[str]:
    person, other = one.raters
    judge = person == "people"
    return [
        other if judge else f"{person}-vs-{other}",
        str(one.agreement.items),
        f"{one.agreement.rate:.3f}",
        f"{one.agreement.kappa:.3f}",
        str(one.unreadable) if judge else "",
    ]


def test_the_best_is_found_and_the_others_are_refused_in_words(found: Report) -> None:
    choices = {one.domain: one for one in found.choices}
    for domain in ("airline", "retail"):
        choice = choices[domain]
        assert choice.chosen == "policy_conversation_v1"
        assert not choice.may_gate
        for one in choice.candidates:
            assert re.search(r"κ is .* lower end is below 0\.4|outside the agreed form", one.report.standing.reason)  # fmt: skip
    assert "cannot be told apart" not in choices["airline"].because
    assert "cannot be told apart from customer_outcome_v1" in choices["retail"].because
    for name in ("Natural", "Neighbor", "GPTInst"):
        assert choices[name].chosen.startswith("GPT-4 ")
        assert choices[name].may_gate
    assert "it cannot be told apart from" in choices["Natural"].because


def test_a_judge_that_passes_everything_is_not_the_best_however_often_it_agrees(
    found: Report,
) -> None:
    """In retail customer_outcome_v1 agrees most, because most runs there are good."""
    retail = [one for one in found.judges if one.domain == "retail"]
    most = max(retail, key=lambda one: one.report.agreement.count)
    assert most.judge == "customer_outcome_v1"


def test_the_terminal_prints_it(data_dir: Path) -> None:
    done = CliRunner().invoke(root, ["bench", "judges", str(data_dir / "judges")])
    assert done.exit_code == 0, done.output
    assert "policy_conversation_v1 is the best here, and may not gate" in done.output
