"""Organisations: what their members reach, and what nobody from outside does."""

from typing import Any

import pytest
from tests.api import Api

from opsroom import approvals
from opsroom.access import commands, granting, organisations, queries
from opsroom.access.errors import (
    BadOrganisation,
    LastAdmin,
    MayNot,
    MoreThanYours,
    NameTaken,
    NoSuchOrganisation,
    NoSuchProject,
    NoSuchUser,
    UnknownRole,
    WrongCredentials,
)
from opsroom.access.model import Organisation
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Database, Tx

SYSTEM = Actor("system", "default", human=False)


def somebody(tx: Tx, name: str, project: str = "default") -> Actor:
    """A person as their next request makes them."""
    roles = granting.roles_now(tx, project, name) or ()
    return Actor(name, project, granting.permissions(tx, project, roles), roles)


def acme(db: Database) -> Organisation:
    """Somebody administers the installation, ada; eve administers acme alone."""
    with db.write(SYSTEM) as tx:
        commands.first_run(tx)
        commands.create_user(tx, "ada", ("admin",))
        tx.actor = somebody(tx, "ada")
        return organisations.create(tx, "acme", project="freight", admin="eve")


def test_an_installation_begins_with_one_organisation_that_its_admins_administer(
    sqlite_db: Database,
) -> None:
    with sqlite_db.write(SYSTEM) as tx:
        commands.first_run(tx)
        tx.actor = somebody(tx, "admin")
        (found,) = organisations.organisations(tx)
    assert (found.id, found.name, found.roles) == ("default", "default", ("admin",))
    assert [one.id for one in found.projects] == ["default"]


def test_members_have_their_roles_in_every_project_and_nowhere_else(db: Database) -> None:
    made = acme(db)
    with db.write(SYSTEM) as tx:
        (freight,) = made.projects
        tx.actor = somebody(tx, "eve", freight.id)
        later = organisations.create_project(tx, made.id, "customs")
        organisations.set_member(tx, made.id, "vic", ("viewer",))
        for project in (freight, later):
            assert granting.roles_now(tx, project.id, "vic") == ("viewer",)
            assert granting.roles_now(tx, project.id, "eve") == ("admin",)
            assert granting.roles_now(tx, project.id, "ada") is None
        assert granting.roles_now(tx, "default", "vic") is None
        assert [(one.name, one.by_organisation) for one in queries.people(tx)] == [
            ("eve", ("admin",)),
            ("vic", ("viewer",)),
        ]
        organisations.remove_member(tx, made.id, "vic")
        assert granting.roles_now(tx, freight.id, "vic") is None
    with db.read(Actor("x", later.id)) as tx:
        told = [one.event for one, _ in journal.entries(tx)]
    assert {"project.created", "organisation.member_set"} <= set(told)


def test_people_names_those_who_administer_by_the_first_project(sqlite_db: Database) -> None:
    with sqlite_db.write(SYSTEM) as tx:
        commands.first_run(tx)
        commands.create_user(tx, "ada", ("admin",))
        commands.create_user(tx, "vic", ("viewer",))
        there = organisations.create_project(tx, "default", "customs")
    with sqlite_db.read(Actor("x", there.id)) as tx:
        found = {one.name: (one.roles, one.held) for one in queries.people(tx)}
        for name, (_, held) in found.items():
            assert granting.roles_now(tx, there.id, name) == held
    assert found["ada"] == ((), ("admin",))
    assert "vic" not in found


