"""Roles of one's own, access rules, services, sessions and emergencies at the terminal."""

from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import client, plural, say, show, table

DENIED = 4
_reason = click.option("-m", "--reason", required=True, help="Why; it goes into the record.")


@click.group()
def role() -> None:
    """Roles: what each lets somebody do, and those of your own."""


@role.command("list")
@click.pass_context
def list_roles(ctx: click.Context) -> None:
    """List every role that one can have here."""
    show(ctx, client(ctx).get("/v1/roles"), _roles)


@role.command("set")
@click.argument("name")
@click.option(
    "--may", "permissions", multiple=True, required=True, help="A permission; may repeat."
)
@click.option("--note", default="", help="What the role is for.")
@click.pass_context
def set_role(ctx: click.Context, name: str, permissions: tuple[str, ...], note: str) -> None:
    """Make a role of your own, or change one from its holders' next request on."""
    body = {"permissions": list(permissions), "note": note}
    answer = client(ctx).put(f"/v1/roles/{name}", body)
    show(ctx, answer, lambda one: f"{name} may now {', '.join(one['permissions'])}")


@role.command("remove")
@click.argument("name")
@click.pass_context
def remove_role(ctx: click.Context, name: str) -> None:
    """Take a role away from everybody who holds it, and forget it."""
    client(ctx).delete(f"/v1/roles/{name}")
    show(ctx, {"name": name}, lambda _: f"{name} is gone, and nobody holds it")


@click.group()
def access() -> None:
    """Access: the rules beside roles, and what is asked of credentials."""


@access.command("rules")
@click.option(
    "--set",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of Cedar rules that hold from now on, instead of all there were.",
)
@click.option(
    "--otherwise",
    type=click.Choice(["as_roles_say", "deny"]),
    help="What holds where no rule speaks.",
)
@click.option(
    "--protect", "labels", multiple=True, help="A label that only people move; may repeat."
)
@click.option("--no-protected", is_flag=True, help="Let programs move every label again.")
@click.pass_context
def rules(
    ctx: click.Context,
    /,
    *,
    file: Path | None,
    otherwise: str | None,
    labels: tuple[str, ...],
    no_protected: bool,
) -> None:
    """Show the access rules, or set them."""
    here = client(ctx)
    found = here.get("/v1/access/rules")
    wanted = dict(found)
    if file is not None:
        wanted["cedar"] = file.read_text(encoding="utf-8")
    if otherwise is not None:
        wanted["otherwise"] = otherwise
    if labels or no_protected:
        wanted["protected_labels"] = list(labels)
    if wanted != found:
        found = here.put("/v1/access/rules", wanted)
        say(ctx, "they hold from the next command on")
    show(ctx, found, _rules)


@access.command("check")
@click.argument("action", type=click.Choice(["author", "review", "operate"]))
@click.argument("what", metavar="KIND/NAME[@LABEL]")
@click.option("--role", "roles", multiple=True, help="A role they hold; may repeat.")
@click.option("--program", is_flag=True, help="Ask for a program instead of a person.")
@click.option("--criticality", default="assistive", show_default=True)
@click.option(
    "--rules",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ask these rules instead, before they are set.",
)
@click.pass_context
def check(
    ctx: click.Context,
    /,
    *,
    action: str,
    what: str,
    roles: tuple[str, ...],
    program: bool,
    criticality: str,
    file: Path | None,
) -> None:
    """Ask what the rules say to holders of some roles. Exit 0 allowed, 4 denied."""
    head, _, label = what.partition("@")
    kind, _, name = head.partition("/")
    thing = {"kind": kind, "name": name, "label": label, "criticality": criticality}
    body: dict[str, Any] = {
        "action": action,
        "thing": thing,
        "roles": list(roles),
        "human": not program,
    }
    if file is not None:
        body["rules"] = {"cedar": file.read_text(encoding="utf-8")}
    said = client(ctx).post("/v1/access/rules/check", body)
    show(ctx, said, lambda one: "allowed" if one["allowed"] else f"denied: {one['because']}")
    ctx.exit(0 if said["allowed"] else DENIED)


@access.command("settings")
@click.option("--token-days", type=int, help="How long a token lives at most; 0: no limit.")
@click.option(
    "--glass-role", "roles", multiple=True, help="A role to take in an emergency; may repeat."
)
@click.option("--no-glass", is_flag=True, help="Let nobody take a role in an emergency.")
@click.option("--glass-minutes", type=int, help="For how long at most.")
@click.pass_context
def settings(
    ctx: click.Context,
    /,
    *,
    token_days: int | None,
    roles: tuple[str, ...],
    no_glass: bool,
    glass_minutes: int | None,
) -> None:
    """Show what is asked of credentials and emergencies, or set it."""
    here = client(ctx)
    found = here.get("/v1/access/settings")
    given = {"token_days": token_days, "glass_minutes": glass_minutes}
    wanted = found | {key: value for key, value in given.items() if value is not None}
    if roles or no_glass:
        wanted["glass_roles"] = list(roles)
    if wanted != found:
        found = here.put("/v1/access/settings", wanted)
    show(ctx, found, _settings)


@click.group()
def glass() -> None:
    """Emergencies: a role for a while, with a reason."""


