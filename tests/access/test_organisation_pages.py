"""The pages Organisations and Environments, filled in without a script, and in a browser."""

from typing import Any

import pytest
from playwright.sync_api import Page
from tests.api import Api, Caller
from tests.pages import Site, holds


def submit(who: Caller, path: str, **form: Any) -> str:
    answer = who.send("POST", path, data=form, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def shown_to(who: Caller, path: str) -> str:
    answer = who.send("GET", path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def fill(api: Api, name: str = "root") -> Caller:
    """Two organisations, three projects, a member, and staging before production."""
    root = api.person("admin", name=name)
    api.project("default")
    submit(root, "/organisations", name="Acme", project="freight")
    submit(root, "/organisations/default/projects", name="customs")
    submit(root, "/organisations/default/members", name="vic", role=["viewer", "auditor"])
    submit(
        root,
        "/environments",
        name="staging",
        position=50,
        criticality="advisory",
        note="<script>",
    )
    submit(
        root,
        "/environments",
        name="production",
        position=100,
        reviewed="yes",
        criticality="assistive",
        movers="operator, risk",
        after="staging",
    )
    return root


def test_everything_is_done_without_a_script(sqlite_api: Api) -> None:
    root = fill(sqlite_api)
    acme, default = sorted(root.get("/v1/organisations"), key=lambda one: one["name"])
    assert [one["name"] for one in default["projects"]] == ["customs", "default"]
    customs = default["projects"][0]["id"]
    page = shown_to(root, "/organisations")
    for text in ("Acme", "freight", "customs", "vic", "you are here"):
        assert text in page
    submit(root, f"/organisations/{acme['id']}/name", name="Acme & Sons")
    submit(root, f"/projects/{customs}/name", name="duties")
    submit(root, f"/projects/{customs}/move", organisation=acme["id"])
    submit(root, "/organisations/default/members/vic/remove")
    assert submit(root, "/projects/enter", project=customs).startswith("/organisations?notice=")
    assert root.get("/v1/me")["project"] == customs
    assert "admin in duties" in shown_to(root, "/organisations")
    acme, default = sorted(root.get("/v1/organisations"), key=lambda one: one["name"])
    assert (acme["name"], len(acme["projects"]), len(default["projects"])) == (
        "Acme & Sons",
        2,
        1,
    )


def test_environments_are_set_without_a_script(sqlite_api: Api) -> None:
    root = fill(sqlite_api)
    staging, production = root.get("/v1/environments")
    assert (staging["name"], staging["reviewed"]) == ("staging", False)
    assert (production["after"], production["movers"]) == ("staging", ["operator", "risk"])
    assert "<script>" not in shown_to(root, "/environments")
    for path in ("/releases", "/autonomy"):
        assert 'aria-label="Environment"' in shown_to(root, path)
    submit(
        root,
        "/environments",
        name="production",
        position=100,
        reviewed="yes",
        criticality="advisory",
    )
    submit(root, "/environments/staging/remove")
    for path in ("/releases", "/autonomy"):  # whoever needs one environment sees no switch
        assert 'aria-label="Environment"' not in shown_to(root, path)


def test_one_sees_what_one_may_do(sqlite_api: Api) -> None:
    fill(sqlite_api)
    viewer = sqlite_api.person("viewer")
    told = shown_to(viewer, "/organisations")
    assert "Acme" not in told
    assert "customs" not in told
    assert "Make a project" not in told
    assert "Make an environment" not in shown_to(viewer, "/environments")


@pytest.mark.slow
@pytest.mark.browser
def test_the_pages_hold(page: Page, shown: Site, base: str) -> None:
    fill(shown.api, name="rosa")
    for path in ("/organisations", "/environments"):
        holds(page, shown, base, path)