def test_an_admin_reaches_no_other_organisation(sqlite_db: Database) -> None:
    made = acme(sqlite_db)
    with sqlite_db.write(SYSTEM) as tx:
        for who, project, foreign, theirs in (
            ("eve", made.projects[0].id, "default", "default"),
            ("ada", "default", made.id, made.projects[0].id),
        ):
            tx.actor = somebody(tx, who, project)
            for there in (foreign, "org_nowhere"):
                with pytest.raises(NoSuchOrganisation):
                    organisations.members(tx, there)
                with pytest.raises(NoSuchOrganisation):
                    organisations.rename(tx, there, "mine")
                with pytest.raises(NoSuchOrganisation):
                    organisations.create_project(tx, there, "mine")
                with pytest.raises(NoSuchOrganisation):
                    organisations.set_member(tx, there, "mallory", ("admin",))
                with pytest.raises(NoSuchOrganisation):
                    organisations.remove_member(tx, there, "eve")
                with pytest.raises(NoSuchOrganisation):
                    organisations.move_project(tx, project, there)
            for there in (theirs, "prj_nowhere"):
                with pytest.raises(NoSuchProject):
                    organisations.rename_project(tx, there, "mine")
                with pytest.raises(NoSuchProject):
                    organisations.enter(tx, "0" * 48, there)
            assert foreign not in {one.id for one in organisations.organisations(tx)}
        tx.actor = somebody(tx, "eve", made.projects[0].id)
        with pytest.raises(MayNot):
            organisations.create(tx, "another", project="one")
        with pytest.raises(
            NameTaken
        ):  # nobody takes in people of others, and so their password
            organisations.set_member(tx, made.id, "ada", ("viewer",))
        with pytest.raises(NoSuchUser):
            commands.set_password(tx, "ada", "correct horse battery")


def test_nobody_becomes_somebody_who_may_more_in_another_project(sqlite_db: Database) -> None:
    """An admin of one project, and a colleague who is a viewer here and an admin next door."""
    made = acme(sqlite_db)
    (freight,) = made.projects
    with sqlite_db.write(SYSTEM) as tx:
        tx.actor = somebody(tx, "eve", freight.id)
        customs = organisations.create_project(tx, made.id, "customs")
        commands.create_user(tx, "pat", ("admin",))
        commands.create_user(tx, "kim", ("viewer",))
        tx.actor = somebody(tx, "eve", customs.id)
        commands.set_roles(tx, "kim", ("admin",))
        tx.actor = somebody(tx, "pat", freight.id)
        with pytest.raises(MoreThanYours):
            commands.issue_link(tx, "kim")
        with pytest.raises(MoreThanYours):
            commands.set_password(tx, "kim", "correct horse battery")
        tx.actor = somebody(tx, "eve", freight.id)
        assert commands.issue_link(tx, "kim")


def test_a_project_moves_by_somebody_who_administers_both(sqlite_db: Database) -> None:
    made = acme(sqlite_db)
    with sqlite_db.write(SYSTEM) as tx:
        tx.actor = somebody(tx, "ada")
        mine = organisations.create(tx, "ada's", project="one")
        extra = organisations.create_project(tx, mine.id, "two")
        with pytest.raises(NoSuchOrganisation):
            organisations.move_project(tx, extra.id, made.id)
        moved = organisations.move_project(tx, extra.id, "default")
        assert moved.organisation == "default"
        with pytest.raises(BadOrganisation):
            organisations.move_project(tx, mine.projects[0].id, "default")  # its last
        with pytest.raises(BadOrganisation):
            organisations.move_project(tx, "default", mine.id)
        with pytest.raises(NameTaken):
            organisations.create_project(tx, "default", "two")
        with pytest.raises(UnknownRole):
            organisations.set_member(tx, "default", "vic", ("night-desk",))


def test_somebody_who_administers_an_organisation_remains(sqlite_db: Database) -> None:
    made = acme(sqlite_db)
    with sqlite_db.write(SYSTEM) as tx:
        tx.actor = somebody(tx, "eve", made.projects[0].id)
        with pytest.raises(LastAdmin):
            organisations.remove_member(tx, made.id, "eve")


def test_one_goes_from_project_to_project_in_one_session(sqlite_api: Api) -> None:
    ana = sqlite_api.person("admin", name="ana")
    sqlite_api.project("default")
    made = ana.post("/v1/organisations/default/projects", {"name": "customs"})
    sqlite_api.person("viewer", name="vic")
    assert ana.post("/v1/me/project", {"project": "customs"})["id"] == made["id"]
    assert ana.get("/v1/me")["project"] == made["id"]
    assert ana.get("/v1/me")["roles"] == ["admin"]
    shown = ana.get("/v1/organisations")
    assert [one["name"] for one in shown[0]["projects"]] == ["customs", "default"]
    program = sqlite_api.program("admin")
    assert program.refused("POST", "/v1/me/project", {"project": "customs"}).status == 404
    assert len(program.get("/v1/organisations")[0]["projects"]) == 2
    viewer = sqlite_api.program("viewer")
    assert [one["id"] for one in viewer.get("/v1/organisations")[0]["projects"]] == ["default"]


