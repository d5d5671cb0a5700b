"""The page Access, filled in without a script, and in a browser."""

from typing import Any

import pytest
from playwright.sync_api import Page
from tests.access.test_rules import RULES
from tests.api import Api, Caller
from tests.pages import Site, holds

REASON = "the canary burns money and nobody else is awake"


def submit(who: Caller, path: str, **form: Any) -> str:
    answer = who.send("POST", path, data=form, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    place: str = answer.headers["location"]
    return place


def shown_to(who: Caller) -> str:
    answer = who.send("GET", "/access", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    text: str = answer.text
    return text


def govern(api: Api) -> None:
    """A page with something of everything on it."""
    root, ana = api.person("admin", name="root"), api.person("author", name="ana-maria")
    submit(root, "/access/roles", name="night-desk", permission=["read", "operate"], note="x")
    submit(root, "/access/rules", cedar=RULES, otherwise="as_roles_say", labels="staging, live")
    submit(root, "/access/settings", token_days=90, glass_minutes=30, glass_roles="operator")
    submit(ana, "/access/glass", role="operator", minutes=30, reason=REASON)
    for name in ("billing", "nightly"):
        told = {"owner": "root", "purpose": "reads what it cost", "role": ["viewer"]}
        assert "service_opened" in submit(root, "/access/services", name=name, **told)


def test_everything_is_set_without_a_script(sqlite_api: Api) -> None:
    govern(sqlite_api)
    root = sqlite_api.person("admin")
    for text in ("night-desk", REASON, "billing", "autonomous-by-risk", "staging, live"):
        assert text in shown_to(root)
    glass = root.get("/v1/glass")[0]["id"]
    session = next(one for one in root.get("/v1/sessions") if one["user"] == "ana-maria")["id"]
    for path, form in (
        ("/access/roles/night-desk/remove", {}),
        (f"/access/glass/{glass}/end", {}),
        (f"/access/sessions/{session}/end", {}),
        ("/access/services/billing/close", {"reason": "the invoice moved"}),
        ("/access/rules", {"otherwise": "deny"}),
    ):
        assert submit(root, path, **form).startswith("/access?notice=")
    assert root.get("/v1/roles")["custom"] == []
    assert root.get("/v1/access/rules")["protected_labels"] == []


def test_one_sees_what_one_may_do(sqlite_api: Api) -> None:
    govern(sqlite_api)
    viewer = shown_to(sqlite_api.person("viewer"))
    assert "<textarea" not in viewer
    assert "ses_" not in viewer
    assert "billing" not in viewer
    assert "autonomous-by-risk" in viewer
    assert "Take a role in an emergency" in shown_to(sqlite_api.person("author"))
    keeper = shown_to(sqlite_api.person("policy-admin"))
    assert 'name="cedar"' in keeper
    assert 'name="token_days"' not in keeper


def test_what_people_wrote_is_shown_as_text(sqlite_api: Api) -> None:
    root = sqlite_api.person("admin")
    text = '@id("a") @reason("<script>alert(1)</script>") forbid (principal, action, resource);'
    submit(root, "/access/rules", cedar=text, otherwise="deny")
    ana = sqlite_api.person("author")
    submit(ana, "/access/glass", role="operator", minutes=1, reason="<img src=x onerror=y>")
    told = shown_to(root)
    assert "<script>alert" not in told
    assert "<img src=x" not in told


@pytest.mark.browser
def test_the_page_holds(page: Page, shown: Site, base: str) -> None:
    govern(shown.api)
    holds(page, shown, base, "/access")


@pytest.mark.browser
def test_the_page_of_people_holds(page: Page, shown: Site, base: str) -> None:
    holds(page, shown, base, "/people")
