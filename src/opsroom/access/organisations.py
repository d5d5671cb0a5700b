"""Organisations: owners of projects, and people with roles in all of them.

Somebody who administers an organisation makes its projects and its members, and reaches no other
organisation: whatever is not theirs looks like nothing. An installation begins with the
organisation `default`. Who administers its project `default` administers it, and makes others.

What is done here stands in the journal of every project that it touches.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from opsroom.kit.db import Tx

from . import organisations_store, store
from .errors import (
    BadOrganisation,
    BadPersonName,
    LastAdmin,
    MayNot,
    NameTaken,
    NoSuchOrganisation,
    NoSuchProject,
    NoSuchUser,
    UnknownRole,
)
from .granting import ADMINISTER, roles_in
from .model import (
    BUILT_IN,
    Organisation,
    OrganisationMember,
    Project,
    fingerprint,
    names_somebody,
)
from .organisations_store import ADMIN, DEFAULT

MOST_PROJECTS = 200
MOST_MEMBERS = 1000
MOST_NAME = 80


def organisations(tx: Tx) -> list[Organisation]:
    """Those that whoever asks can see, with the projects that they may enter."""
    mine = _reached(tx)
    found = organisations_store.some(tx, sorted({one.organisation for one in mine}))
    return [
        replace(
            one,
            roles=roles_in(tx, one.id) or (),
            projects=tuple(each for each in mine if each.organisation == one.id),
        )
        for one in found
    ]


def organisation(tx: Tx, organisation_id: str) -> Organisation:
    """One that whoever asks is a member of. Raises `NoSuchOrganisation` for all others."""
    if roles_in(tx, organisation_id) is None:
        raise NoSuchOrganisation(organisation_id)
    return next(one for one in organisations(tx) if one.id == organisation_id)


def name_of(tx: Tx, project_id: str) -> str:
    """What a project is called."""
    found = organisations_store.project(tx, project_id)
    return found.name if found is not None else project_id


def members(tx: Tx, organisation_id: str) -> list[OrganisationMember]:
    """The members of an organisation, for its members."""
    organisation(tx, organisation_id)
    return organisations_store.members_of(tx, organisation_id)


def create(tx: Tx, name: str, *, project: str, admin: str = "") -> Organisation:
    """Make an organisation with its first project, administered by whoever makes it, or by
    `admin`.

    Only who administers the organisation `default` makes others; a program has to name an
    `admin`. Raises `MayNot`, `BadOrganisation` or `NameTaken`.
    """
    if not may_create(tx):
        raise MayNot(tx.actor.name, ADMINISTER)
    first = admin or (tx.actor.name if tx.actor.human else "")
    if not first:
        raise BadOrganisation(name, "somebody has to administer it")
    made = Organisation(id=tx.ids.new("org"), name=_name(name), created_at=tx.now)
    _ensure_person(tx, first)
    organisations_store.add(tx, made.id, made.name)
    organisations_store.set_member(tx, made.id, first, (ADMIN,))
    facts = {"name": made.name, "admin": first}
    tx.record("organisation.created", f"organisation/{made.id}", **facts)
    opened = _open_project(tx, made.id, project)
    _record(tx, [opened.id], "organisation.created", f"organisation/{made.id}", **facts)
    return replace(made, projects=(opened,))


def may_create(tx: Tx) -> bool:
    """Whether whoever asks makes organisations: those who administer the first one do."""
    return ADMIN in (roles_in(tx, DEFAULT) or ())


def rename(tx: Tx, organisation_id: str, name: str) -> Organisation:
    """Call an organisation something else; its id stays. Raises as `organisation` does."""
    was = _administered(tx, organisation_id)
    if (new := _name(name)) != was.name:
        organisations_store.rename(tx, was.id, new)
        facts = {"before": was.name, "after": new}
        _record_in_all(tx, was.id, "organisation.renamed", f"organisation/{was.id}", **facts)
    return replace(was, name=new)


def create_project(tx: Tx, organisation_id: str, name: str) -> Project:
    """Make a project. Members of the organisation have their roles in it at once.

    Raises `NameTaken` where the organisation has one of that name.
    """
    return _open_project(tx, _administered(tx, organisation_id).id, name)


def rename_project(tx: Tx, project_id: str, name: str) -> Project:
    """Call a project something else; its id stays. Raises `NoSuchProject` or `NameTaken`."""
    was = _project_administered(tx, project_id)
    new = replace(was, name=_free(tx, was.organisation, name, but=was.id))
    if new != was:
        organisations_store.change_project(tx, new)
        facts = {"before": was.name, "after": new.name}
        _record(tx, [was.id], "project.renamed", f"project/{was.id}", **facts)
    return new


def move_project(tx: Tx, project_id: str, organisation_id: str) -> Project:
    """Give a project to another organisation. Its own members and tokens stay; those who reached
    it by the old organisation reach it no more.

    Takes somebody who administers both. The installation's first project stays where it is, and
    so does the last one of an organisation: raises `BadOrganisation`.
    """
    was = _project_administered(tx, project_id)
    to = _administered(tx, organisation_id)
    if was.organisation == to.id:
        return was
    organisations_store.lock(tx, was.organisation, to.id)
    _check_administers(tx, was.organisation)
    _check_administers(tx, to.id)
    if was.id == DEFAULT or len(organisations_store.projects_of(tx, was.organisation)) == 1:
        raise BadOrganisation(was.name, "an organisation keeps its first and its last project")
    new = replace(was, organisation=to.id, name=_free(tx, to.id, was.name))
    organisations_store.change_project(tx, new)
    facts = {"before": was.organisation, "after": to.id}
    _record(tx, [was.id], "project.moved", f"project/{was.id}", **facts)
    return new


def set_member(
    tx: Tx, organisation_id: str, name: str, roles: tuple[str, ...]
) -> OrganisationMember:
    """Give somebody exactly these roles in every project of an organisation, from their next
    request on. Who is not there yet is made.

    Somebody of another organisation is taken in only by who administers that one, too, and has
    to be let in anew: their password, sessions and links end. Raises `NameTaken`. Raises `UnknownRole` for a role of a project's own, and `LastAdmin`.
    """
    _administered(tx, organisation_id)
    for role in roles:
        if role not in BUILT_IN:
            raise UnknownRole(role)
    with _deciding(tx, organisation_id):
        before = _direct(tx, organisation_id, name)
        if before is None:
            _ensure_person(tx, name, organisation_id)
            if len(organisations_store.members_of(tx, organisation_id)) >= MOST_MEMBERS:
                raise BadOrganisation(organisation_id, f"it has {MOST_MEMBERS} members")
        organisations_store.set_member(tx, organisation_id, name, roles)
    if before != roles:
        facts = {"before": list(before or ()), "after": list(roles)}
        _record_in_all(
            tx,
            organisation_id,
            "organisation.member_set",
            f"user/{name}",
            organisation=organisation_id,
            **facts,
        )
    return OrganisationMember(name=name, roles=roles, since=tx.now)


def remove_member(tx: Tx, organisation_id: str, name: str) -> None:
    """End a membership; what somebody was given in a project itself stays.

    Raises `NoSuchUser` or `LastAdmin`.
    """
    _administered(tx, organisation_id)
    with _deciding(tx, organisation_id):
        before = _direct(tx, organisation_id, name)
        if before is None:
            raise NoSuchUser(name)
        organisations_store.remove_member(tx, organisation_id, name)
    _record_in_all(
        tx,
        organisation_id,
        "organisation.member_removed",
        f"user/{name}",
        organisation=organisation_id,
        before=list(before),
    )


def enter(tx: Tx, session_secret: str, project_id: str) -> Project:
    """Let the session of whoever asks go on in another of their projects.

    Raises `NoSuchProject` for one that they are not in, and for a program, whose token has one
    project.
    """
    mine = sorted(_reached(tx), key=lambda one: one.id != project_id)
    found = next((one for one in mine if project_id in {one.id, one.name}), None)
    if found is None or not tx.actor.human or not session_secret:
        raise NoSuchProject(project_id)
    organisations_store.enter(tx, fingerprint(session_secret), found.id)
    tx.actor = replace(tx.actor, project=found.id)
    tx.record("session.entered", f"user/{tx.actor.name}", project=found.id)
    return found


def _reached(tx: Tx) -> list[Project]:
    """The projects that whoever asks may enter; for a program its own, or all it administers."""
    above = organisations_store.of_project(tx, tx.project) or ""
    if not tx.actor.human and roles_in(tx, above) is not None:
        return organisations_store.projects_of(tx, above)
    ids = organisations_store.reach(tx, tx.actor.name) if tx.actor.human else [tx.project]
    found = (organisations_store.project(tx, one) for one in ids)
    return sorted((one for one in found if one is not None), key=lambda one: (one.name, one.id))


def _check_administers(tx: Tx, organisation_id: str) -> None:
    roles = roles_in(tx, organisation_id)
    if roles is None:
        raise NoSuchOrganisation(organisation_id)
    if ADMIN not in roles:
        raise MayNot(tx.actor.name, ADMINISTER)


def _administered(tx: Tx, organisation_id: str) -> Organisation:
    """An organisation that whoever asks administers."""
    _check_administers(tx, organisation_id)
    found = organisations_store.some(tx, [organisation_id])
    if not found:
        raise NoSuchOrganisation(organisation_id)
    return found[0]


def _project_administered(tx: Tx, project_id: str) -> Project:
    """A project of an organisation that whoever asks administers."""
    found = organisations_store.project(tx, project_id)
    if found is None or roles_in(tx, found.organisation) is None:
        raise NoSuchProject(project_id)
    _check_administers(tx, found.organisation)
    return found


def _direct(tx: Tx, organisation_id: str, name: str) -> tuple[str, ...] | None:
    there = organisations_store.members_of(tx, organisation_id)
    return next((one.roles for one in there if one.name == name), None)


@contextmanager
def _deciding(tx: Tx, organisation_id: str) -> Iterator[None]:
    """One decision about who may what in an organisation, after all others."""
    organisations_store.lock(tx, organisation_id)
    _check_administers(tx, organisation_id)
    yield
    if not organisations_store.has_admin(tx, organisation_id):
        raise LastAdmin


def _ensure_person(tx: Tx, name: str, organisation_id: str = "") -> None:
    """Make a person who is not there. Raises `BadPersonName`, or `NameTaken` for somebody of
    another organisation.
    """
    if not store.has_user(tx, name):
        if not names_somebody(name):
            raise BadPersonName(name)
        store.add_user(tx, name, None)
        tx.record("user.created", f"user/{name}", roles=[])
        return
    if not tx.actor.roles:
        return  # opsroom itself: an identity provider vouches for them
    mine = {
        one.organisation
        for one in _reached(tx)
        if ADMIN in (roles_in(tx, one.organisation) or ())
    }
    if organisation_id and _is_in(tx, organisation_id, name):
        return
    if not any(_is_in(tx, one, name) for one in mine):
        raise NameTaken(name)
    if name != tx.actor.name:
        _void_ways_in(tx, name)


def _is_in(tx: Tx, organisation_id: str, name: str) -> bool:
    if organisations_store.member_roles(tx, organisation_id, name) is not None:
        return True
    return organisations_store.in_projects_of(tx, organisation_id, name)


def _void_ways_in(tx: Tx, name: str) -> None:
    """Somebody where they were before may have set the password or made a link, and would come
    in as them here, where they have no business.
    """
    store.set_password(tx, name, None)
    store.end_sessions(tx, name)
    tx.record("user.ways_in_voided", f"user/{name}")


def _open_project(tx: Tx, organisation_id: str, name: str) -> Project:
    organisations_store.lock(tx, organisation_id)
    if len(organisations_store.projects_of(tx, organisation_id)) >= MOST_PROJECTS:
        raise BadOrganisation(name, f"there are {MOST_PROJECTS} projects already")
    made = Project(
        id=tx.ids.new("prj"),
        name=_free(tx, organisation_id, name),
        organisation=organisation_id,
        created_at=tx.now,
    )
    organisations_store.add_project(tx, made)
    facts = {"name": made.name, "organisation": organisation_id}
    _record(tx, [tx.project, made.id], "project.created", f"project/{made.id}", **facts)
    return made


def _free(tx: Tx, organisation_id: str, name: str, *, but: str = "") -> str:
    """A name that no other project of an organisation has."""
    new = _name(name)
    there = organisations_store.projects_of(tx, organisation_id)
    if any(one.name == new and one.id != but for one in there):
        raise NameTaken(new)
    return new


def _name(text: str) -> str:
    found = " ".join(text.split())
    if not 0 < len(found) <= MOST_NAME or "/" in found or not found.isprintable():
        raise BadOrganisation(
            text[:MOST_NAME], f"a name has at most {MOST_NAME} characters and no /"
        )
    return found


def _record_in_all(
    tx: Tx, organisation_id: str, event: str, subject: str, **facts: Any
) -> None:
    ids = [one.id for one in organisations_store.projects_of(tx, organisation_id)]
    _record(tx, ids, event, subject, **facts)


def _record(tx: Tx, ids: Iterable[str], event: str, subject: str, **facts: Any) -> None:
    """Put an event into the journal of each of these projects."""
    whose = tx.actor
    for one in ids:
        tx.actor = replace(whose, project=one)
        tx.record(event, subject, **facts)
    tx.actor = whose
