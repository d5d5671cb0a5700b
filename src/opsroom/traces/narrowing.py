"""Which traces are asked for, as parameters of an address."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from .asked import LONGEST
from .model import Filter

Word = Annotated[str, Query(max_length=200)]
# Its length is the language's to judge, in its own words.
Where = Annotated[str, Query(max_length=10 * LONGEST)]


def _aware(moment: datetime | None) -> datetime | None:
    """A time without a zone is in UTC; comparing it with ours would fail."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def _narrowed(
    agent: Word = "",
    tool: Word = "",
    served_model: Word = "",
    session: Word = "",
    user: Word = "",
    release: Word = "",
    turn: Word = "",
    action: Word = "",
    environment: Word = "",
    prompt: Word = "",
    status: Word = "",
    error_type: Word = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Filter:
    return Filter(
        since=_aware(since),
        until=_aware(until),
        agent=agent,
        tool=tool,
        served_model=served_model,
        session=session,
        user=user,
        release=release,
        turn=turn,
        action=action,
        environment=environment,
        prompt=prompt,
        status=status,
        error_type=error_type,
    )


Narrowed = Annotated[Filter, Depends(_narrowed)]
