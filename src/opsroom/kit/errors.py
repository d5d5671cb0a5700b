"""The errors we raise on purpose.

Each one says three things: a stable `code` for programs, a sentence for people (`text`) and
a `hint` about what to do next. HTTP, CLI and pages render them in one place each, so no
slice ever formats an error. Anything that is not an `OpsroomError` is a bug, and is loud.

    OpsroomError
    ├── Invalid          422   exit 2   the request or the input itself is wrong
    ├── TooLarge         413   exit 2   it is more than we are willing to read
    ├── Unauthenticated  401   exit 4   we do not know who you are
    ├── Forbidden        403   exit 4   you may not do this
    ├── NotFound         404   exit 2   it is not there, or you may not know that it is
    ├── Gone             410   exit 4   it was here, and will not come back; ask somebody else
    ├── Conflict         409   exit 7   the state does not allow it (now)
    ├── Failed           422   exit 3   a proof was asked for and did not come out
    └── Unavailable      503   exit 6   an engine we depend on does not answer; safe to retry

A concrete error is a dataclass: its fields are its facts. They survive a queue, a workflow
engine and the wire.

    @dataclass(eq=False)
    class ReleaseMoved(Conflict):
        code = "release_moved"
        text = "release {0.release_id!r} was changed by someone else"
        hint = "read the release again and repeat the command"
        release_id: str
"""

from dataclasses import fields, is_dataclass
from typing import Any, ClassVar


class OpsroomError(Exception):
    """Base of every deliberate error."""

    code: ClassVar[str]
    status: ClassVar[int]
    exit_code: ClassVar[int]
    text: ClassVar[str]
    hint: ClassVar[str] = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What the error is about, as plain data."""
        if not is_dataclass(self):
            return {}
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        return self.text.format(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self.facts.values())

    def as_dict(self) -> dict[str, Any]:
        """The one shape in which an error leaves the process."""
        return {
            "code": self.code,
            "message": str(self),
            "hint": self.hint.format(self),
            "facts": self.facts,
        }


class Invalid(OpsroomError):
    status = 422
    exit_code = 2


class TooLarge(OpsroomError):
    status = 413
    exit_code = 2


class Unauthenticated(OpsroomError):
    status = 401
    exit_code = 4


class Forbidden(OpsroomError):
    status = 403
    exit_code = 4


class NotFound(OpsroomError):
    status = 404
    exit_code = 2


class Gone(OpsroomError):
    status = 410
    exit_code = 4


class Conflict(OpsroomError):
    status = 409
    exit_code = 7


class Failed(OpsroomError):
    status = 422
    exit_code = 3


class Unavailable(OpsroomError):
    status = 503
    exit_code = 6
