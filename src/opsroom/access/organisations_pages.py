"""The page Organisations: projects, who is in all of them, and going from one to another."""

from typing import Annotated, cast

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from opsroom.web.render import Notice, Pages

from . import organisations
from .http import COOKIE, Read, Write
from .model import BUILT_IN

PATH = "/organisations"
router = APIRouter(include_in_schema=False)
Word = Annotated[str, Form(max_length=200)]
NOTICES = {
    "organisation_made": Notice(text="The organisation and its first project are there."),
    "project_made": Notice(text="The project is there. Its organisation's members are in it."),
    "project_moved": Notice(text="The project belongs to the other organisation.", tone="warn"),
    "renamed": Notice(text="It is called so from now on; its id stays.", tone="info"),
    "member_set": Notice(text="The roles hold in every project, from the next request on."),
    "member_removed": Notice(text="The membership has ended.", tone="info"),
    "entered": Notice(text="You are in the other project now.", tone="info"),
}


@router.get(PATH)
def organisations_page(request: Request, tx: Read) -> Response:
    """The organisations that one is in, their projects and members."""
    found = organisations.organisations(tx)
    mine = [one for one in found if "admin" in one.roles]
    return _pages(request).render(
        request,
        "access/organisations.html",
        organisations=found,
        members={one.id: organisations.members(tx, one.id) for one in found if one.roles},
        destinations=[(one.id, one.name) for one in mine],
        mine={one.id for one in mine},
        roles=[(one, one) for one in sorted(BUILT_IN)],
        may=tx.actor.may,
        here=tx.project,
        human=tx.actor.human,
        makes=organisations.may_create(tx),
    )


@router.post(PATH)
def create(request: Request, tx: Write, name: Word, project: Word) -> Response:
    """Make an organisation with its first project."""
    organisations.create(tx, name, project=project)
    return _pages(request).redirect(PATH, notice="organisation_made")


@router.post("/organisations/{organisation}/name")
def rename(request: Request, organisation: str, tx: Write, name: Word) -> Response:
    """Call an organisation something else."""
    organisations.rename(tx, organisation, name)
    return _pages(request).redirect(PATH, notice="renamed")


@router.post("/organisations/{organisation}/projects")
def create_project(request: Request, organisation: str, tx: Write, name: Word) -> Response:
    """Make a project."""
    organisations.create_project(tx, organisation, name)
    return _pages(request).redirect(PATH, notice="project_made")


@router.post("/organisations/{organisation}/members")
def set_member(
    request: Request,
    organisation: str,
    tx: Write,
    name: Word,
    role: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Give somebody roles in every project of an organisation."""
    organisations.set_member(tx, organisation, name.strip(), tuple(role or ()))
    return _pages(request).redirect(PATH, notice="member_set")


@router.post("/organisations/{organisation}/members/{name}/remove")
def remove_member(request: Request, organisation: str, name: str, tx: Write) -> Response:
    """End a membership."""
    organisations.remove_member(tx, organisation, name)
    return _pages(request).redirect(PATH, notice="member_removed")


@router.post("/projects/enter")
def enter(request: Request, tx: Write, project: Word) -> Response:
    """Go on in another project."""
    organisations.enter(tx, request.cookies.get(COOKIE, ""), project)
    return _pages(request).redirect(PATH, notice="entered")


@router.post("/projects/{project}/name")
def rename_project(request: Request, project: str, tx: Write, name: Word) -> Response:
    """Call a project something else."""
    organisations.rename_project(tx, project, name)
    return _pages(request).redirect(PATH, notice="renamed")


@router.post("/projects/{project}/move")
def move_project(request: Request, project: str, tx: Write, organisation: Word) -> Response:
    """Give a project to another organisation."""
    organisations.move_project(tx, project, organisation)
    return _pages(request).redirect(PATH, notice="project_moved")


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
