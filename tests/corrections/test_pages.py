"""Corrections in a browser, in both colours and on narrow screens; and taking them in there."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page
from tests.api import Api
from tests.corrections.world import CAT, accept, look, taught
from tests.pages import Site, holds

from opsroom.corrections import Correction, State


@dataclass
class Taught:
    site: Site
    waiting: Correction
    accepted: Correction
    held: Correction
    rival: Correction


@pytest.fixture(scope="module")
def school(shown: Site) -> Taught:
    """A site whose people corrected a customs clerk."""
    db = shown.api.db
    found = Taught(
        site=shown,
        waiting=taught(db, asked="bearings", human_decision="8482.10"),
        accepted=taught(db),
        held=taught(db, asked=None),
        rival=taught(db, CAT, asked="bearings", human_decision="8483.20"),
    )
    accept(db, found.accepted)
    return found


@pytest.mark.browser
@pytest.mark.parametrize("which", ["", "waiting", "accepted", "held"])
def test_pages_hold(page: Page, school: Taught, base: str, which: str) -> None:
    path = f"/{getattr(school, which).id}" if which else ""
    holds(page, school.site, base, f"/corrections{path}")


def test_nobody_has_taught_anything_yet(sqlite_api: Api) -> None:
    reader = sqlite_api.person("viewer")
    answer = reader.send("GET", "/corrections", headers={"Accept": "text/html"})
    assert "Nobody has taught anything yet" in answer.text


def test_taking_in_completing_and_retiring(sqlite_api: Api) -> None:
    api = sqlite_api
    one, held = taught(api.db), taught(api.db, asked=None)
    ben = api.person("reviewer")

    def post(path: str, **form: str) -> str:
        answer = ben.send("POST", path, data=form, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    assert "corrections_accepted" in post("/corrections/accept", ids=one.id)
    assert "corrections_none" in post("/corrections/accept", ids=held.id)
    post(f"/corrections/{held.id}/complete", asked="pumps")
    post(f"/corrections/{one.id}/retire", reason="the tariff changed")
    post(f"/corrections/{one.id}/readmit", reason="it changed back")
    assert look(api.db, held).state is State.CANDIDATE
    assert look(api.db, one).state is State.CANDIDATE
