"""Every route against everybody (Z1), and what callers get who ask for something wrong."""

import re

import pytest
from tests.api import Api

from opsroom.access import ROLES
from opsroom.access.commands import first_run
from opsroom.access.table import FOREIGN, PUBLIC, ROUTES
from opsroom.app.build import check_table, route_keys
from opsroom.app.runtime import SYSTEM

ROUTE_LIST = sorted(ROUTES.items())


def path_of(route: str) -> str:
    """An address that fits the route and names nothing that exists."""
    path = route.partition(" ")[2]
    return re.sub(r"\{(\w+)(:path)?\}", "nothing-1", path)


def test_the_table_holds_exactly_the_routes_there_are(sqlite_api: Api) -> None:
    assert route_keys(sqlite_api.app) == set(ROUTES)


def test_a_route_without_a_permission_stops_the_start(sqlite_api: Api) -> None:
    sqlite_api.app.add_api_route("/v1/forgotten", lambda: None)
    with pytest.raises(LookupError, match="GET /v1/forgotten"):
        check_table(sqlite_api.app)


def test_a_route_without_a_permission_is_refused_to_everybody(sqlite_api: Api) -> None:
    sqlite_api.app.add_api_route("/v1/forgotten", lambda: {"open": "door"})
    assert sqlite_api.program("admin").refused("GET", "/v1/forgotten").code == "may_not"


def test_every_route_against_every_role(sqlite_api: Api) -> None:
    with sqlite_api.db.write(SYSTEM) as tx:
        first_run(tx)
    callers = {role: sqlite_api.program(role) for role in ROLES}
    for route, permission in ROUTE_LIST:
        method, path = route.partition(" ")[0], path_of(route)
        for role, rights in ROLES.items():
            response = callers[role].send(method, path, follow_redirects=False)
            allowed = permission == PUBLIC or permission in rights
            refused = response.status_code in {401, 403}
            if permission == PUBLIC:
                continue
            assert refused is not allowed, (route, role, response.status_code, response.text)
            if refused:
                assert response.json()["error"]["code"] == "may_not"


@pytest.mark.parametrize(
    ("credential", "code"),
    [
        ({}, "login_needed"),
        ({"Authorization": "Bearer nonsense"}, "wrong_credentials"),
        ({"Authorization": "Bearer ops_" + "0" * 12 + "_" + "0" * 48}, "wrong_credentials"),
        ({"Authorization": "Basic YWRtaW46YWRtaW4="}, "login_needed"),
        ({"Authorization": "Bearer ' OR 1=1 --"}, "wrong_credentials"),
        ({"Authorization": "Bearer " + "9" * 8000}, "wrong_credentials"),
        (
            {"Cookie": "opsroom_session=nobody", "Origin": "http://127.0.0.1"},
            "wrong_credentials",
        ),
    ],
)
def test_every_route_without_a_credential(
    sqlite_api: Api, credential: dict[str, str], code: str
) -> None:
    basic = credential.get("Authorization", "").startswith("Basic")
    for route, permission in ROUTE_LIST:
        if permission != PUBLIC:
            method = route.partition(" ")[0]
            refusal = sqlite_api.nobody.refused(method, path_of(route), headers=credential)
            wanted = "wrong_credentials" if basic and route in FOREIGN else code
            assert (refusal.status, refusal.code, refusal.exit_code) == (401, wanted, 4), route


def test_a_revoked_token_is_nobodys(sqlite_api: Api) -> None:
    admin, author = sqlite_api.program("admin"), sqlite_api.program("author")
    mine = next(t for t in admin.get("/v1/tokens") if f"token:{t['name']}" == author.name)
    assert author.get("/v1/me")["roles"] == ["author"]
    admin.delete(f"/v1/tokens/{mine['id']}")
    assert author.refused("GET", "/v1/me").code == "wrong_credentials"


def test_what_is_not_there(sqlite_api: Api) -> None:
    refusal = sqlite_api.nobody.refused("GET", "/v1/nowhere")
    assert (refusal.status, refusal.code) == (404, "page_not_found")
    refusal = sqlite_api.nobody.refused("DELETE", "/healthz")
    assert (refusal.status, refusal.code) == (405, "wrong_method")
    page = sqlite_api.nobody.send("GET", "/nowhere", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "page_not_found" in page.text


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"{", "body"),
        (b'{"name": 3, "roles": []}', "body.name"),
        (b'{"name": "x", "roles": [], "project": "other"}', "body.project"),
        (b"[" * 100_000, "body"),
        (b"", "body"),
    ],
)
def test_a_request_with_another_shape(sqlite_api: Api, content: bytes, place: str) -> None:
    refusal = sqlite_api.program("admin").refused(
        "POST", "/v1/users", content=content, headers={"Content-Type": "application/json"}
    )
    assert (refusal.status, refusal.code, refusal.exit_code) == (422, "bad_request", 2)
    assert refusal.facts["place"].startswith(place)


def test_a_bug_says_nothing_about_its_insides(sqlite_api: Api) -> None:
    def broken() -> None:
        raise RuntimeError("the secret is 42")

    ROUTES["GET /v1/broken"] = PUBLIC
    try:
        sqlite_api.app.add_api_route("/v1/broken", broken)
        sqlite_api.client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
        refusal = sqlite_api.nobody.refused("GET", "/v1/broken")
    finally:
        del ROUTES["GET /v1/broken"]
    assert (refusal.status, refusal.code, refusal.exit_code) == (500, "bug", 1)
    assert "42" not in str(refusal)


def test_health(sqlite_api: Api) -> None:
    assert sqlite_api.nobody.get("/healthz") == {"status": "alive"}
    assert sqlite_api.nobody.get("/readyz")["status"] == "ready"


def test_the_api_describes_itself(sqlite_api: Api) -> None:
    paths = sqlite_api.nobody.get("/v1/openapi.json")["paths"]
    described = {f"{m.upper()} {path}" for path, ways in paths.items() for m in ways}
    assert {route for route in ROUTES if " /v1/" in route} - {
        "GET /v1/openapi.json"
    } <= described


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Host": "evil.example"}, 421, "foreign_host"),
        ({"Origin": "https://evil.example"}, 403, "foreign_origin"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "foreign_origin"),
    ],
)
def test_other_sites_are_kept_out(
    sqlite_api: Api, headers: dict[str, str], status: int, code: str
) -> None:
    refusal = sqlite_api.program("admin").refused("POST", "/v1/users", {}, headers=headers)
    assert (refusal.status, refusal.code) == (status, code)


def test_a_person_without_a_session_is_sent_to_log_in(sqlite_api: Api) -> None:
    answer = sqlite_api.nobody.send(
        "GET", "/people?a=1&b=2", headers={"Accept": "text/html"}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fpeople%3Fa%3D1%26b%3D2"
