"""Organisations, who is in them, and what that reaches."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Index,
    RowMapping,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from opsroom.kit.db import Tx, Utc, metadata

from . import store
from .model import Organisation, OrganisationMember, Project, Role, User
from .store import members, projects

# An installation begins with one organisation, and its first project, of the same name.
DEFAULT = "default"
ADMIN = Role.ADMIN.value

organisations = Table(
    "organisations",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created_at", Utc, nullable=False),
)

organisation_members = Table(
    "organisation_members",
    metadata,
    Column("organisation", String, primary_key=True),
    Column("user", String, primary_key=True),
    Column("roles", JSON, nullable=False),
    Column("since", Utc, nullable=False),
    Index("ix_organisation_members_user", "user"),
)


def add(tx: Tx, organisation: str, name: str) -> None:
    values = {"id": organisation, "name": name, "created_at": tx.now}
    tx.conn.execute(insert(organisations).values(**values))


def rename(tx: Tx, organisation: str, name: str) -> None:
    mine = organisations.c.id == organisation
    tx.conn.execute(update(organisations).where(mine).values(name=name))


def some(tx: Tx, ids: Sequence[str]) -> list[Organisation]:
    """These organisations, by name."""
    wanted = select(organisations).where(organisations.c.id.in_(ids))
    rows = tx.conn.execute(wanted.order_by(organisations.c.name, organisations.c.id))
    return [Organisation(id=r.id, name=r.name, created_at=r.created_at) for r in rows]


def lock(tx: Tx, *ids: str) -> None:
    """Let one transaction at a time decide who administers these.

    The default one is administered by whoever administers its first project, too.
    """
    for one in sorted(ids):
        mine = select(organisations.c.id).where(organisations.c.id == one)
        tx.conn.execute(mine.with_for_update())


def lock_above(tx: Tx) -> None:
    """Lock the organisation of this project, whose administrators count here as well."""
    if (above := of_project(tx, tx.project)) is not None:
        lock(tx, above)


def add_project(tx: Tx, project: Project) -> None:
    values = {name: getattr(project, name) for name in Project.__dataclass_fields__}
    tx.conn.execute(insert(projects).values(**values))


def change_project(tx: Tx, project: Project) -> None:
    values = {"name": project.name, "organisation": project.organisation}
    tx.conn.execute(update(projects).where(projects.c.id == project.id).values(**values))


def project(tx: Tx, project_id: str) -> Project | None:
    row = (
        tx.conn.execute(select(projects).where(projects.c.id == project_id)).mappings().first()
    )
    return _project(row) if row else None


def projects_of(tx: Tx, organisation: str) -> list[Project]:
    """Every project of an organisation, by name."""
    wanted = select(projects).where(projects.c.organisation == organisation)
    rows = tx.conn.execute(wanted.order_by(projects.c.name, projects.c.id)).mappings()
    return [_project(row) for row in rows]


def of_project(tx: Tx, project_id: str) -> str | None:
    """The organisation that owns a project."""
    wanted = select(projects.c.organisation).where(projects.c.id == project_id)
    return tx.conn.execute(wanted).scalar()


def set_member(tx: Tx, organisation: str, user: str, roles: tuple[str, ...]) -> None:
    mine = _membership(organisation, user)
    table = organisation_members
    done = tx.conn.execute(update(table).where(*mine).values(roles=list(roles)))
    if not done.rowcount:
        key = {"organisation": organisation, "user": user}
        tx.conn.execute(insert(table).values(**key, roles=list(roles), since=tx.now))


def remove_member(tx: Tx, organisation: str, user: str) -> None:
    tx.conn.execute(delete(organisation_members).where(*_membership(organisation, user)))


def member_roles(tx: Tx, organisation: str, user: str) -> tuple[str, ...] | None:
    """The roles somebody holds in every project of an organisation; None for no member.

    Who administers the first project of an installation administers its first organisation.
    """
    table = organisation_members
    mine = select(table.c.roles).where(*_membership(organisation, user))
    found: list[str] | None = tx.conn.execute(mine).scalar()
    if organisation == DEFAULT and ADMIN in (store.roles_of(tx, DEFAULT, user) or ()):
        return tuple(dict.fromkeys((*(found or ()), ADMIN)))
    return None if found is None else tuple(found)


def is_member(tx: Tx, organisation: str, user: str) -> bool:
    table = organisation_members
    mine = select(table.c.user).where(*_membership(organisation, user))
    return tx.conn.execute(mine).first() is not None


def members_of(tx: Tx, organisation: str) -> list[OrganisationMember]:
    """Every member of an organisation, by name."""
    table = organisation_members
    wanted = select(table).where(table.c.organisation == organisation).order_by(table.c.user)
    return [
        OrganisationMember(name=row.user, roles=tuple(row.roles), since=row.since)
        for row in tx.conn.execute(wanted)
    ]


def administered(tx: Tx, project_id: str) -> bool:
    """Whether somebody administers a project by way of its organisation."""
    above = of_project(tx, project_id)
    if above is None:
        return False
    if above == DEFAULT and project_id != DEFAULT and _administers_first(tx):
        return True
    return any(ADMIN in one.roles for one in members_of(tx, above))


def _administers_first(tx: Tx) -> bool:
    direct = select(members.c.roles).where(members.c.project == DEFAULT)
    return any(ADMIN in roles for roles in tx.conn.execute(direct).scalars())


def has_admin(tx: Tx, organisation: str) -> bool:
    """Whether somebody administers an organisation."""
    if organisation == DEFAULT and _administers_first(tx):
        return True
    return any(ADMIN in one.roles for one in members_of(tx, organisation))


def roles_through(tx: Tx, project_id: str, user: str) -> tuple[str, ...] | None:
    """The roles somebody holds in a project by way of its organisation; None for no member."""
    above = of_project(tx, project_id)
    return None if above is None else member_roles(tx, above, user)


def mine(tx: Tx, user: str) -> list[str]:
    """The organisations that somebody is a member of, the oldest membership first."""
    table = organisation_members
    wanted = select(table.c.organisation).where(table.c.user == user)
    found = list(tx.conn.execute(wanted.order_by(table.c.since)).scalars())
    if DEFAULT not in found and member_roles(tx, DEFAULT, user) is not None:
        found.append(DEFAULT)
    return found


def reach(tx: Tx, user: str) -> list[str]:
    """Every project that somebody is in, by its own members and by its organisation's."""
    found = store.projects_of(tx, user)
    above = select(projects.c.id).where(projects.c.organisation.in_(mine(tx, user)))
    rows = tx.conn.execute(above.order_by(projects.c.created_at, projects.c.id)).scalars()
    return list(dict.fromkeys((*found, *rows)))


