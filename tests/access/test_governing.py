"""Emergencies, services, scopes, expiry and sessions."""

from datetime import timedelta

import pytest
from tests.api import Api

from opsroom.access import WrongCredentials, commands, glass, queries, ruling, services
from opsroom.access.errors import (
    BadGlass,
    BadScope,
    BadService,
    MayNot,
    MoreThanYours,
    NoSuchService,
    NotInAnEmergency,
    OnlyPeople,
    TokenNeedsExpiry,
)
from opsroom.access.model import AccessSettings
from opsroom.alerts import looking, reactions
from opsroom.alerts import queries as alerts
from opsroom.autonomy import commands as autonomy
from opsroom.journal import outbox
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.registry.errors import OtherEnvironment

SYSTEM = Actor("system", "default", human=False)
REASON = "the canary burns money and nobody else is awake"


def events(db: Database, event: str) -> list[dict[str, object]]:
    with db.read(SYSTEM) as tx:
        return [entry.facts for entry, _ in journal.entries(tx, event=event)]


def test_a_role_taken_in_an_emergency_ends_by_itself(
    sqlite_api: Api, clock: ManualClock
) -> None:
    ana = sqlite_api.person("author", name="ana")
    made = ana.post("/v1/glass", {"role": "operator", "reason": REASON, "minutes": 20})
    assert ana.get("/v1/me")["roles"] == ["author", "operator"]
    assert "operate" in ana.get("/v1/me")["may"]
    clock.move(timedelta(minutes=20))
    assert ana.get("/v1/me")["roles"] == ["author"]
    with sqlite_api.db.write(SYSTEM) as tx:
        assert glass.overdue(tx)
        assert (glass.expire(tx), glass.expire(tx)) == (1, 0)
    broken = events(sqlite_api.db, "access.glass_broken")
    assert [(one["role"], one["minutes"], one["reason"]) for one in broken] == [
        ("operator", 20, REASON)
    ]
    assert len(events(sqlite_api.db, "access.glass_ended")) == 1
    assert ana.get("/v1/glass")[0]["ended_at"] == made["until"]


def test_an_emergency_raises_an_alert(db: Database) -> None:
    with db.write(Actor("ana", "default", frozenset({"break-glass"}), ("author",))) as tx:
        glass.take_role(tx, "operator", reason=REASON)
    outbox.pump(db, reactions.REACTIONS)
    looking.look(db, None)
    with db.read(SYSTEM) as tx:
        (alert,) = alerts.alerts(tx)
    assert (alert.rule, alert.urgency.value) == ("glass-broken", "critical")


def test_an_emergency_ends_sooner_by_ones_own_hand_or_an_administrators(
    sqlite_api: Api,
) -> None:
    ana, ben = sqlite_api.person("author", name="ana"), sqlite_api.person("reviewer")
    root = sqlite_api.person("admin")
    for who in (ana, root):
        made = ana.post("/v1/glass", {"role": "operator", "reason": REASON})
        assert ben.refused("POST", f"/v1/glass/{made['id']}/end").code == "may_not"
        for _ in range(2):
            assert who.post(f"/v1/glass/{made['id']}/end")["ended_by"] == who.name
        assert ana.get("/v1/me")["roles"] == ["author"]
    assert len(events(sqlite_api.db, "access.glass_ended")) == 2


def test_what_is_no_emergency(db: Database) -> None:
    ana = Actor("ana", "default", frozenset({"break-glass"}), ("author",))
    robot = Actor("token:ci", "default", frozenset({"break-glass"}), ("author",), human=False)
    with db.write(robot) as tx, pytest.raises(OnlyPeople):
        glass.take_role(tx, "operator", reason=REASON)
    with db.write(ana) as tx:
        with pytest.raises(NotInAnEmergency):
            glass.take_role(tx, "admin", reason=REASON)
        with pytest.raises(BadGlass, match="no sentence"):
            glass.take_role(tx, "operator", reason="x")
        for minutes in (0, -5, 61):
            with pytest.raises(BadGlass, match="the most"):
                glass.take_role(tx, "operator", reason=REASON, minutes=minutes)
        taken = glass.take_role(tx, "operator", reason=REASON)
    eve = Actor("eve", "default", frozenset({"read"}), ("viewer",))
    with db.write(eve) as tx, pytest.raises(MayNot):
        glass.give_back(tx, taken.id)


