"""The client that programs, agents and our own command line use; light to import.

`prompt()` and `resolve()` ask the opsroom that the environment names; make an `Opsroom` to
ask another one, or to do more.
"""

from functools import cache
from typing import Any

from .client import Opsroom
from .errors import NotOpsroom, RemoteError, Unreachable
from .prompts import Prompt
from .resolving import Resolution

__all__ = [
    "NotOpsroom",
    "Opsroom",
    "Prompt",
    "RemoteError",
    "Resolution",
    "Unreachable",
    "prompt",
    "resolve",
]


@cache
def default() -> Opsroom:
    """The client of this process, for programs that need no other."""
    return Opsroom()


def prompt(
    name: str,
    label: str = "production",
    version: int | None = None,
    fallback: str | dict[str, Any] | None = None,
) -> Prompt:
    """A prompt at a label, or one exact version; `fallback` if nothing else is to be had."""
    return default().prompt(name, label, version, fallback)


def resolve(
    agent: str, subject: str, *, kind: str = "agent", environment: str = "production"
) -> Resolution:
    """Which version of an agent serves a subject now."""
    return default().resolve(agent, subject, kind=kind, environment=environment)
