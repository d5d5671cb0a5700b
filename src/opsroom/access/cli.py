"""People and tokens at the terminal."""

from typing import Any

import click

from opsroom.sdk.places import Folder, Server
from opsroom.sdk.terminal import client, say, show, table

_roles = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    help="One of `opsroom role list`; may repeat.",
)


@click.command()
@click.argument("name", required=False)
@click.option("--link", help="A one-time link, or what stands behind its #.")
@click.pass_context
def login(ctx: click.Context, name: str | None, link: str | None) -> None:
    """Log in as NAME (asks for the password) or with a one-time link.

    From then on this terminal asks as that person, for example to approve a proposal.
    """
    from opsroom.sdk import sessions

    here = client(ctx)
    if link:
        code = link.rpartition("#")[2]
        session = here.post("/v1/sessions/once", {"code": code})
    else:
        name = name or click.prompt("Name", err=True)
        password = click.prompt("Password", hide_input=True, err=True)
        session = here.post("/v1/sessions", {"name": name, "password": password})
    sessions.keep(here.place.name, session["secret"])
    here.close()
    me = here.get("/v1/me")
    show(ctx, me, lambda one: f"logged in as {one['name']}: {', '.join(one['roles'])}")


@click.command()
@click.pass_context
def logout(ctx: click.Context) -> None:
    """End the login of this terminal."""
    from opsroom.sdk import sessions

    here = client(ctx)
    here.http().post("/logout")
    sessions.forget(here.place.name)
    show(ctx, {"place": here.place.name}, lambda _: "logged out")


@click.group()
def user() -> None:
    """People and their roles in this project."""


@user.command("list")
@click.pass_context
def list_users(ctx: click.Context) -> None:
    """List everybody."""
    show(ctx, client(ctx).get("/v1/users"), _users)


@user.command("create")
@click.argument("name")
@_roles
@click.pass_context
def create_user(ctx: click.Context, name: str, roles: tuple[str, ...]) -> None:
    """Make a user and a one-time link for their first login."""
    here = client(ctx)
    made = here.post("/v1/users", {"name": name, "roles": list(roles)})
    link = here.post(f"/v1/users/{name}/link")
    answer = {**made, "link": _address(ctx, link["path"])}
    show(ctx, answer, lambda one: f"made {name}; their first login: {one['link']}")
    say(ctx, "the link works once, within half an hour")


@user.command("roles")
@click.argument("name")
@_roles
@click.pass_context
def set_roles(ctx: click.Context, name: str, roles: tuple[str, ...]) -> None:
    """Give a user exactly these roles, from their next request on."""
    answer = client(ctx).put(f"/v1/users/{name}/roles", {"roles": list(roles)})
    show(ctx, answer, lambda one: f"{name} is now {', '.join(one['roles'])}")


@user.command("link")
@click.argument("name")
@click.pass_context
def link_user(ctx: click.Context, name: str) -> None:
    """Make a one-time link that logs a user in within half an hour."""
    path = client(ctx).post(f"/v1/users/{name}/link")["path"]
    show(ctx, {"link": _address(ctx, path)}, lambda one: str(one["link"]))


@user.command("password")
@click.argument("name")
@click.password_option(help="Asked for if left out, which keeps it out of your history.")
@click.pass_context
def set_password(ctx: click.Context, name: str, password: str) -> None:
    """Set a user's password."""
    client(ctx).put(f"/v1/users/{name}/password", {"password": password})
    show(ctx, {"name": name}, lambda _: f"the password of {name} is set")


@click.group()
def token() -> None:
    """API tokens for programs."""


@token.command("list")
@click.pass_context
def list_tokens(ctx: click.Context) -> None:
    """List every token, without its secret."""
    show(ctx, client(ctx).get("/v1/tokens"), _tokens)


@token.command("create")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="One of `opsroom role list`; may repeat.")
@click.option(
    "--expires", "expires_at", type=click.DateTime(), help="When it stops working (UTC)."
)
@click.option("--agent", default="", help="The one agent that it acts for; needs --role agent.")
@click.option("--service", default="", help="The service it belongs to, in place of roles.")
@click.option(
    "--scope", "scopes", multiple=True, help="Only this of what its roles give; may repeat."
)
@click.option("--environment", default="", help="The only environment that it is for.")
@click.pass_context
def create_token(
    ctx: click.Context,
    /,
    *,
    name: str,
    roles: tuple[str, ...],
    expires_at: Any,
    agent: str,
    service: str,
    scopes: tuple[str, ...],
    environment: str,
) -> None:
    """Make a token. Its secret is printed now and never again.

    With --agent it is the identity of that agent: it acts for no other, and dies when the
    agent is retired. With --service it has the roles of that service.
    """
    if bool(roles) == bool(service):
        raise click.UsageError("say --role, or --service for one that has its roles")
    body = {
        "name": name,
        "roles": list(roles),
        "expires_at": f"{expires_at.isoformat()}Z" if expires_at else None,
        "agent": agent,
        "service": service,
        "scopes": list(scopes),
        "environment": environment,
    }
    show(ctx, client(ctx).post("/v1/tokens", body), lambda one: str(one["secret"]))
    say(ctx, "keep it: it is shown this once")


@token.command("revoke")
@click.argument("token_id", metavar="TOKEN")
@click.pass_context
def revoke_token(ctx: click.Context, token_id: str) -> None:
    """Make a token useless from the next request on."""
    client(ctx).delete(f"/v1/tokens/{token_id}")
    show(ctx, {"id": token_id}, lambda _: f"{token_id} is revoked")


def _address(ctx: click.Context, path: str) -> str:
    """Where a path can be opened; without a server, the path alone."""
    match client(ctx).place:
        case Server(url=url):
            return url + path
        case Folder():
            return path


def _users(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            one["name"],
            ", ".join((*one["roles"], *(f"{role} (org)" for role in one["by_organisation"]))),
            one["created_at"],
        )
        for one in rows
    ]
    return table(("name", "roles", "since"), cells, empty="nobody yet")


def _tokens(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            one["id"],
            one["name"],
            ", ".join(one["scopes"] or one["roles"]),
            " in ".join(filter(None, (one["agent"] or one["service"], one["environment"]))),
            "revoked" if one["revoked_at"] else one["expires_at"] or "in use",
            one["last_used_at"] or "never",
            one["created_by"],
        )
        for one in rows
    ]
    columns = ("id", "name", "may", "of", "until", "last used", "made by")
    return table(
        columns, cells, empty="none yet; make one with `opsroom token create NAME --role agent`"
    )
