"""All detectors on one text."""

from collections.abc import Collection

from .canary import Canaries
from .injection import inspect
from .model import Finding
from .output import anomalies
from .secrets import secrets


def findings(
    text: str, *, canaries: Canaries | None = None, known_hosts: Collection[str] = ()
) -> tuple[Finding, ...]:
    """Everything that any detector says of `text`, the surest first. Never raises."""
    injection = inspect(text)
    found = [
        *([injection] if injection else []),
        *(canaries.find(text) if canaries else ()),
        *secrets(text),
        *anomalies(text, known_hosts=known_hosts),
    ]
    return tuple(sorted(found, key=lambda one: -one.score))
