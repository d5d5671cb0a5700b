"""Organisations, projects and members at the terminal."""

from typing import Any

import click

from opsroom.sdk.terminal import client, show, table


@click.group()
def org() -> None:
    """Organisations: owners of projects, and who is in all of them."""


@org.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """List the organisations you are in, and the projects you may enter."""
    show(ctx, client(ctx).get("/v1/organisations"), _organisations)


@org.command("create")
@click.argument("name")
@click.option("--project", required=True, help="The name of its first project.")
@click.option("--admin", default="", help="Who administers it [you].")
@click.pass_context
def create(ctx: click.Context, name: str, project: str, admin: str) -> None:
    """Make an organisation with its first project."""
    body = {"name": name, "project": project, "admin": admin}
    show(
        ctx,
        client(ctx).post("/v1/organisations", body),
        lambda one: f"made {one['id']}, with the project {one['projects'][0]['id']}",
    )


@org.command("rename")
@click.argument("organisation")
@click.argument("name")
@click.pass_context
def rename(ctx: click.Context, organisation: str, name: str) -> None:
    """Call an organisation something else; its id stays."""
    answer = client(ctx).put(f"/v1/organisations/{organisation}", {"name": name})
    show(ctx, answer, lambda one: f"{one['id']} is called {one['name']}")


@org.command("members")
@click.argument("organisation")
@click.pass_context
def members(ctx: click.Context, organisation: str) -> None:
    """List who has which roles in every project of an organisation."""
    show(ctx, client(ctx).get(f"/v1/organisations/{organisation}/members"), _members)


@org.command("member")
@click.argument("organisation")
@click.argument("name")
@click.option(
    "--role", "roles", multiple=True, help="A role that every project has; may repeat."
)
@click.option("--remove", is_flag=True, help="End the membership.")
@click.pass_context
def member(
    ctx: click.Context, organisation: str, name: str, roles: tuple[str, ...], remove: bool
) -> None:
    """Give somebody exactly these roles in every project of an organisation."""
    if bool(roles) == remove:
        raise click.UsageError("say --role, or --remove")
    path = f"/v1/organisations/{organisation}/members/{name}"
    if remove:
        client(ctx).delete(path)
        show(ctx, {"name": name}, lambda _: f"{name} is no member any more")
        return
    answer = client(ctx).put(path, {"roles": list(roles)})
    show(ctx, answer, lambda one: f"{name} is {', '.join(one['roles'])} in all of its projects")


@org.command("enter")
@click.argument("project")
@click.pass_context
def enter(ctx: click.Context, project: str) -> None:
    """Go on in another project that you are in; takes a login, not a token."""
    answer = client(ctx).post("/v1/me/project", {"project": project})
    show(ctx, answer, lambda one: f"you are in {one['name']} ({one['id']}) now")


@click.group()
def project() -> None:
    """Projects of an organisation."""


@project.command("create")
@click.argument("organisation")
@click.argument("name")
@click.pass_context
def create_project(ctx: click.Context, organisation: str, name: str) -> None:
    """Make a project in an organisation."""
    answer = client(ctx).post(f"/v1/organisations/{organisation}/projects", {"name": name})
    show(ctx, answer, lambda one: f"made {one['id']}")


@project.command("rename")
@click.argument("project_id", metavar="PROJECT")
@click.argument("name")
@click.pass_context
def rename_project(ctx: click.Context, project_id: str, name: str) -> None:
    """Call a project something else; its id stays."""
    answer = client(ctx).put(f"/v1/projects/{project_id}", {"name": name})
    show(ctx, answer, lambda one: f"{one['id']} is called {one['name']}")


@project.command("move")
@click.argument("project_id", metavar="PROJECT")
@click.argument("organisation")
@click.pass_context
def move_project(ctx: click.Context, project_id: str, organisation: str) -> None:
    """Give a project to another organisation; takes somebody who administers both."""
    path = f"/v1/projects/{project_id}/move"
    answer = client(ctx).post(path, {"organisation": organisation})
    show(ctx, answer, lambda one: f"{one['id']} belongs to {one['organisation']}")


org.add_command(project)


def _organisations(rows: list[dict[str, Any]]) -> str:
    cells = [
        (one["id"], one["name"], ", ".join(one["roles"]), each["id"], each["name"])
        for one in rows
        for each in one["projects"]
    ]
    columns = ("organisation", "name", "you are", "project", "called")
    return table(columns, cells, empty="you are in none")


def _members(rows: list[dict[str, Any]]) -> str:
    cells = [(one["name"], ", ".join(one["roles"]), one["since"]) for one in rows]
    return table(("name", "roles", "since"), cells, empty="nobody; projects have their own")
