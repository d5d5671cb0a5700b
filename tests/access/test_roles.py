"""Roles of a project's own, and what keeps all roles in order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from opsroom import approvals
from opsroom.access import MayNot, commands, granting, queries, ruling
from opsroom.access.errors import (
    BadRole,
    LastAdmin,
    MoreThanYours,
    NoSuchRole,
    UnknownPermission,
    UnknownRole,
)
from opsroom.access.glass import take_role
from opsroom.access.model import PERMISSIONS, AccessSettings
from opsroom.access.roles import remove_role, set_role
from opsroom.approvals import Answer
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Database

SYSTEM = Actor("system", "default", human=False)
THING, SHOWN = "release/rel_1", "0" * 64


def people(db: Database, **roles: tuple[str, ...]) -> None:
    with db.write(SYSTEM) as tx:
        commands.first_run(tx)
        for name, held in roles.items():
            commands.create_user(tx, name, held)


def as_person(db: Database, name: str) -> Actor:
    """Somebody as the guard would see them at this moment."""
    with db.read(SYSTEM) as tx:
        roles = granting.roles_now(tx, "default", name) or ()
        return Actor(name, "default", granting.permissions(tx, "default", roles), roles)


def make(db: Database, name: str, *may: str) -> None:
    with db.write(SYSTEM) as tx:
        set_role(tx, name, may)


def test_a_role_of_ones_own_gives_what_it_names(db: Database) -> None:
    make(db, "night-desk", "read", "operate")
    people(db, ada=("night-desk",))
    assert as_person(db, "ada").may == {"read", "operate"}
    make(db, "night-desk", "read")  # narrowed: in force at once
    assert as_person(db, "ada").may == {"read"}
    with db.read(SYSTEM) as tx:
        told = journal.entries(tx, event="role.set")
    assert [(one.facts["revision"], one.facts["after"]) for one, _ in told] == [
        (2, ["read"]),
        (1, ["operate", "read"]),
    ]


def test_a_removed_role_is_held_by_nobody_and_comes_back_to_nobody(db: Database) -> None:
    make(db, "night-desk", "operate")
    people(db, ada=("night-desk", "viewer"))
    with db.write(SYSTEM) as tx:
        _, secret = commands.issue_token(tx, "ci", ("night-desk",))
        remove_role(tx, "night-desk")
        with pytest.raises(NoSuchRole):
            remove_role(tx, "night-desk")
        with pytest.raises(UnknownRole):
            commands.set_roles(tx, "ada", ("night-desk",))
    make(db, "night-desk", "operate")
    assert as_person(db, "ada").roles == ("viewer",)
    with db.read(SYSTEM) as tx:
        assert commands.actor_of_token(tx, secret).may == frozenset()


def test_a_role_of_another_project_is_unknown_here(
    db: Database, make_actor: Callable[..., Actor]
) -> None:
    make(db, "night-desk", "operate")
    with db.write(make_actor("admin", project="elsewhere")) as tx:
        assert queries.custom_roles(tx) == []
        assert queries.permissions(tx, ("night-desk",)) == frozenset()
        with pytest.raises(NoSuchRole):
            remove_role(tx, "night-desk")


@pytest.mark.parametrize("change", ["narrow", "remove", "take away"])
def test_an_approval_falls_silent_with_the_role_it_was_given_in(
    db: Database, change: str
) -> None:
    """A role that goes in the middle of an approval takes the approval along."""
    make(db, "second-eyes", "read", "review")
    people(db, ben=("second-eyes",))
    with db.write(as_person(db, "ben")) as tx:
        approvals.give(
            tx, THING, SHOWN, requester="ada", answer=Answer.APPROVE, reason="looked at it"
        )
        assert [one.approver for one in approvals.standing(tx, THING, SHOWN)] == ["ben"]
    with db.write(SYSTEM) as tx:
        match change:
            case "narrow":
                set_role(tx, "second-eyes", ("read",))
            case "remove":
                remove_role(tx, "second-eyes")
            case _:
                commands.set_roles(tx, "ben", ("viewer",))
        assert approvals.standing(tx, THING, SHOWN) == []


@pytest.mark.parametrize(
    ("name", "may", "error"),
    [
        ("admin", ("read",), BadRole),
        ("policy-admin", ("read",), BadRole),
        ("Night Desk", ("read",), BadRole),
        ("", ("read",), BadRole),
        ("night-desk", (), BadRole),
        ("night-desk", ("fly",), UnknownPermission),
    ],
)
def test_what_is_no_role(
    sqlite_db: Database, name: str, may: tuple[str, ...], error: type[Exception]
) -> None:
    with sqlite_db.write(SYSTEM) as tx, pytest.raises(error):
        set_role(tx, name, may)


def test_somebody_who_administers_remains(db: Database) -> None:
    make(db, "keyholder", "administer")
    people(db, ada=("keyholder",), ben=("viewer",))
    with db.write(SYSTEM) as tx:
        commands.set_roles(tx, "admin", ())
        for attempt in (
            lambda: commands.set_roles(tx, "ada", ("viewer",)),
            lambda: set_role(tx, "keyholder", ("read",)),
            lambda: remove_role(tx, "keyholder"),
        ):
            with pytest.raises(LastAdmin), tx.part():
                attempt()
        commands.set_roles(tx, "ben", ("admin",))
        remove_role(tx, "keyholder")
        assert queries.roles_of(tx, "ada") == ()


def test_two_administrators_who_demote_each_other_leave_one(db: Database) -> None:
    people(db, ada=("admin",), ben=("admin",))
    with db.write(SYSTEM) as tx:
        commands.set_roles(tx, "admin", ("viewer",))
    for _ in range(5):
        ready = Barrier(2)
        ada, ben = as_person(db, "ada"), as_person(db, "ben")

        def demote(pair: tuple[Actor, str], ready: Barrier = ready) -> bool:
            who, whom = pair
            ready.wait()
            try:
                with db.write(who) as tx:
                    commands.set_roles(tx, whom, ("viewer",))
            except (LastAdmin, MayNot):
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(demote, [(ada, "ben"), (ben, "ada")])) == 1
        left = {name for name in ("ada", "ben") if "administer" in as_person(db, name).may}
        assert len(left) == 1
        with db.write(SYSTEM) as tx:
            for name in ("ada", "ben"):
                commands.set_roles(tx, name, ("admin",))


def test_whoever_was_demoted_while_they_waited_demotes_nobody(db: Database) -> None:
    people(db, ada=("admin",), ben=("admin",))
    ada = as_person(db, "ada")
    with db.write(SYSTEM) as tx:
        commands.set_roles(tx, "ada", ("viewer",))
    with db.write(ada) as tx, pytest.raises(MayNot):
        commands.set_roles(tx, "ben", ())


def test_nobody_gives_more_than_they_have(sqlite_db: Database) -> None:
    db = sqlite_db
    make(db, "keyholder", "read", "administer")
    people(db, ada=("keyholder",), ben=("viewer",))
    with db.write(as_person(db, "ada")) as tx:
        for attempt in (
            lambda: commands.set_roles(tx, "ada", ("admin",)),
            lambda: commands.set_roles(tx, "ben", ("operator",)),
            lambda: commands.create_user(tx, "eve", ("admin",)),
            lambda: commands.issue_token(tx, "mine", ("admin",)),
            lambda: commands.issue_link(tx, "admin"),
            lambda: commands.set_password(tx, "admin", "correct horse battery"),
            lambda: set_role(tx, "keyholder", tuple(PERMISSIONS)),
        ):
            with pytest.raises(MoreThanYours):
                attempt()
        commands.set_roles(tx, "ben", ("keyholder",))
        commands.issue_token(tx, "narrow", ("admin",), scopes=("read",))


def test_what_an_emergency_gives_is_not_given_on(sqlite_db: Database) -> None:
    db = sqlite_db
    people(db, olga=("operator",))
    with db.write(SYSTEM) as tx:
        ruling.set_settings(tx, AccessSettings(glass_roles=("admin",)))
    with db.write(as_person(db, "olga")) as tx:
        take_role(tx, "admin", reason="everybody else is on a plane")
    boss = as_person(db, "olga")
    assert "administer" in boss.may
    with db.write(boss) as tx:
        with pytest.raises(MoreThanYours):
            commands.set_roles(tx, "olga", ("admin",))
        with pytest.raises(MoreThanYours):
            commands.issue_token(tx, "later", ("admin",))
    db.clock.move(timedelta(hours=1))  # type: ignore[attr-defined]  # tests stop the clock
    assert as_person(db, "olga").roles == ("operator",)
