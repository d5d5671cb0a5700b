"""Running a command, and ending the way that scripts can tell apart.

0 done            1 a bug of ours     2 wrong usage or input   3 a proof did not come out
4 not allowed     5 still pending     6 nothing answers        7 the state does not allow it
130 interrupted
"""

import json
import os
import sys
from typing import Any

import click

from opsroom.kit.errors import OpsroomError
from opsroom.sdk.errors import RemoteError

from .root import root


def main(args: list[str] | None = None) -> None:
    """Run `opsroom` with these arguments (or the process's own) and exit."""
    sys.exit(run(sys.argv[1:] if args is None else args))


def run(args: list[str]) -> int:
    """Run a command and return its exit code."""
    as_json = "--json" in args
    try:
        code = root.main(args, prog_name="opsroom", standalone_mode=False)
        sys.stdout.flush()
    except (OpsroomError, RemoteError) as error:
        _tell(error.as_dict(), as_json=as_json)
        return error.exit_code
    except click.UsageError as error:
        if as_json:
            _tell(_usage(error), as_json=True)
        else:
            error.show()
        return 2
    except click.ClickException as error:
        _tell({"code": "usage", "message": error.format_message()}, as_json=as_json)
        return 2
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # Whoever read our output has had enough. Keep Python from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _tell(error: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"error": error}, ensure_ascii=False), err=True)
        return
    click.echo(f"error: {error['message']}", err=True)
    if hint := error.get("hint"):
        click.echo(f" hint: {hint}", err=True)
    click.echo(f" docs: docs/reference/errors.md#{error['code']}", err=True)


def _usage(error: click.UsageError) -> dict[str, Any]:
    hint = f"see `{error.ctx.command_path} --help`" if error.ctx else ""
    return {"code": "usage", "message": error.format_message(), "hint": hint, "facts": {}}
