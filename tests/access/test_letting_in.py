"""Nobody becomes a person but that person: what people log in with is made by people."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.api import Api

from opsroom.access import commands
from opsroom.access.errors import OnlyPeople
from opsroom.access.model import PERMISSIONS
from opsroom.kit.db import Actor, Database, Tx

SYSTEM = Actor("system", "default", human=False)
PASSWORD = "correct horse battery"
Way = Callable[[Tx], Any]
WAYS: tuple[Way, ...] = (
    lambda tx: commands.issue_link(tx, "ada"),
    lambda tx: commands.set_password(tx, "ada", PASSWORD),
    lambda tx: commands.create_user(tx, "eve", ("viewer",), PASSWORD),
)


def token(db: Database, **given: Any) -> Actor:
    """Who a new token that administers stands for."""
    with db.write(SYSTEM) as tx:
        _, text = commands.issue_token(tx, "ops", ("admin",), **given)
        return commands.actor_of_token(tx, text)


@pytest.mark.parametrize("way", WAYS, ids=("link", "password", "user"))
def test_a_token_that_administers_becomes_no_person(sqlite_db: Database, way: Way) -> None:
    with sqlite_db.write(SYSTEM) as tx:
        commands.create_user(tx, "ada", ("admin",))
        commands.create_user(tx, "ben", ("admin",))
    with sqlite_db.write(token(sqlite_db)) as tx:
        with pytest.raises(OnlyPeople):
            way(tx)
        commands.create_user(tx, "olga", ("viewer",))  # who still needs somebody to let her in
    ben = Actor("ben", "default", frozenset(PERMISSIONS), ("admin",))
    for who in (ben, token(sqlite_db, local=True)):
        with sqlite_db.write(who) as tx:
            assert commands.issue_link(tx, "olga")


def test_no_door_makes_a_token_of_the_installations_own(sqlite_api: Api) -> None:
    boss = sqlite_api.program("admin")
    sqlite_api.person("viewer", name="ada")
    asked = {"name": "local", "roles": ["admin"], "local": True}
    assert boss.refused("POST", "/v1/tokens", asked).status == 422
    made = boss.post("/v1/tokens", {"name": "local", "roles": ["admin"]})
    assert made["token"]["local"] is False
    assert boss.refused("POST", "/v1/users/ada/link").code == "only_people"
