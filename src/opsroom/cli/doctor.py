"""`opsroom doctor`: what is well, what is not, and the command that mends it."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import click

from opsroom.kit.errors import OpsroomError
from opsroom.sdk import places, sessions
from opsroom.sdk.client import Opsroom
from opsroom.sdk.errors import RemoteError
from opsroom.sdk.terminal import DATA, TOKEN, URL, show

LEAST_SPACE = 1024**3
MOST_APART = 30.0  # seconds
PROOF_FAILED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `fix` says what to do where it is not well."""

    check: str
    ok: bool
    found: str
    fix: str = ""


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check this installation, line by line; exit code 3 if something is not well.

    It looks and changes nothing: it makes no folder, migrates nothing, and moves no label.
    """
    found = list(_examine(ctx.meta.get(URL), ctx.meta.get(TOKEN), ctx.meta.get(DATA)))
    show(ctx, [asdict(one) for one in found], _words)
    if not all(one.ok for one in found):
        ctx.exit(PROOF_FAILED)


def _examine(url: str | None, token: str | None, data: str | None) -> Iterator[Finding]:
    yield _python()
    yield _server_parts()
    client = Opsroom(url, token, data, person=True)
    match client.place:
        case places.Folder(data=folder):
            yield from _folder(folder)
            if not places.installed(folder):
                return
            yield (schema := _schema(folder))
            if not schema.ok:
                return  # to open it would be to migrate it
        case places.Server(home=home):
            if home is not None:
                yield from _folder(home)
    with client:
        yield from _inside(client, token)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        check="python",
        ok=sys.version_info >= (3, 11),
        found=version,
        fix="install Python 3.11 or later",
    )


def _server_parts() -> Finding:
    import opsroom

    try:
        from opsroom.kit.db import sqlite_module

        sqlite = sqlite_module().sqlite_version
    except ModuleNotFoundError:
        return Finding(check="opsroom", ok=True, found=f"{opsroom.__version__}, client only")
    except OpsroomError as error:
        return Finding(check="opsroom", ok=False, found=str(error), fix=error.as_dict()["hint"])
    return Finding(check="opsroom", ok=True, found=f"{opsroom.__version__}, SQLite {sqlite}")


def _folder(folder: Path) -> Iterator[Finding]:
    where = folder.absolute()
    if not places.installed(folder):
        yield Finding(
            check="installation", ok=False, found=f"nothing at {where}", fix="opsroom up"
        )
        return
    yield Finding(check="installation", ok=True, found=str(where))
    mode = folder.stat().st_mode & 0o077
    yield Finding(
        check="folder",
        ok=mode == 0,
        found="only its owner may look in" if mode == 0 else "others may look in",
        fix=f"chmod 700 {folder}",
    )
    free = shutil.disk_usage(folder).free
    yield Finding(
        check="disk",
        ok=free >= LEAST_SPACE,
        found=f"{free / 1024**3:,.1f} GiB free",
        fix=f"make room on the disk that holds {where}",
    )


def _schema(folder: Path) -> Finding:
    """Whether the database is what this version expects; looked at without opening it for work."""
    from opsroom.app.settings import from_environment
    from opsroom.kit.db import open_engine
    from opsroom.migrations import head, standing

    try:
        engine = open_engine(from_environment(os.environ, data=folder).database)
        try:
            step = standing(engine)
        finally:
            engine.dispose()
    except OpsroomError as error:
        fix = f"see that {folder / 'opsroom.db'} (or OPSROOM_DATABASE_URL) is one, or restore a backup"
        found = _not_well("schema", error)
        return replace(found, fix=fix) if error.code == "database_unavailable" else found
    return Finding(
        check="schema",
        ok=step == head(),
        found=f"step {step or 'none'}; this opsroom knows {head()}",
        fix="back it up, then run `opsroom up`: it migrates when it starts",
    )


def _inside(client: Opsroom, token: str | None) -> Iterator[Finding]:
    """What only opsroom itself can tell. Where it does not answer, or not to us, nothing else is
    asked: it would be the same answer each time.
    """
    served = isinstance(client.place, places.Server)
    try:
        there = client.get("/readyz")
    except (OpsroomError, RemoteError) as error:
        yield _not_well("server" if served else "database", error)
        return
    if served:
        yield Finding(check="server", ok=True, found=client.address)
        yield _version(str(there["version"]))
        yield _clock(client)
    yield Finding(check="database", ok=True, found=str(there["status"]))
    try:
        me = client.get("/v1/me")
    except (OpsroomError, RemoteError) as error:
        found = _not_well("credential", error)
        fix = "`opsroom login`, or make a token where the server runs: `opsroom token create`"
        yield replace(found, found=f"{found.found}: {_source(client, token)}", fix=fix)
        return
    who = f"{me['name']} in project {me['project']}: {', '.join(me['roles'])}"
    yield Finding(check="credential", ok=True, found=f"{who} ({_source(client, token)})")
    yield from _parts(client)
    yield _journal(client)


def _version(theirs: str) -> Finding:
    import opsroom

    return Finding(
        check="version",
        ok=theirs == opsroom.__version__,
        found=f"the server is {theirs}, this command line is {opsroom.__version__}",
        fix=f'pip install "opsroom=={theirs}"',
    )


def _clock(client: Opsroom) -> Finding:
    """Whether this machine and the server agree on the time, as far as a header of HTTP tells."""
    told = client.http().get("/healthz").headers.get("Date", "")
    try:
        apart = abs((parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return Finding(check="clock", ok=True, found="the server does not say what time it is")
    return Finding(
        check="clock",
        ok=apart <= MOST_APART,
        found=f"{apart:,.0f} s apart from the server's",
        fix="set both clocks by NTP: tokens and links end too early or late, and traces are misplaced",
    )


def _source(client: Opsroom, token: str | None) -> str:
    """Where the credential comes from, so that it can be changed there."""
    if token:
        return "the token of --token"
    if os.environ.get("OPSROOM_TOKEN"):
        return "the token of OPSROOM_TOKEN"
    if sessions.read(client.place.name):
        return "your `opsroom login`"
    return "no token" if _bare(client.place) else "the token in the installation's folder"


def _bare(place: places.Place) -> bool:
    return isinstance(place, places.Server) and place.token is None


def _parts(client: Opsroom) -> Iterator[Finding]:
    """What the server says of its disk, its telemetry and its models."""
    try:
        found = client.get("/v1/health")
    except (OpsroomError, RemoteError) as error:
        yield _not_well("parts", error)
        return
    for one in found:
        yield Finding(check=one["check"], ok=one["ok"], found=one["found"], fix=one["fix"])


def _journal(client: Opsroom) -> Finding:
    try:
        head = client.post("/v1/journal/verify")
    except RemoteError as error:
        if error.code == "may_not":
            found = "not looked at: that takes the permission to audit"
            return Finding(check="journal", ok=True, found=found)
        return _not_well("journal", error)
    except OpsroomError as error:
        return _not_well("journal", error)
    return Finding(check="journal", ok=True, found=f"{head['seq']:,} entries verified")


def _not_well(check: str, error: OpsroomError | RemoteError) -> Finding:
    facts: dict[str, Any] = error.as_dict()
    return Finding(check=check, ok=False, found=facts["message"], fix=facts["hint"])


def _words(found: list[dict[str, Any]]) -> str:
    lines: list[str] = []
    for one in found:
        lines.append(f"{'ok' if one['ok'] else 'NOT OK':7} {one['check']:13} {one['found']}")
        if not one["ok"] and one["fix"]:
            lines.append(f"{'':7} {'':13} → {one['fix']}")
    return "\n".join(lines)
