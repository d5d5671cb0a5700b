"""Secrets and redactions over HTTP, at the terminal and in a browser."""

from collections import Counter

import pytest
from playwright.sync_api import Page
from tests.api import Api
from tests.pages import Site, holds

from opsroom.journal import queries as journal
from opsroom.kit import csvwriting
from opsroom.kit.db import Database
from opsroom.kit.redaction import Redactor
from opsroom.redactions import Tally
from opsroom.redactions import queries as redactions

VALUE = "erp-canary-7d1f60c2"
ERP = {"value": VALUE, "places": ["https://erp.example.com"]}


def test_set_rotate_list_and_remove_never_show_the_value(sqlite_api: Api) -> None:
    admin, reader = sqlite_api.program("admin"), sqlite_api.program("viewer")
    answers = [
        admin.put("/v1/secrets/erp", ERP),
        admin.post("/v1/secrets/erp/rotate", {"value": VALUE}),
        reader.get("/v1/secrets"),
        reader.get("/v1/secrets/erp"),
    ]
    assert VALUE not in str(answers)
    assert answers[1]["revision"] == 2
    assert reader.refused("PUT", "/v1/secrets/erp", ERP).status == 403
    assert reader.refused("DELETE", "/v1/secrets/erp").status == 403
    assert (
        admin.refused("PUT", "/v1/secrets/erp", {**ERP, "places": []}).code == "broken_secret"
    )
    admin.delete("/v1/secrets/erp")
    assert admin.refused("GET", "/v1/secrets/erp").code == "secret_not_found"
    with sqlite_api.db.read(sqlite_api.actor()) as tx:
        told = [one.event for one, _ in journal.entries(tx, subject="secret/erp", limit=9)]
    assert told == ["secret.removed", "secret.rotated", "secret.set"]


def test_counts_are_kept_by_door_and_rule(db: Database) -> None:
    api, tally = Api(db, db.clock), Tally()
    clean = tally.cleaner(Redactor(), "default", "feedback")
    assert clean("ada@example.com, bob@example.com") == "[redacted:email], [redacted:email]"
    assert tally.keep(db) == 2
    assert tally.keep(db) == 0
    clean("ada@example.com")
    tally.note("default", "traces", Counter({"key": 2}))
    tally.keep(db)
    with db.read(api.actor()) as tx:
        found = {(one.door, one.rule): one.count for one in redactions.redacted(tx)}
    assert found == {("feedback", "email"): 3, ("traces", "key"): 2}
    with db.read(api.actor("other")) as tx:
        assert redactions.redacted(tx) == []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("=1+1", "'=1+1"),
        ("-2+3|cmd", "'-2+3|cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        (-2.5, "-2.5"),
        ("+7", "+7"),
        (None, ""),
        (True, "yes"),
        (["=a", "b"], "'=a\nb"),
    ],
)
def test_no_cell_is_run_by_a_spreadsheet(value: object, told: str) -> None:
    assert csvwriting.cell(value) == told


@pytest.fixture(scope="module")
def kept(shown: Site) -> Site:
    admin = shown.api.program("admin")
    admin.put("/v1/secrets/erp", ERP)
    admin.put("/v1/secrets/chat", {"value": "slack://a/b/c", "places": ["slack://"]})
    shown.api.app.state.redactions.note("default", "traces", Counter({"email": 12_345}))
    shown.api.app.state.redactions.keep(shown.api.db)
    return shown


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/secrets", "/secrets/erp", "/redactions"])
def test_pages_hold(page: Page, kept: Site, base: str, path: str) -> None:
    holds(page, kept, base, path)


def test_a_form_without_scripts_sets_rotates_and_removes(sqlite_api: Api) -> None:
    admin = sqlite_api.person("admin")
    form = {
        "name": "erp",
        "places": "https://erp.example.com  https://b.example",
        "value": "v-1-v",
    }
    for path, data in (
        ("/secrets", form),
        ("/secrets/erp/rotate", {"value": "v-2-v"}),
        ("/secrets/erp/remove", {}),
    ):
        response = admin.send("POST", path, data=data, follow_redirects=False)
        assert response.status_code == 303, response.text
        response = admin.send("GET", response.headers["Location"])
        assert response.status_code == 200, response.text
        assert "v-1-v" not in response.text
        assert "v-2-v" not in response.text
