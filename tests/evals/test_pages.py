"""Evaluations in a browser: looking measures nothing, and every number has its interval."""

import re
from html import unescape

import pytest
from playwright.sync_api import Page
from tests.pages import Site, holds

BOTH = "/evals/compare?a=customs-classifier%401&b=customs-classifier%402"


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_a_comparison_gives_a_verdict_with_an_interval_for_every_metric(shown: Site) -> None:
    page = text(shown.read(BOTH))
    assert "Is customs-classifier@2 better than customs-classifier@1?" in page
    assert "better on correct" in page
    assert re.search(r"correct 86\.2 % 92\.9 % \+6\.7 pt \[\+4\.1, \+10\.6\]", page)
    assert re.search(r"latency .* worse", page)
    assert "correct 240 0 16 3.05e-05 none" in page


def test_cases_are_sorted_filtered_and_paged(shown: Site) -> None:
    turned = "/evals/compare?a=customs-classifier%402&b=customs-classifier%401"
    rows = re.findall(r'chip \w+">(\w+)</span></td></tr>', shown.read(turned))
    assert rows[:16] == ["regressed"] * 16
    assert set(rows[16:]) == {"same"}
    regressed = shown.read(f"{turned}&show=regressed")
    assert re.findall(r'chip \w+">(\w+)</span></td></tr>', regressed) == ["regressed"] * 16
    assert "No case is like that" in shown.read(f"{turned}&show=missing")
    first = shown.read(turned)
    after = re.search(r'href="([^"]*after=[0-9a-f]{64}[^"]*)" rel="next"', first)
    assert after
    second = shown.read(unescape(after[1]))
    assert "From the start" in second
    names = re.compile(r"customs-classifier-cases-7-\d+(?=</a>)")
    assert not set(names.findall(first)) & set(names.findall(second))


def test_a_case_shows_what_was_asked_and_both_answers(shown: Site) -> None:
    found = re.search(r'href="([^"]*case=[0-9a-f]{64}[^"]*)#case"', shown.read(BOTH))
    assert found
    page = text(shown.read(unescape(found[1])))
    assert "ceramic floor tiles" in page
    assert "'unsure' against '6907'" in page


def test_looking_measures_nothing(site: Site) -> None:
    author = site.person("author")
    before = site.head()
    here = "/evals/compare?a=quote-writer%401&b=quote-writer%402&dataset=customs-classifier"
    page = site.read(here, by=author)
    assert "quote-writer@1 and quote-writer@2 are not measured on this dataset" in text(page)
    assert "Measure both <kbd>M</kbd>" in page
    assert site.head() == before


def test_both_versions_are_measured_when_somebody_asks(site: Site) -> None:
    form = {"a": "invoice-matcher@1", "b": "invoice-matcher@2", "metric": "cost"}
    to = site.post("/evals/compare", form=form, by=site.person("author"))
    assert "better on cost" in text(site.read(to))
    nobody = {"a": "customs-classifier@1", "b": "house-tone@1"}
    said = site.post("/evals/compare", form=nobody, by=site.person("author"), status=422)
    assert "has no recorded answers" in said


def test_viewers_do_not_measure(shown: Site) -> None:
    viewer = shown.person("viewer")
    here = "/evals/compare?a=quote-writer%401&b=quote-writer%402&dataset=customs-classifier"
    assert re.search(r"<button[^>]*disabled>Measure both", shown.read(here, by=viewer))
    for path in ("/evals/compare", "/evals/gate"):
        form = {"a": "x", "b": "y", "baseline": "x", "candidate": "y", "proposal": "z"}
        assert "needs the permission" in shown.post(path, form=form, by=viewer, status=403)


def test_what_cannot_be_compared_is_said_beside_the_form(shown: Site) -> None:
    page = text(shown.read("/evals/compare?a=nobody%401&b=nobody%402", status=404))
    assert "There is no prompt 'nobody'" in page
    assert "What to compare" in page
    page = text(shown.read(f"{BOTH}&metric=charm", status=422))
    assert "the gate asks for 'charm'" in page.lower()


def test_a_run_shows_its_means_and_pages_its_results(shown: Site) -> None:
    page = shown.read("/evals/runs/{run}")
    assert "240 values" in page
    after = re.search(r'href="(/evals/runs/[^"]*after=[0-9a-f]{64})"', page)
    assert after
    assert "From the start" in shown.read(after[1])
    assert "there is no evaluation run" in shown.read("/evals/runs/run_0", status=404).lower()


def test_a_verdict_shows_rules_reasons_and_evidence(shown: Site) -> None:
    page = text(shown.read("/evals/verdicts/{verdict}"))
    assert "May invoice-matcher@2 replace invoice-matcher@1? the gate passed it" in page
    assert "latency guardrail lower 0.2 0.05" in page
    assert "At least 200 pairs" in page
    assert shown.ids.verdict in page
    assert "there is no gate verdict" in shown.read("/evals/verdicts/0", status=404).lower()


def test_the_gate_is_asked_from_a_proposal_and_says_what_it_was_told(site: Site) -> None:
    cat = site.known("cat")
    form = {
        "baseline": "agent/invoice-matcher@1",
        "candidate": "agent/invoice-matcher@2",
        "proposal": site.ids.proposal,
        "min_samples": "100",
    }
    page = text(site.read(site.post("/evals/gate", form=form, by=cat), by=cat))
    assert "The gate has decided" in page
    assert "the floor of 200 pairs was lowered to 100 on purpose" in page


def test_the_list_shows_runs_and_verdicts_newest_first(shown: Site) -> None:
    page = text(shown.read("/evals"))
    assert "the gate's last word: passed" in page
    assert page.index("agent/quote-writer@2") < page.index("agent/customs-classifier@1")
    assert "No older runs" in shown.read("/evals?before=run_0")


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    [
        "/evals",
        BOTH,
        "/evals/compare?a=quote-writer%401&b=quote-writer%402&dataset=customs-classifier",
        "/evals/runs/{run}",
        "/evals/verdicts/{verdict}",
    ],
)
def test_every_page_holds(page: Page, shown: Site, base: str, path: str) -> None:
    holds(page, shown, base, path)
