"""`opsroom doctor`: what is well, what is not, and the command that mends it."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from opsroom.kit.errors import OpsroomError
from opsroom.sdk import places
from opsroom.sdk.client import Opsroom
from opsroom.sdk.errors import RemoteError
from opsroom.sdk.terminal import DATA, TOKEN, URL, show

LEAST_SPACE = 1024**3
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
    client = Opsroom(url, token, data)
    match client.place:
        case places.Folder(data=folder):
            yield from _folder(folder)
            if not places.installed(folder):
                return
        case places.Server(url=address):
            yield Finding(check="server", ok=True, found=address)
    with client:
        yield from _inside(client)


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
    yield Finding(check="installation", ok=True, found=f"{where} (no server runs on it)")
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


def _inside(client: Opsroom) -> Iterator[Finding]:
    """What only opsroom itself can tell."""
    looks: tuple[tuple[str, Callable[[Opsroom], str]], ...] = (
        ("database", _ready),
        ("credential", _me),
        ("journal", _chain),
    )
    for check, look in looks:
        try:
            yield Finding(check=check, ok=True, found=look(client))
        except (OpsroomError, RemoteError) as error:
            facts: dict[str, Any] = error.as_dict()
            yield Finding(check=check, ok=False, found=facts["message"], fix=facts["hint"])


def _ready(client: Opsroom) -> str:
    found = client.get("/readyz")
    return f"{found['status']}, opsroom {found['version']}"


def _me(client: Opsroom) -> str:
    me = client.get("/v1/me")
    return f"{me['name']} in project {me['project']}: {', '.join(me['roles'])}"


def _chain(client: Opsroom) -> str:
    head = client.post("/v1/journal/verify")
    return f"{head['seq']:,} entries verified"


def _words(found: list[dict[str, Any]]) -> str:
    lines: list[str] = []
    for one in found:
        lines.append(f"{'ok' if one['ok'] else 'NOT OK':7} {one['check']:13} {one['found']}")
        if not one["ok"] and one["fix"]:
            lines.append(f"{'':7} {'':13} → {one['fix']}")
    return "\n".join(lines)
