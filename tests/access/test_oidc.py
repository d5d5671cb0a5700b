"""Logging in at an identity provider, and everything that must not pass for that."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.access.identity_provider import (
    CLIENT,
    SECRET,
    IdentityProvider,
    new_key,
    providing,
)
from tests.api import HOST, Api

from opsroom.access import commands, granting, organisations, queries, signing_in, store
from opsroom.access.errors import BadOidcSetting, ComesByProvider, OidcRefused, WrongCredentials
from opsroom.access.http import COOKIE
from opsroom.access.oidc import Person, from_environment, person_of
from opsroom.access.oidc_pages import STATE
from opsroom.access.provider import Provider
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database

SYSTEM = Actor("system", "default", human=False)
Lie = Callable[[IdentityProvider], None]


@pytest.fixture
def idp(sqlite_api: Api, clock: ManualClock) -> Iterator[IdentityProvider]:
    with providing(clock) as provider:
        allow = (provider.base.removeprefix("http://"),)
        sqlite_api.app.state.identity_provider = Provider(provider.settings, allow=allow)
        yield provider


def leave(api: Api, back: str = "/prompts") -> tuple[str, str]:
    """Where the browser is sent, and the cookie that it keeps."""
    answer = api.nobody.send(
        "GET", "/login/oidc", params={"next": back}, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    cookie: str = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/login/oidc" in cookie
    return answer.headers["location"], cookie.partition(";")[0]


def come_back(api: Api, brought: dict[str, str], cookie: str) -> Any:
    api.client.cookies.clear()
    return api.nobody.send(
        "GET",
        "/login/oidc/back",
        params=brought,
        headers={"Cookie": cookie},
        follow_redirects=False,
    )


def log_in(api: Api, idp: IdentityProvider) -> Any:
    address, cookie = leave(api)
    return come_back(api, idp.log_in(address), cookie)


def me(api: Api, answer: Any) -> dict[str, Any]:
    """Whose session an answer begins."""
    assert answer.status_code == 303, answer.text
    cookies = answer.headers.get_list("set-cookie")
    session = next(one for one in cookies if one.startswith(COOKIE)).partition(";")[0]
    found: dict[str, Any] = api.nobody.send("GET", "/v1/me", headers={"Cookie": session}).json()
    return found


def refused(api: Api, answer: Any) -> str:
    """Why nobody came in."""
    assert answer.status_code == 401
    assert COOKIE not in answer.headers.get("set-cookie", "")
    with api.db.read(SYSTEM) as tx:
        told = journal.entries(tx, event="session.refused", limit=1)
        assert journal.entries(tx, event="session.begun") == []
    return str(told[0][0].facts["because"]) if told else ""


def test_somebody_logs_in_with_the_roles_of_their_groups(
    sqlite_api: Api, idp: IdentityProvider
) -> None:
    answer = log_in(sqlite_api, idp)
    assert answer.headers["location"] == "/prompts"
    found = me(sqlite_api, answer)
    assert (found["name"], found["human"], found["roles"]) == ("ana", True, ["author"])
    idp.person["groups"] = ["ops", "others"]
    idp.person["preferred_username"] = "ana.lima"  # names change, people stay
    found = me(sqlite_api, log_in(sqlite_api, idp))
    assert (found["name"], found["roles"]) == ("ana", ["operator", "reviewer"])
    assert idp.asked.count("/keys") == 1


def other_nonce(idp: IdentityProvider) -> None:
    idp.claims["nonce"] = "that of a login before"


def other_key(idp: IdentityProvider) -> None:
    mine = idp.key

    def sign(claims: dict[str, Any]) -> str:
        idp.key = new_key("another")
        token = idp.signed(claims)
        idp.key = mine
        return token

    idp.sign = sign


def claims(**changed: Any) -> Lie:
    return lambda idp: idp.claims.update(changed)


def at(name: str, seconds: int) -> Lie:
    def lie(idp: IdentityProvider) -> None:
        idp.claims[name] = int(idp._clock.now().timestamp()) + seconds

    return lie


def sign(how: Callable[[IdentityProvider, dict[str, Any]], str]) -> Lie:
    def lie(idp: IdentityProvider) -> None:
        idp.sign = lambda claims: how(idp, claims)

    return lie


def secret_key(idp: IdentityProvider) -> None:
    """The key that lies among the public ones is a secret, which proves nothing."""
    idp.kid = "two"
    idp.sign = lambda claims: idp.shared(claims, b"x" * 32)


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (claims(aud="another program"), "made for another program"),
        (claims(aud=[CLIENT, "another"]), "another program as well"),
        (claims(azp="another"), "another program as well"),
        (claims(iss="https://evil.example"), "another provider"),
        (claims(aud=None), "cannot be read"),
        (claims(exp=None), "cannot be read"),
        (claims(exp="tomorrow"), "no times"),
        (at("exp", -61), "expired"),
        (at("iat", 120), "from the future"),
        (at("nbf", 120), "from the future"),
        (claims(nonce=None), "another login"),
        (other_nonce, "another login"),
        (claims(sub=""), "who it is"),
        (claims(preferred_username="token:ci"), "no name"),
        (claims(preferred_username="system"), "no name"),
        (claims(groups={"desk": True}), "no list of groups"),
        (sign(IdentityProvider.unsigned), "signed by 'none'"),
        (sign(lambda idp, told: idp.shared(told, idp.public)), "signed by 'HS256'"),
        (sign(lambda idp, told: idp.shared(told, SECRET.encode())), "signed by 'HS256'"),
        (secret_key, "signed by 'HS256'"),
        (other_key, "the signature is wrong"),
        (sign(lambda idp, told: idp.signed(told)[:-8] + "AAAAAAAA"), "the signature is wrong"),
        (sign(lambda _idp, _told: "no.token.at-all"), "cannot be read"),
        (sign(lambda _idp, _told: "x" * 70_000), "too long"),
    ],
)
def test_what_proves_nothing_is_believed_by_nobody(
    clock: ManualClock, lie: Lie, why: str
) -> None:
    idp = IdentityProvider(clock)
    truth, now = idp.token("n-1"), clock.now()
    assert person_of(idp.settings, truth, idp.keys(), nonce="n-1", now=now).name == "ana"
    lie(idp)
    with pytest.raises(OidcRefused, match=why):
        person_of(idp.settings, idp.token("n-1"), idp.keys(), nonce="n-1", now=now)


@pytest.mark.parametrize("lie", [claims(aud="another program"), other_nonce, other_key])
def test_what_proves_nothing_opens_nothing(
    sqlite_api: Api, idp: IdentityProvider, lie: Lie
) -> None:
    lie(idp)
    assert refused(sqlite_api, log_in(sqlite_api, idp))


def test_an_answer_is_good_once(sqlite_api: Api, idp: IdentityProvider) -> None:
    address, cookie = leave(sqlite_api)
    brought = idp.log_in(address)
    assert me(sqlite_api, come_back(sqlite_api, brought, cookie))["name"] == "ana"
    again = come_back(sqlite_api, brought, cookie)
    assert again.status_code == 401
    assert "was used before" in again.text
    # Not even with a code that is good: the state is what is used up.
    fresh = brought | {"code": idp.log_in(address)["code"]}
    assert come_back(sqlite_api, fresh, cookie).status_code == 401


def test_the_token_of_an_earlier_login_opens_nothing(
    sqlite_api: Api, idp: IdentityProvider
) -> None:
    """A token that was good once, with the nonce it was made for, in an answer of its own."""
    old = idp.token("the nonce of a login that is over")
    assert person_of(
        idp.settings,
        old,
        idp.keys(),
        nonce="the nonce of a login that is over",
        now=sqlite_api.db.clock.now(),
    )
    idp.sign = lambda claims: old  # named as what it stands in for
    assert "another login" in refused(sqlite_api, log_in(sqlite_api, idp))


def log_out(api: Api, answer: Any) -> Any:
    """What a browser meets that was let in by this answer, and has its cookies."""
    cookies = [one.partition(";")[0] for one in answer.headers.get_list("set-cookie")]
    headers = {"Cookie": "; ".join(cookies), "Origin": HOST}
    api.client.cookies.clear()
    said = api.nobody.send("POST", "/logout", headers=headers, follow_redirects=False)
    if said.status_code != 200:
        return said
    assert said.headers["refresh"] == "0; url=/logout/oidc"
    api.client.cookies.clear()
    return api.nobody.send("GET", "/logout/oidc", headers=headers, follow_redirects=False)


def test_logging_out_goes_to_the_provider_as_well(
    sqlite_api: Api, idp: IdentityProvider
) -> None:
    idp.discovery = {"end_session_endpoint": f"{idp.base}/end"}
    came = log_in(sqlite_api, idp)
    left = log_out(sqlite_api, came)
    where = urlsplit(left.headers["location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{idp.base}/end"
    asked = parse_qs(where.query)
    assert asked["client_id"] == [CLIENT]
    assert asked["post_logout_redirect_uri"][0].endswith("/login")
    assert asked["id_token_hint"][0].count(".") == 2
    with sqlite_api.db.read(SYSTEM) as tx:
        assert len(journal.entries(tx, event="session.ended")) == 1
    # Without the cookie of a login there, nobody is sent there.
    sqlite_api.client.cookies.clear()
    bare = sqlite_api.nobody.send("GET", "/logout/oidc", follow_redirects=False)
    assert bare.headers["location"].startswith("/login")


@pytest.mark.parametrize("there", [None, "http://evil.example/end"])
def test_a_provider_without_a_way_out_keeps_nobody(
    sqlite_api: Api, idp: IdentityProvider, there: str | None
) -> None:
    idp.discovery = {"end_session_endpoint": there}
    left = log_out(sqlite_api, log_in(sqlite_api, idp))
    assert left.headers["location"] == "/login?notice=logged-out"


def test_an_answer_is_good_in_the_browser_that_asked(
    sqlite_api: Api, idp: IdentityProvider
) -> None:
    """Nobody is logged in as somebody else by following a link."""
    address, _ = leave(sqlite_api)
    brought = idp.log_in(address)
    _, others = leave(sqlite_api)
    for cookie in ("", others, f"{STATE}=", f"{STATE}={brought['state'][:-1]}x"):
        refused(sqlite_api, come_back(sqlite_api, brought, cookie))


def test_an_answer_does_not_wait_for_ever(
    sqlite_api: Api, idp: IdentityProvider, clock: ManualClock
) -> None:
    address, cookie = leave(sqlite_api)
    brought = idp.log_in(address)
    clock.move(timedelta(minutes=10))
    refused(sqlite_api, come_back(sqlite_api, brought, cookie))


def test_what_comes_back_is_looked_at(sqlite_api: Api, idp: IdentityProvider) -> None:
    for changed, why in (
        ({"iss": "https://evil.example"}, "of another provider"),
        ({"code": "made-up"}, "answered 400"),
        ({"code": ""}, "no code"),
        ({"error": "access_denied"}, "'access_denied'"),
    ):
        address, cookie = leave(sqlite_api)
        brought = idp.log_in(address) | changed
        assert why in refused(sqlite_api, come_back(sqlite_api, brought, cookie))


def test_who_is_in_no_group_any_more_loses_what_they_had(
    sqlite_api: Api, idp: IdentityProvider
) -> None:
    came = log_in(sqlite_api, idp)
    assert me(sqlite_api, came)["roles"] == ["author"]
    idp.person["groups"] = ["strangers"]
    assert log_in(sqlite_api, idp).status_code == 401
    with sqlite_api.db.read(SYSTEM) as tx:
        assert queries.roles_of(tx, "ana") == ()
        assert queries.logins(tx) == []
        told = journal.entries(tx, event="session.refused", limit=1)
    assert told[0][0].facts["because"].endswith("none of your groups has a role here")
    # Nor does a stranger become somebody by trying.
    idp.person |= {"sub": "p-2", "preferred_username": "eve"}
    assert log_in(sqlite_api, idp).status_code == 401
    with sqlite_api.db.read(SYSTEM) as tx:
        assert queries.roles_of(tx, "eve") is None


def test_nobody_takes_a_name_over(sqlite_api: Api, idp: IdentityProvider) -> None:
    sqlite_api.project("default")
    with sqlite_api.db.write(SYSTEM) as tx:
        commands.create_user(tx, "ana", ("admin",))
    assert "somebody else" in refused(sqlite_api, log_in(sqlite_api, idp))


def test_a_new_key_is_fetched_and_a_made_up_one_does_not_hurry_us(
    sqlite_api: Api, idp: IdentityProvider
) -> None:
    moments = iter(range(0, 10_000, 61))
    provider = Provider(
        idp.settings,
        allow=(idp.base.removeprefix("http://"),),
        clock=lambda: float(next(moments)),
    )
    sqlite_api.app.state.identity_provider = provider
    assert me(sqlite_api, log_in(sqlite_api, idp))["name"] == "ana"
    idp.key, idp.kid = new_key("another"), "new"
    assert me(sqlite_api, log_in(sqlite_api, idp))["name"] == "ana"
    provider._clock = lambda: 10_000.0
    log_in(sqlite_api, idp)
    asked = idp.asked.count("/keys")
    kid, idp.sign = idp.kid, lambda claims: _named(idp, claims, "made-up")
    for _ in range(3):
        assert log_in(sqlite_api, idp).status_code == 401
    assert (idp.kid, idp.asked.count("/keys")) == (kid, asked)


def _named(idp: IdentityProvider, told: dict[str, Any], kid: str) -> str:
    mine, idp.kid = idp.kid, kid
    token = idp.signed(told)
    idp.kid = mine
    return token


def test_a_provider_that_is_another_is_not_asked(
    sqlite_api: Api, idp: IdentityProvider
) -> None:
    for told in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": None},
    ):
        idp.discovery = told
        answer = sqlite_api.nobody.send("GET", "/login/oidc", follow_redirects=False)
        assert (answer.status_code, "location" in answer.headers) == (401, False)


def test_a_provider_that_is_away_or_unknown_is_no_bug(
    sqlite_api: Api, idp: IdentityProvider
) -> None:
    gone = replace(idp.settings, issuer="http://127.0.0.1:9")
    sqlite_api.app.state.identity_provider = Provider(gone, allow=("127.0.0.1:9",))
    assert sqlite_api.nobody.send("GET", "/login/oidc").status_code == 401
    sqlite_api.app.state.identity_provider = None
    assert sqlite_api.nobody.refused("GET", "/login/oidc").code == "no_identity_provider"
    assert "organisation" not in sqlite_api.nobody.send("GET", "/login").text


SET = {
    "OPSROOM_OIDC_ISSUER": "https://login.example",
    "OPSROOM_OIDC_CLIENT": "opsroom",
    "OPSROOM_OIDC_SECRET": "s",
    "OPSROOM_OIDC_GROUPS": "cn=ops,dc=x=operator, reviewer; desk=author",
}


def test_a_provider_is_set_in_the_environment() -> None:
    assert from_environment({}) is None
    found = from_environment(SET)
    assert found is not None
    assert found.groups == (
        ("cn=ops,dc=x", ("operator", "reviewer")),
        ("desk", ("author",)),
    )
    assert "'s'" not in repr(found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"OPSROOM_OIDC_ISSUER": "http://login.example"},
        {"OPSROOM_OIDC_ISSUER": "http://localhost.evil.example"},
        {"OPSROOM_OIDC_CLIENT": ""},
        {"OPSROOM_OIDC_GROUPS": ""},
        {"OPSROOM_OIDC_GROUPS": "desk"},
    ],
)
def test_a_provider_that_is_half_set_stops_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(BadOidcSetting):
        from_environment(SET | wrong)


def test_groups_give_roles_in_other_projects_and_in_all_of_an_organisation(
    sqlite_db: Database,
) -> None:
    with sqlite_db.write(SYSTEM) as tx:
        commands.first_run(tx)
        made = organisations.create(tx, "acme", project="freight", admin="eve")
        (freight,) = made.projects
        mapped = ("author", f"{freight.id}:operator", f"{made.id}:viewer")
        pat = Person(issuer="https://idp", subject="1", name="pat", roles=mapped, mapped=mapped)
        signing_in.sign_in(tx, pat, "default")
        assert granting.roles_now(tx, "default", "pat") == ("author",)
        assert granting.roles_now(tx, freight.id, "pat") == ("operator", "viewer")
        fewer = replace(pat, roles=(f"{freight.id}:operator",))
        session = signing_in.sign_in(tx, fewer, "default")
        assert session
        assert granting.roles_now(tx, "default", "pat") == ()
        assert granting.roles_now(tx, freight.id, "pat") == ("operator",)
        assert commands.actor_of_session(tx, session).project == freight.id
        with pytest.raises(OidcRefused):
            signing_in.sign_in(tx, replace(pat, roles=("prj_nowhere:admin",)), "default")


def test_who_comes_by_the_provider_comes_in_no_other_way(sqlite_db: Database) -> None:
    ana = Person(issuer="https://idp", subject="1", name="ana", roles=("viewer",))
    with sqlite_db.write(SYSTEM) as tx:
        commands.first_run(tx)
        signing_in.sign_in(tx, ana, "default")
        tx.actor = SYSTEM
        for way in (
            lambda: commands.issue_link(tx, "ana"),
            lambda: commands.set_password(tx, "ana", "planted by eve, long"),
        ):
            with pytest.raises(ComesByProvider):
                way()
        store.set_password(tx, "ana", "as an earlier opsroom let somebody")
        signing_in.sign_in(tx, ana, "default")
        assert store.password_of(tx, "ana") is None


def test_the_last_administrator_of_one_place_loses_all_others(sqlite_db: Database) -> None:
    with sqlite_db.write(SYSTEM) as tx:
        commands.first_run(tx)
        roles = granting.roles_now(tx, "default", "admin") or ()
        admin = Actor("admin", "default", granting.permissions(tx, "default", roles), roles)
        tx.actor = admin
        made = organisations.create(tx, "acme", project="freight", admin="eve")
        mapped = ("viewer", f"{made.id}:admin")
        ana = Person(issuer="i", subject="1", name="ana", roles=mapped, mapped=mapped)
        session = signing_in.sign_in(tx, ana, "default")
        tx.actor = Actor("system", made.projects[0].id, human=False)
        organisations.remove_member(tx, made.id, "eve")
        assert session is not None
        assert signing_in.sign_in(tx, replace(ana, roles=()), "default") is None
        assert granting.roles_now(tx, "default", "ana") == ()
        assert granting.roles_now(tx, made.projects[0].id, "ana") == ("admin",)
        with pytest.raises(WrongCredentials):
            commands.actor_of_session(tx, session)