def test_the_tokens_of_a_service_have_its_roles_of_this_moment(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        commands.create_user(tx, "olga", ("operator",))
        services.open_service(
            tx, "billing", owner="olga", purpose="reads what it cost", roles=("viewer",)
        )
        _, secret = commands.issue_token(tx, "billing-1", (), service="billing")
        _, other = commands.issue_token(tx, "billing-2", (), service="billing")
    with db.read(SYSTEM) as tx:
        who = commands.actor_of_token(tx, secret)
    assert (who.name, who.owner, who.roles) == ("service:billing", "olga", ("viewer",))
    with db.write(SYSTEM) as tx:
        services.set_service_roles(tx, "billing", ("auditor",))
        assert "audit" in commands.actor_of_token(tx, secret).may
        services.close_service(tx, "billing", reason="the invoice moved elsewhere")
        for text in (secret, other):
            with pytest.raises(WrongCredentials):
                commands.actor_of_token(tx, text)
        with pytest.raises(NoSuchService):
            commands.issue_token(tx, "billing-3", (), service="billing")
        with pytest.raises(BadService):  # nobody inherits its name
            services.open_service(
                tx, "billing", owner="olga", purpose="again", roles=("viewer",)
            )


@pytest.mark.parametrize(
    ("name", "owner", "purpose", "roles"),
    [
        ("Billing!", "olga", "it bills", ("viewer",)),
        ("billing", "nobody", "it bills", ("viewer",)),
        ("billing", "olga", " ", ("viewer",)),
        ("billing", "olga", "it bills", ("agent",)),
    ],
)
def test_what_is_no_service(
    sqlite_db: Database, name: str, owner: str, purpose: str, roles: tuple[str, ...]
) -> None:
    with sqlite_db.write(SYSTEM) as tx:
        commands.create_user(tx, "olga", ("operator",))
        with pytest.raises(BadService):
            services.open_service(tx, name, owner=owner, purpose=purpose, roles=roles)


def test_scopes_narrow_and_never_widen(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        _, secret = commands.issue_token(
            tx, "ci", ("author", "operator"), scopes=("read", "resolve")
        )
        assert commands.actor_of_token(tx, secret).may == {"read", "resolve"}
        with pytest.raises(BadScope):
            commands.issue_token(tx, "ci", ("author",), scopes=("read", "administer"))


def test_a_project_says_how_long_tokens_live(db: Database, clock: ManualClock) -> None:
    boss = Actor("root", "default", frozenset({"administer", "read"}), ("admin",))
    with db.write(SYSTEM) as tx:
        ruling.set_settings(tx, AccessSettings(token_days=30))
        made, _ = commands.issue_token(tx, "local", ("admin",))  # opsroom's own
        assert made.expires_at == clock.now() + timedelta(days=30)
    with db.write(boss) as tx:
        for days in (None, 31, 0, -1):
            until = None if days is None else clock.now() + timedelta(days=days)
            with pytest.raises(TokenNeedsExpiry):
                commands.issue_token(tx, "ci", (), scopes=(), expires_at=until)
        until = clock.now() + timedelta(days=7)
        made, _ = commands.issue_token(tx, "ci", (), expires_at=until)
        assert made.expires_at == until


def test_a_token_is_known_to_be_in_use_to_the_hour(sqlite_api: Api, clock: ManualClock) -> None:
    admin = sqlite_api.program("admin")
    first = clock.now()
    for minutes in (0, 30, 31):
        clock.move(timedelta(minutes=minutes))
        found = admin.get("/v1/tokens")[0]["last_used_at"]
        expected = first if minutes < 31 else clock.now()
        assert found == expected.isoformat().replace("+00:00", "Z")


def test_sessions_are_seen_and_ended(sqlite_api: Api) -> None:
    root, ana = sqlite_api.person("admin"), sqlite_api.person("author", name="ana")
    secret = ana.headers["Cookie"].partition("=")[2]
    found = next(one for one in root.get("/v1/sessions") if one["user"] == "ana")
    assert found["how"] == "link"
    assert secret not in str(root.get("/v1/sessions"))
    root.delete(f"/v1/sessions/{found['id']}")
    assert ana.refused("GET", "/v1/me").code == "wrong_credentials"
    assert root.refused("DELETE", f"/v1/sessions/{found['id']}").code == "login_not_found"
    for odd in ("ses_%", "ses_________________", "ses_" + "0" * 16, secret):
        assert root.refused("DELETE", f"/v1/sessions/{odd}").code == "login_not_found"
    assert root.post("/v1/me/sessions/end")["count"] >= 1
    assert root.refused("GET", "/v1/me").code == "wrong_credentials"
    with sqlite_api.db.read(SYSTEM) as tx:
        assert queries.logins(tx) == []


def test_a_token_for_one_environment_makes_none_for_others_and_rules_nothing(
    sqlite_db: Database,
) -> None:
    with sqlite_db.write(SYSTEM) as tx:
        with pytest.raises(BadScope):
            commands.issue_token(
                tx, "ci", ("admin",), scopes=("administer",), environment="staging"
            )
        _, secret = commands.issue_token(tx, "ci", ("admin",), environment="staging")
        tx.actor = actor = commands.actor_of_token(tx, secret)
        assert actor.may.isdisjoint({"administer", "govern"})
        for other in ("", "production"):
            with pytest.raises(MoreThanYours):
                commands.issue_token(tx, "wide", ("viewer",), environment=other)
        with pytest.raises(OtherEnvironment):
            autonomy.revive(tx, "clerk", "it was long enough")