@glass.command("take")
@click.argument("role")
@_reason
@click.option("--minutes", type=int, help="For how long; as long as the project lets one.")
@click.pass_context
def take(ctx: click.Context, role: str, reason: str, minutes: int | None) -> None:
    """Take ROLE for a while. It is journalled, and an alert tells the others."""
    body = {"role": role, "reason": reason, "minutes": minutes}
    made = client(ctx).post("/v1/glass", body)
    show(ctx, made, lambda one: f"you are {one['role']} until {one['until']}")
    say(ctx, f"give it back sooner with `opsroom glass end {made['id']}`")


@glass.command("end")
@click.argument("glass_id", metavar="GLASS")
@click.pass_context
def end_glass(ctx: click.Context, glass_id: str) -> None:
    """Give a role back before its time."""
    answer = client(ctx).post(f"/v1/glass/{glass_id}/end")
    show(ctx, answer, lambda one: f"{one['user']} is not {one['role']} any more")


@glass.command("list")
@click.pass_context
def list_glass(ctx: click.Context) -> None:
    """List who took which role, the latest first."""
    show(ctx, client(ctx).get("/v1/glass"), _glasses)


@click.group()
def service() -> None:
    """Services: programs with an identity, and somebody who answers for each."""


@service.command("open")
@click.argument("name")
@click.option("--owner", required=True, help="The person who answers for it.")
@click.option("--purpose", required=True, help="What it is for.")
@click.option("--role", "roles", multiple=True, required=True, help="May repeat.")
@click.pass_context
def open_service(
    ctx: click.Context, name: str, owner: str, purpose: str, roles: tuple[str, ...]
) -> None:
    """Give a program an identity."""
    body = {"name": name, "owner": owner, "purpose": purpose, "roles": list(roles)}
    show(ctx, client(ctx).post("/v1/services", body), lambda _: f"{name} has an identity")
    say(ctx, f"next: opsroom token create {name}-1 --service {name}")


@service.command("list")
@click.pass_context
def list_services(ctx: click.Context) -> None:
    """List every service, the closed ones too."""
    show(ctx, client(ctx).get("/v1/services"), _services)


@service.command("roles")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, help="May repeat.")
@click.pass_context
def set_service_roles(ctx: click.Context, name: str, roles: tuple[str, ...]) -> None:
    """Give a service and all of its tokens exactly these roles."""
    answer = client(ctx).put(f"/v1/services/{name}/roles", {"roles": list(roles)})
    show(ctx, answer, lambda one: f"{name} is now {', '.join(one['roles'])}")


@service.command("close")
@click.argument("name")
@_reason
@click.pass_context
def close_service(ctx: click.Context, name: str, reason: str) -> None:
    """End a service and all of its tokens, from the next request on."""
    answer = client(ctx).post(f"/v1/services/{name}/close", {"reason": reason})
    show(ctx, answer, lambda _: f"{name} is closed")


@click.group()
def session() -> None:
    """Sessions: who is logged in."""


@session.command("list")
@click.pass_context
def list_sessions(ctx: click.Context) -> None:
    """List who is logged in, the latest first."""
    show(ctx, client(ctx).get("/v1/sessions"), _sessions)


@session.command("end")
@click.argument("session_id", metavar="SESSION")
@click.pass_context
def end_session(ctx: click.Context, session_id: str) -> None:
    """End somebody's session from the next request on."""
    client(ctx).delete(f"/v1/sessions/{session_id}")
    show(ctx, {"id": session_id}, lambda _: f"{session_id} has ended")


@session.command("end-mine")
@click.pass_context
def end_mine(ctx: click.Context) -> None:
    """Log yourself out everywhere, here too."""
    answer = client(ctx).post("/v1/me/sessions/end")
    show(ctx, answer, lambda one: f"{plural(one['count'], 'session')} ended")


def _roles(found: dict[str, Any]) -> str:
    own = [(one["name"], ", ".join(one["permissions"]), one["note"]) for one in found["custom"]]
    rows = [(one["name"], ", ".join(one["permissions"]), "") for one in found["built_in"]]
    return table(("role", "may", "for"), [*rows, *own], empty="none")


def _rules(found: dict[str, Any]) -> str:
    lines = [found["cedar"].strip() or "no rules: the roles alone decide"]
    lines.append(f"where no rule speaks: {found['otherwise'].replace('_', ' ')}")
    labels = ", ".join(found["protected_labels"]) or "none"
    return "\n".join([*lines, f"labels that only people move: {labels}"])


def _settings(found: dict[str, Any]) -> str:
    days = found["token_days"]
    lives = f"{plural(days, 'day')} at most" if days else "as long as it is told to"
    roles = ", ".join(found["glass_roles"]) or "none"
    return (
        f"a token lives {lives}\nroles to take in an emergency: {roles}, "
        f"for {found['glass_minutes']} minutes at most"
    )


def _glasses(rows: list[dict[str, Any]]) -> str:
    cells = [
        (one["id"], one["user"], one["role"], one["ended_at"] or one["until"], one["reason"])
        for one in rows
    ]
    return table(("id", "who", "role", "until", "why"), cells, empty="nobody ever did")


def _services(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            one["name"],
            one["owner"],
            ", ".join(one["roles"]),
            one["closed_at"] or "open",
            one["purpose"],
        )
        for one in rows
    ]
    return table(("service", "owner", "roles", "closed", "for"), cells, empty="none yet")


def _sessions(rows: list[dict[str, Any]]) -> str:
    cells = [
        (one["id"], one["user"], one["how"], one["begun_at"], one["expires_at"]) for one in rows
    ]
    return table(("id", "who", "by", "since", "until"), cells, empty="nobody")