def test_who_is_out_is_out_at_once(sqlite_api: Api) -> None:
    ana = sqlite_api.person("admin", name="ana")
    sqlite_api.project("default")
    made = ana.post("/v1/organisations/default/projects", {"name": "customs"})
    ana.put("/v1/organisations/default/members/vic", {"roles": ["viewer"]})
    with sqlite_api.db.write(SYSTEM) as tx:
        session = commands.begin_session(tx, "vic", made["id"], how="link")
    with sqlite_api.db.read(SYSTEM) as tx:
        assert commands.actor_of_session(tx, session).roles == ("viewer",)
    ana.delete("/v1/organisations/default/members/vic")
    with sqlite_api.db.read(SYSTEM) as tx, pytest.raises(WrongCredentials):
        commands.actor_of_session(tx, session)


def test_an_approval_falls_silent_when_the_membership_ends(db: Database) -> None:
    made = acme(db)
    (freight,) = made.projects
    with db.write(SYSTEM) as tx:
        tx.actor = eve = somebody(tx, "eve", freight.id)
        organisations.set_member(tx, made.id, "rob", ("reviewer",))
        tx.actor = somebody(tx, "rob", freight.id)
        approvals.give(
            tx,
            "release/r",
            "d",
            requester="eve",
            answer=approvals.Answer.APPROVE,
            reason="fine",
        )
        assert [one.approver for one in approvals.standing(tx, "release/r", "d")] == ["rob"]
        tx.actor = eve
        organisations.remove_member(tx, made.id, "rob")
        assert approvals.standing(tx, "release/r", "d") == []


@pytest.mark.parametrize("narrowed", [{"scopes": ("administer",)}, {"environment": "staging"}])
def test_a_narrow_token_makes_no_administrators_of_the_organisation(
    sqlite_db: Database, narrowed: dict[str, Any]
) -> None:
    acme(sqlite_db)
    with sqlite_db.write(SYSTEM) as tx:
        _, secret = commands.issue_token(tx, "ci", ("admin",), **narrowed)
        tx.actor = commands.actor_of_token(tx, secret)
        with pytest.raises(NoSuchOrganisation):
            organisations.set_member(tx, "default", "mallory", ("admin",))
        with pytest.raises(MayNot):
            organisations.create(tx, "evil", project="evil", admin="mallory")


def test_somebody_without_roles_is_not_opsroom_itself(sqlite_db: Database) -> None:
    acme(sqlite_db)
    with sqlite_db.read(Actor("nora", "default")) as tx:
        assert granting.roles_in(tx, "default") is None


def test_a_planted_password_follows_nobody_into_another_organisation(db: Database) -> None:
    made = acme(db)
    (freight,) = made.projects
    with db.write(SYSTEM) as tx:
        tx.actor = somebody(tx, "eve", freight.id)
        organisations.set_member(tx, made.id, "olga", ("viewer",))
        commands.set_password(tx, "olga", "planted by eve, long")
        link = commands.issue_link(tx, "olga")
        session = commands.log_in(tx, "olga", "planted by eve, long")
        tx.actor = Actor("system", freight.id, human=False)
        organisations.set_member(tx, made.id, "ada", ("admin",))
        tx.actor = somebody(tx, "ada")
        organisations.set_member(tx, "default", "olga", ("admin",))
        for way in (
            lambda: commands.log_in(tx, "olga", "planted by eve, long"),
            lambda: commands.follow_link(tx, link),
            lambda: commands.actor_of_session(tx, session),
        ):
            with pytest.raises(WrongCredentials):
                way()
