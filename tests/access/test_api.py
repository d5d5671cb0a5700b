"""People and tokens over HTTP."""

from datetime import timedelta

import pytest
from tests.api import Api

from opsroom.kit.clock import ManualClock


def test_a_user_is_made_and_given_other_roles(api: Api) -> None:
    admin = api.program("admin")
    made = admin.post("/v1/users", {"name": "ada", "roles": ["author"]})
    assert (made["name"], made["roles"]) == ("ada", ["author"])
    assert admin.put("/v1/users/ada/roles", {"roles": ["viewer", "risk"]})["roles"] == [
        "viewer",
        "risk",
    ]
    assert [user["name"] for user in admin.get("/v1/users")] == ["ada"]


def test_roles_hold_from_the_next_request_on(sqlite_api: Api) -> None:
    admin, ada = sqlite_api.program("admin"), sqlite_api.person("admin", name="ada")
    sqlite_api.person("admin", name="root")  # so that somebody is left
    assert ada.get("/v1/users")
    admin.put("/v1/users/ada/roles", {"roles": ["viewer"]})
    assert ada.refused("GET", "/v1/users").code == "may_not"


def test_a_token_works_until_it_expires(sqlite_api: Api, clock: ManualClock) -> None:
    admin = sqlite_api.program("admin")
    expires = (clock.now() + timedelta(hours=1)).isoformat()
    issued = admin.post(
        "/v1/tokens", {"name": "ci", "roles": ["author"], "expires_at": expires}
    )
    headers = {"Authorization": f"Bearer {issued['secret']}"}
    assert sqlite_api.nobody.send("GET", "/v1/me", headers=headers).json()["name"] == "token:ci"
    clock.move(timedelta(hours=1))
    assert sqlite_api.nobody.send("GET", "/v1/me", headers=headers).status_code == 401
    assert issued["secret"] not in str(admin.get("/v1/tokens"))


def test_a_token_of_an_agent_is_its_identity(api: Api) -> None:
    admin = api.program("admin")
    wanted = {"name": "customs-1", "roles": ["agent"], "agent": "customs"}
    issued = admin.post("/v1/tokens", wanted)
    assert issued["token"]["agent"] == "customs"
    me = api.nobody.send(
        "GET", "/v1/me", headers={"Authorization": f"Bearer {issued['secret']}"}
    ).json()
    assert (me["name"], me["agent"], me["human"]) == ("agent:customs", "customs", False)
    assert "act" in me["may"]
    assert admin.get("/v1/me")["agent"] == ""


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/users", {"name": "ada", "roles": ["king"]}, "unknown_role"),
        ("/v1/users", {"name": "bob", "roles": []}, "name_taken"),
        ("/v1/users", {"name": "system:access", "roles": []}, "bad_person_name"),
        ("/v1/users", {"name": "system", "roles": []}, "bad_person_name"),
        ("/v1/users", {"name": "a/b", "roles": []}, "bad_person_name"),
        ("/v1/users", {"name": "ada\n", "roles": []}, "bad_person_name"),
        ("/v1/users", {"name": "", "roles": []}, "bad_person_name"),
        ("/v1/users", {"name": "ada", "roles": [], "password": "short"}, "weak_password"),
        ("/v1/users", {"name": "ada", "roles": [], "is_admin": True}, "bad_request"),
        ("/v1/users/nobody/link", None, "user_not_found"),
        ("/v1/tokens", {"name": "ci", "roles": ["king"]}, "unknown_role"),
        ("/v1/tokens", {"name": "c", "roles": ["admin"], "agent": "c"}, "not_for_agents"),
        (
            "/v1/tokens",
            {"name": "c", "roles": ["agent", "risk"], "agent": "c"},
            "not_for_agents",
        ),
        ("/v1/tokens", {"name": "c", "roles": [], "agent": "c"}, "not_for_agents"),
        ("/v1/tokens", {"name": "c", "roles": ["agent"], "agent": "C's"}, "not_an_agent"),
    ],
)
def test_bad_input_is_named(sqlite_api: Api, path: str, body: object, code: str) -> None:
    admin = sqlite_api.person("admin", name="root")
    admin.post("/v1/users", {"name": "bob", "roles": []})
    assert admin.refused("POST", path, body).code == code
    assert [user["name"] for user in admin.get("/v1/users")] == ["bob", "root"]


def test_people_of_other_projects_are_nobody_here(sqlite_api: Api) -> None:
    sqlite_api.project("other")
    theirs = sqlite_api.program("admin", project="other")
    theirs.post("/v1/users", {"name": "eve", "roles": ["admin"]})
    token = theirs.post("/v1/tokens", {"name": "t", "roles": ["admin"]})["token"]
    mine = sqlite_api.program("admin")
    assert mine.refused("PUT", "/v1/users/eve/roles", {"roles": []}).code == "user_not_found"
    assert (
        mine.refused("PUT", "/v1/users/eve/password", {"password": "x" * 20}).code
        == "user_not_found"
    )
    assert mine.refused("POST", "/v1/users/eve/link").code == "user_not_found"
    assert mine.refused("DELETE", f"/v1/tokens/{token['id']}").code == "token_not_found"
