"""What was taken out of what came in: how much, by which rule, and where. Never what it was."""

from .model import DOORS, Redacted
from .tally import Tally

__all__ = ["DOORS", "Redacted", "Tally"]
