"""Logging in through a browser, and out again."""

from typing import Any

import pytest
from tests.api import HOST, Api

from opsroom.access import commands
from opsroom.access.http import COOKIE
from opsroom.access.throttle import PER_NAME

PASSWORD = "correct horse battery"
FORM = {"Origin": HOST}


def post(api: Api, path: str, form: dict[str, str], **headers: str) -> Any:
    return api.nobody.send(
        "POST", path, data=form, headers={**FORM, **headers}, follow_redirects=False
    )


def link(api: Api) -> str:
    path: str = api.person("admin").post("/v1/users/ada/link")["path"]
    return path.partition("#")[2]


@pytest.fixture(autouse=True)
def ada(api: Api) -> None:
    with api.db.write(api.actor()) as tx:
        commands.create_user(tx, "ada", ("author",), PASSWORD)


def test_a_link_logs_in_once(api: Api) -> None:
    code = link(api)
    for _ in range(3):  # previews and prefetches
        assert api.nobody.send("GET", "/login/once").status_code == 200
    answer = post(api, "/login/once", {"code": code})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    session = {"Cookie": cookie.partition(";")[0]}
    assert api.nobody.send("GET", "/v1/me", headers=session).json()["name"] == "ada"
    again = post(api, "/login/once", {"code": code})
    assert (again.status_code, "set-cookie" in again.headers) == (401, False)
    assert "not valid" in again.text


def test_a_password_logs_in_and_goes_where_one_wanted_to_be(api: Api) -> None:
    form = {"name": "ada", "password": PASSWORD, "next": "/prompts?search=a"}
    answer = post(api, "/login", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/prompts?search=a")


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"],
)
def test_no_way_leads_to_another_site(api: Api, target: str) -> None:
    answer = post(api, "/login", {"name": "ada", "password": PASSWORD, "next": target})
    assert answer.headers["location"] == "/"


def test_each_login_is_a_session_of_its_own(api: Api) -> None:
    form = {"name": "ada", "password": PASSWORD}
    planted = {"Cookie": f"{COOKIE}=planted"}
    first, second = (
        post(api, "/login", form, **planted).headers["set-cookie"] for _ in range(2)
    )
    assert first != second
    assert "planted" not in first + second


def test_wrong_passwords_all_look_the_same_and_get_slow(api: Api) -> None:
    for name in ("ada", "nobody"):
        answer = post(api, "/login", {"name": name, "password": "wrong horse battery"})
        assert answer.status_code == 401
        assert "These credentials are not valid" in answer.text
    for _ in range(PER_NAME - 1):
        post(api, "/login", {"name": "ada", "password": "wrong horse battery"})
    answer = post(api, "/login", {"name": "ada", "password": PASSWORD})
    assert answer.status_code == 401
    assert "too many failed logins" in answer.text.lower()


def test_logging_out_ends_the_session(api: Api) -> None:
    person = api.person("viewer", name="bob")
    assert person.get("/v1/me")["name"] == "bob"
    answer = person.send("POST", "/logout", follow_redirects=False)
    assert answer.headers["location"] == "/login?notice=logged-out"
    assert person.refused("GET", "/v1/me").code == "wrong_credentials"
    assert person.send("POST", "/logout", follow_redirects=False).status_code == 303


def test_another_site_cannot_log_anybody_in(api: Api) -> None:
    answer = post(api, "/login/once", {"code": link(api)}, Origin="https://evil.example")
    assert answer.status_code == 403


def test_what_people_typed_is_shown_as_text(api: Api) -> None:
    answer = post(api, "/login", {"name": "<script>alert(1)</script>", "password": "x"})
    assert "<script>alert(1)" not in answer.text


def test_people_are_for_administrators(api: Api) -> None:
    assert api.person("author").send("GET", "/people").status_code == 403
    page = api.person("admin").send("GET", "/people", headers={"Accept": "text/html"})
    assert "ada" in page.text