def belongs(tx: Tx, project_id: str, user: str) -> bool:
    """Whether somebody is in the organisation of a project, or in any of its projects."""
    above = of_project(tx, project_id)
    if above is None:
        return False
    return member_roles(tx, above, user) is not None or in_projects_of(tx, above, user)


def in_projects_of(tx: Tx, organisation: str, user: str) -> bool:
    wanted = (
        select(func.count())
        .select_from(members.join(projects, projects.c.id == members.c.project))
        .where(members.c.user == user, projects.c.organisation == organisation)
    )
    return bool(tx.conn.execute(wanted).scalar())


def people(tx: Tx) -> list[User]:
    """Everybody in this project and in its organisation, by name."""
    found = {one.name: one for one in store.people(tx)}
    above = of_project(tx, tx.project)
    for one in members_of(tx, above) if above is not None else ():
        there = found.get(one.name) or User(name=one.name, roles=(), created_at=one.since)
        found[one.name] = replace(there, by_organisation=one.roles)
    if above == DEFAULT and tx.project != DEFAULT:
        for admin in _admins_of_first(tx):
            there = found.get(admin.name) or replace(admin, roles=())
            through = tuple(dict.fromkeys((*there.by_organisation, ADMIN)))
            found[admin.name] = replace(there, by_organisation=through)
    return [found[name] for name in sorted(found)]


def _admins_of_first(tx: Tx) -> list[User]:
    return [one for one in store.people(tx, project=DEFAULT) if ADMIN in one.roles]


def enter(tx: Tx, secret: str, project_id: str) -> None:
    """Let a session go on in another project."""
    mine = store.sessions.c.secret == secret
    tx.conn.execute(update(store.sessions).where(mine).values(project=project_id))


def _membership(organisation: str, user: str) -> tuple[ColumnElement[bool], ...]:
    of = organisation_members.c
    return of.organisation == organisation, of.user == user


def _project(row: RowMapping) -> Project:
    return Project(**{name: row[name] for name in Project.__dataclass_fields__})
