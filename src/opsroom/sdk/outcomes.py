"""What came of asking to act: one type for each, so that a type checker asks about them all.

    match await t.act(post_invoice, invoice):
        case opsroom.Done(value): …
        case opsroom.Denied(reason): …
        case opsroom.Pending() as waiting: …

`id` is the action's: it finds the whole story in the opsroom, where one was recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from .approvals import Answer, Approval

T = TypeVar("T")


class NotDone(Exception):
    """Raised by an action's function to state that nothing happened.

    Without it, a function that fails half-way leaves the question open, and the outcome is
    `Unknown`.
    """


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """It happened, and this came back."""

    value: T
    id: str = ""


@dataclass(frozen=True, slots=True)
class Denied:
    """It may not be done, and nothing was. `by` names the gate that stopped it.

    `unreachable` stands there when no opsroom answered: then nobody said no, but nobody said
    yes either.
    """

    reason: str
    reasons: tuple[str, ...] = ()
    by: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """It waits for a person. Nothing is lost when the process ends meanwhile: `id` is enough
    to wait on, and to go on with `resume`.
    """

    id: str
    url: str = ""
    request: str = ""
    _approval: "Callable[[], Approval] | None" = field(default=None, repr=False, compare=False)

    async def wait(
        self,
        timeout: "str | float | timedelta | None" = None,  # noqa: ASYNC109  # hours, and of people
    ) -> "Answer":
        """What people say to it; after `timeout` (`"2h"`) whatever is known until then."""
        return await self._waiting().wait(timeout)

    def wait_sync(self, timeout: "str | float | timedelta | None" = None) -> "Answer":
        return self._waiting().wait_sync(timeout)

    def _waiting(self) -> "Approval":
        if self._approval is not None:
            return self._approval()
        from . import approval

        return approval(self.request or self.id)


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened, and nobody can tell yet. It is listed in the opsroom for a lookup
    or a person to settle, and is not tried again meanwhile.
    """

    id: str
    because: str = ""
    cause: BaseException | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """It was tried, and nothing came of it."""

    error: str
    id: str = ""
    cause: BaseException | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Recommended:
    """The agent runs in shadow: this is on record as what it would have done."""

    id: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now; ask again from then on."""

    until: datetime | None
    because: str = ""
    id: str = ""


Outcome: TypeAlias = Done[T] | Denied | Pending | Unknown | Failed | Recommended | Deferred
