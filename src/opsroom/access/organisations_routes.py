"""Organisations, their projects and members over HTTP."""

from dataclasses import dataclass

from fastapi import APIRouter, Request

from opsroom.kit.wire import Wire

from . import organisations
from .http import COOKIE, Read, Write
from .model import Organisation, OrganisationMember, Project

router = APIRouter(prefix="/v1", tags=["access"])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrganisation(Wire):
    """An organisation with its first `project`. Without an `admin`, whoever asks administers it."""

    name: str
    project: str
    admin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Wire):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRoles(Wire):
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination(Wire):
    """The id of the organisation that a project goes to."""

    organisation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance(Wire):
    """The id of a project, or its name."""

    project: str


@router.get("/organisations")
def list_organisations(tx: Read) -> list[Organisation]:
    """The organisations that I am in, with the projects that I may enter."""
    return organisations.organisations(tx)


@router.post("/organisations", status_code=201)
def create_organisation(new: NewOrganisation, tx: Write) -> Organisation:
    """Make an organisation with its first project."""
    return organisations.create(tx, new.name, project=new.project, admin=new.admin)


@router.put("/organisations/{organisation}")
def rename_organisation(organisation: str, wanted: Name, tx: Write) -> Organisation:
    """Call an organisation something else; its id stays."""
    return organisations.rename(tx, organisation, wanted.name)


@router.get("/organisations/{organisation}/members")
def list_members(organisation: str, tx: Read) -> list[OrganisationMember]:
    """Who has which roles in every project of an organisation."""
    return organisations.members(tx, organisation)


@router.put("/organisations/{organisation}/members/{name}")
def set_member(
    organisation: str, name: str, wanted: MemberRoles, tx: Write
) -> OrganisationMember:
    """Give somebody exactly these roles in every project of an organisation."""
    return organisations.set_member(tx, organisation, name, wanted.roles)


@router.delete("/organisations/{organisation}/members/{name}", status_code=204)
def remove_member(organisation: str, name: str, tx: Write) -> None:
    """End a membership."""
    organisations.remove_member(tx, organisation, name)


@router.post("/organisations/{organisation}/projects", status_code=201)
def create_project(organisation: str, new: Name, tx: Write) -> Project:
    """Make a project in an organisation."""
    return organisations.create_project(tx, organisation, new.name)


@router.put("/projects/{project}")
def rename_project(project: str, wanted: Name, tx: Write) -> Project:
    """Call a project something else; its id stays."""
    return organisations.rename_project(tx, project, wanted.name)


@router.post("/projects/{project}/move")
def move_project(project: str, to: Destination, tx: Write) -> Project:
    """Give a project to another organisation; takes somebody who administers both."""
    return organisations.move_project(tx, project, to.organisation)


@router.post("/me/project")
def enter_project(entrance: Entrance, tx: Write, request: Request) -> Project:
    """Go on in another project that I am in, with this session."""
    return organisations.enter(tx, request.cookies.get(COOKIE, ""), entrance.project)
