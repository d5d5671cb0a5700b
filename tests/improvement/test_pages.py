"""Improvement in a browser, in both colours and on narrow screens."""

from importlib.util import find_spec

import pytest
from playwright.sync_api import Page
from tests.improvement.world import DATASET, desk, plan, searched
from tests.pages import ANA, Site, holds
from tests.thresholds.world import rated, sure_when_right

from opsroom.evals.measure import Measurement, measure
from opsroom.improvement.model import Budget, Method, Plan
from opsroom.simulator.apprentice import Apprentices


@pytest.fixture(scope="module")
def tried(shown: Site) -> tuple[Site, dict[str, str]]:
    """A site where one search found something, one was spoilt and one was too poor."""
    db, models = shown.api.db, Apprentices()
    desk(db, ANA)
    found, _ = searched(db, ANA, plan(), models)
    ids = {"list": "", "found": f"/{found.id}", "issues": "/issues?agent=customs-classifier"}
    poor, _ = searched(db, ANA, plan(budget=Budget(max_calls=3)), models)
    ids["poor"] = f"/{poor.id}"
    if find_spec("gepa") is not None:
        reflect = plan(Method.REFLECT, reflection_model="r", rounds=3)
        spoilt, _ = searched(db, ANA, reflect, Apprentices(spoils=True))
        ids["refused"] = f"/{spoilt.id}?show=1"
    rated(db, sure_when_right(2000), agent="customs-classifier", contract="look")
    cutoff = Plan(
        target="agent/customs-classifier",
        method=Method.THRESHOLDS,
        contract="look",
        max_error=0.05,
    )
    ids["cut-offs"] = f"/{searched(db, ANA, cutoff, models)[0].id}"
    wanted = Measurement(
        subject="prompt/customs@1", dataset=DATASET, split="selection", source="apprentice"
    )
    run = measure(db, ANA, wanted, models=models)
    ids["issues of a run"] = f"/issues?agent=prompt/customs&run={run.id}"
    return shown, ids


@pytest.mark.browser
@pytest.mark.parametrize(
    "which", ["list", "found", "poor", "refused", "cut-offs", "issues", "issues of a run"]
)
def test_pages_hold(
    tried: tuple[Site, dict[str, str]], page: Page, base: str, which: str
) -> None:
    site, ids = tried
    if which not in ids:
        pytest.skip("gepa is not installed")
    holds(page, site, base, f"/improvements{ids[which]}")
