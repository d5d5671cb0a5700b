"""Approvals: who said so, to exactly what.

An approval is bound to a digest of what was shown. Anything that changes afterwards has
another digest, and the approval no longer speaks for it.
"""

from .commands import consume, give
from .errors import ApproverIsRequester, NotAPerson
from .model import Answer, Approval
from .queries import standing

__all__ = [
    "Answer",
    "Approval",
    "ApproverIsRequester",
    "NotAPerson",
    "consume",
    "give",
    "standing",
]
