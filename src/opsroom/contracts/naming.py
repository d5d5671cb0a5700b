"""What the contract of a tool is stored as. No I/O."""

import re

_OTHER = re.compile(r"[^a-z0-9._-]+")


def stored_as(tool: str) -> str:
    """The name of the artifact that holds the contract of `tool`, unless it was given another."""
    return _OTHER.sub("-", tool.lower()).strip("-._")[:100]
