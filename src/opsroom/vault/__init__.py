"""Named secrets of a project: sealed, bound to where they may go, cited by name, never shown."""

from .errors import SecretElsewhere, SecretMissing
from .model import Opened, Secrets, from_environment, is_reference, within

__all__ = [
    "Opened",
    "SecretElsewhere",
    "SecretMissing",
    "Secrets",
    "from_environment",
    "is_reference",
    "within",
]
