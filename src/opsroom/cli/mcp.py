"""`opsroom mcp`: the tools for coding agents over standard input and output.

It only carries: each line that a client writes goes to `/v1/mcp`, and what comes back is
written as a line. So tools, permissions and answers are the server's, whatever version is here,
and without a server those of the folder that is opened.
"""

import base64
import json
import re
import sys
from collections.abc import Iterator
from typing import IO, Any

import click

from opsroom.kit.errors import OpsroomError
from opsroom.sdk.client import Opsroom
from opsroom.sdk.errors import NotOpsroom, RemoteError, Unreachable, remote_error
from opsroom.sdk.terminal import DATA, TOKEN, URL

PATH = "/v1/mcp"
LONGEST = 4 * 1024 * 1024  # bytes of a line; what the server takes at most
VERSION = "io.modelcontextprotocol/protocolVersion"
PARSE, INTERNAL = -32700, -32603  # codes of JSON-RPC
_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


@click.command()
@click.pass_context
def mcp(ctx: click.Context) -> None:
    """Serve coding agents over standard input and output (MCP).

    Claude Code, Cursor and others start it by themselves: see docs/how-to/coding-agents.md. They
    may look at everything that your token may read, and propose; people decide.
    """
    # An editor starts this anywhere: no installation is made where there is none.
    where = (ctx.meta.get(URL), ctx.meta.get(TOKEN), ctx.meta.get(DATA))
    with Opsroom(*where, person=True) as client:
        carry(client, sys.stdin.buffer, sys.stdout.buffer)


def carry(client: Opsroom, lines: IO[bytes], out: IO[bytes]) -> None:
    """Answer every message of a client until it closes its end."""
    spoken = ""  # the version that an older client agreed on; newer ones say it each time
    for line in _lines(lines):
        message = _read(line)
        if message is None:
            _write(
                out, _failed(None, {"message": "this line is no JSON-RPC message"}, code=PARSE)
            )
            continue
        answer = _ask(client, message, spoken)
        if answer is None:
            continue
        if message.get("method") == "initialize":
            spoken = str((answer.get("result") or {}).get("protocolVersion", ""))
        _write(out, answer)


def headers(message: dict[str, Any], spoken: str) -> dict[str, str]:
    """What streamable HTTP says of a message beside its body."""
    found = {"Accept": "application/json, text/event-stream"}
    params = message.get("params")
    told = params if isinstance(params, dict) else {}
    meta = told.get("_meta")
    version = meta.get(VERSION) if isinstance(meta, dict) else None
    if isinstance(version, str):
        found["Mcp-Method"] = _header(str(message.get("method", "")))
        if isinstance(named := told.get("name") or told.get("uri"), str):
            found["Mcp-Name"] = _header(named)
    if version or spoken:
        found["MCP-Protocol-Version"] = _header(str(version or spoken))
    return found


def _ask(client: Opsroom, message: dict[str, Any], spoken: str) -> dict[str, Any] | None:
    """The answer to a message; None for one that takes none, or got none."""
    import httpx2

    number = message.get("id")
    wanted = number is not None and "method" in message
    try:
        content = json.dumps(
            message
        ).encode()  # ASCII, so half a surrogate pair is no bug of ours
        told = {**headers(message, spoken), "Content-Type": "application/json"}
        response = client.http().post(PATH, content=content, headers=told)
    except httpx2.HTTPError as error:
        away = Unreachable(client.address, str(error).lower())
        return _failed(number, away.as_dict()) if wanted else None
    except (OpsroomError, RemoteError) as error:
        return _failed(number, error.as_dict()) if wanted else None
    if not wanted:
        return None
    body = _read(response.content)
    refused = remote_error(body, response.status_code, None)
    if isinstance(refused, RemoteError):
        return _failed(number, refused.as_dict())
    if body is not None and body.get("jsonrpc"):
        return body
    return _failed(
        number, NotOpsroom(client.address, "it has no door for coding agents").as_dict()
    )


def _failed(number: Any, said: dict[str, Any], *, code: int = INTERNAL) -> dict[str, Any]:
    words = ". ".join(filter(None, (said["message"], said.get("hint"))))
    error = {"code": code, "message": words, "data": said}
    return {"jsonrpc": "2.0", "id": number, "error": error}


def _lines(lines: IO[bytes]) -> Iterator[bytes]:
    while line := lines.readline(LONGEST + 1):
        if line.strip():
            yield line
        while len(line) > LONGEST and not line.endswith(b"\n"):
            line = lines.readline(LONGEST + 1)  # what is too long is one bad message, not many


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _write(out: IO[bytes], answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer, separators=(",", ":")).encode() + b"\n")
    out.flush()


def _header(value: str) -> str:
    """A value as a header can carry it."""
    if _PLAIN.fullmatch(value) and not value.startswith("=?base64?"):
        return value
    wrapped = base64.b64encode(value.encode(errors="replace")).decode()
    return f"=?base64?{wrapped}?="
