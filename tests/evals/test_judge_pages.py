"""Judges over HTTP, at the terminal and in a browser: where they may gate, and why not."""

import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape

import pytest
from playwright.sync_api import Page
from tests.api import Api
from tests.browser import serving
from tests.evals.judging import RUBRIC, Having, Speaks, counts, labelled, put, put_judge
from tests.pages import CAT, Site, holds

from opsroom.app import guarded
from opsroom.datasets import Item
from opsroom.evals import store
from opsroom.evals.calibration import Calibration
from opsroom.evals.comparison import MetricRule
from opsroom.evals.gate import GateRules
from opsroom.evals.gating import gate_versions
from opsroom.evals.measure import Measurement
from opsroom.evals.trust import Uncalibrated
from opsroom.kit.db import Actor, Database
from opsroom.registry import Ref, queries


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


MODELS = Having(Speaks(wrong=["good 1", "bad 1", "bad 2"]))


def labels(domain: str, good: int, bad: int) -> list[Item]:
    return [
        labelled(f"{domain}-{word}{n}", word == "good", domain=domain, answer=f"{word} {n}")
        for word, count in (("good", good), ("bad", bad))
        for n in range(count)
    ]


def set_up(db: Database, actor: Actor) -> None:
    put_judge(db, actor)
    put_judge(db, actor, "terse", rubric="The answer is short.")
    put(db, actor, "labels", [*labels("desk", 40, 30), *labels("airline", 8, 3)])


@pytest.fixture
def room(site: Site) -> Site:
    set_up(site.api.db, CAT)
    site.api.app.state.models = MODELS
    return site


@pytest.fixture(scope="module")
def seen(shown: Site) -> Site:
    """A judge that may gate in one of its two domains, and one that nobody calibrated.

    The calibration is put there as it would be kept: a browser may be open already, and beside
    it nothing can be asked.
    """
    set_up(shown.api.db, CAT)
    with shown.api.db.write(CAT) as tx:
        judge = queries.version(tx, Ref("evaluator", "polite", "1"))
        found = Calibration(
            evaluator=judge.ref,
            evaluator_digest=judge.digest,
            model=RUBRIC["model"],
            dataset="dataset/labels@1",
            dataset_digest="d" * 64,
            domains=(
                counts((7, 1), (2, 1), domain="airline", cost=Decimal("0.022")),
                counts((39, 1), (2, 28), cost=Decimal("0.14")),
            ),
            at=tx.now,
        )
        store.add_calibration(tx, judge.name, found)
    return shown


def test_a_judge_is_calibrated_from_its_page(room: Site) -> None:
    cat = room.known("cat")
    before = text(room.read("/evaluators/polite", by=cat))
    assert "may not gate anywhere: it was never calibrated" in before
    assert "at least 30 answers labelled in each domain" in before
    form = {"evaluator": "evaluator/polite@1", "dataset": "labels"}
    page = text(room.read(room.post("/evals/judges/calibrate", form=form, by=cat), by=cat))
    assert "Calibrated. What came out stands below." in page
    assert "desk: may gate" in page
    assert "airline: may not gate 11 labels are too few" in page.replace(". ", " ")
    assert "pass 39 1 0 fail 2 28 0" in page
    viewer = room.person("viewer")
    assert "needs the permission" in room.post("/evals/judges/calibrate", form=form, by=viewer, status=403)  # fmt: skip
    wrong = {**form, "dataset": "customs-classifier"}
    assert "is not a labelled answer" in room.post("/evals/judges/calibrate", form=wrong, by=cat, status=422)  # fmt: skip


def test_the_list_says_who_may_gate_where(seen: Site) -> None:
    page = text(seen.read("/evals/judges"))
    assert "may gate in 1 of 3 places" in page
    assert re.search(r"polite@1 gpt-4o-2024-11-20 airline may not", page)
    assert re.search(r"desk may gate Its κ is 0\.91 \(0\.78 to 0\.99\) on 70 labels, and", page)
    assert "terse@1 gpt-4o-2024-11-20 – may not" in page
    assert "It was never calibrated" in page
    assert 'href="/evals/judges"' in seen.read("/evals")


def test_no_judges_yet(shown: Site) -> None:
    assert "Judges" in text(shown.read("/evals/judges?after=zzz"))


def test_over_http(sqlite_api: Api) -> None:
    author, viewer = sqlite_api.program("author"), sqlite_api.program("viewer")
    set_up(sqlite_api.db, CAT)
    sqlite_api.app.state.models = MODELS
    wanted = {"evaluator": "polite@1", "dataset": "labels"}
    found = author.post("/v1/evals/calibrations", wanted)
    assert [one["standing"]["may_gate"] for one in found["domains"]] == [False, True]
    assert viewer.get(f"/v1/evals/calibrations/{found['digest']}") == found
    assert viewer.get("/v1/evals/calibrations", evaluator="polite") == [found]
    assert viewer.get("/v1/evals/calibrations", evaluator="terse") == []
    page = viewer.get("/v1/evals/judges")
    assert [(one["domain"], one["may_gate"]) for one in page["items"]] == [
        ("airline", False),
        ("desk", True),
        ("", False),
    ]
    assert page["next"] == ""
    assert viewer.refused("POST", "/v1/evals/calibrations", wanted).code == "may_not"
    assert viewer.refused("GET", "/v1/evals/calibrations/0").code == "calibration_not_found"
    plain = {"evaluator": "polite", "dataset": "nothing"}
    assert author.refused("POST", "/v1/evals/calibrations", plain).status == 404


def test_what_the_rules_allow_is_shown_to_reviewers(room: Site) -> None:
    """A gate on a judge's word alone: in the verdict, and beside the proposal."""
    a, b = (
        Measurement(subject=f"agent/invoice-matcher@{n}", evaluators=("polite",))
        for n in (1, 2)
    )
    rules = GateRules(
        metrics=(MetricRule(metric="llm-judge", margin=0.05),), uncalibrated=Uncalibrated.ALLOW
    )
    verdict = gate_versions(
        room.api.db, CAT, a, b, rules=rules, proposal=room.ids.proposal, models=MODELS
    )
    for page in (f"/evals/verdicts/{verdict.digest}", "/proposals/{proposal}"):
        assert "polite@1 may not gate, and the rules allow it to" in text(room.read(page))


@pytest.fixture(scope="module")
def place(seen: Site) -> Iterator[str]:
    with serving(guarded(seen.api.app)) as address:
        yield address


@pytest.mark.browser
@pytest.mark.parametrize(
    "path", ["/evals/judges", "/evaluators/polite", "/evaluators/terse", "/evals"]
)
def test_every_page_holds(page: Page, seen: Site, place: str, path: str) -> None:
    holds(page, seen, place, path)
