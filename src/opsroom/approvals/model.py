"""What an approval is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsroom.kit.wire import Wire


class Answer(StrEnum):
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(Wire):
    """One person's answer to one exact thing. `digest` names what was shown to them."""

    id: str
    subject: str
    digest: str
    approver: str
    roles: tuple[str, ...]
    answer: Answer
    reason: str
    at: datetime
    consumed_at: datetime | None = None
