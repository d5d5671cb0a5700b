"""What an agent may touch: a contract per action, typed, tiered and versioned. No I/O.

A contract says what goes in and comes out (JSON Schema 2020-12), how much harm a call can do,
what makes two calls the same call, and how to find out or undo what a call did.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Discriminator

from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire


class Tier(StrEnum):
    """How much harm a call can do, from least to most; the default policies lean on it."""

    READ = "read"
    WRITE = "write"
    IRREVERSIBLE = "irreversible"
    CREDENTIAL = "credential"
    EXTERNAL = "external"


class ArgumentKind(StrEnum):
    """What an argument of a sink names. `TEXT` and `OTHER` identify nothing."""

    RECIPIENT = "recipient"
    ACCOUNT = "account"
    URL = "url"
    SECRET = "secret"  # noqa: S105  # a kind of argument, not a secret
    IDENTIFIER = "identifier"
    AMOUNT = "amount"
    TIME = "time"
    TEXT = "text"
    OTHER = "other"


class Trust(StrEnum):
    """Whether what a call returns may be believed to name whom or what the user meant.

    `RECORD` is a record of the owner's own system whose fields nobody outside can write; in
    a `MIXED` record some fields can be; `UNTRUSTED` is text that anybody may have written.
    """

    RECORD = "record"
    MIXED = "mixed"
    UNTRUSTED = "untrusted"


class Origin(StrEnum):
    """Who says so. Imported annotations are `INFERRED` until a person confirms them."""

    DECLARED = "declared"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink(Wire):
    """An argument that decides whom or what a call reaches. `path` is a JSON pointer into the
    arguments, where `*` stands for every item of a list: `/recipients/*`.
    """

    path: str
    kind: ArgumentKind
    origin: Origin = Origin.DECLARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects(Wire):
    """What a call does to the world. `reversible` says until when it can be undone, in words;
    empty means not at all.
    """

    read_only: bool = False
    idempotent: bool = False
    reversible: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry(Wire):
    """How often an idempotent call is tried, and the seconds between: `first`, then times
    `factor` each, at most `longest`.
    """

    attempts: int = 1
    first: float = 0.5
    factor: float = 2.0
    longest: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcess(Wire):
    """The caller's own process carries the action out, and reports what came of it."""

    kind: Literal["in_process"] = "in_process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Http(Wire):
    """opsroom calls `url`. `{name}` in it is the argument of that name, percent-encoded; the
    rest of the arguments go as JSON, or into the query of GET and DELETE. `secret` cites what is
    sent as a bearer token: `secret:NAME`, or a variable of the server (`OPSROOM_SECRET_…`).
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str
    secret: str = ""
    key_header: str = "Idempotency-Key"
    kind: Literal["http"] = "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mcp(Wire):
    """opsroom calls `tool` of the MCP server at `url` (streamable HTTP)."""

    url: str
    tool: str
    secret: str = ""
    kind: Literal["mcp"] = "mcp"


Executor = Annotated[InProcess | Http | Mcp, Discriminator("kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractSpec(Wire):
    """One action that agents may propose.

    `tool` is the name by which agents call it. `key` lists the arguments (JSON pointers) that
    make two calls the same one; empty where only the caller can say. `lookup` cites the
    contract that answers whether a call with a given key took effect, `compensator` the one
    that undoes it. `cost` is what a call is expected to take of a budget, by unit (`usd`,
    `tokens`, `calls`, `seconds`); `spends` points at the argument that is an amount of `usd`.
    `returns` says how far what comes back may be trusted. Seconds everywhere.
    """

    tool: str
    description: str = ""
    input: dict[str, Any] = field(default_factory=lambda: {"type": "object"})
    output: dict[str, Any] | None = None
    risk: Tier = Tier.WRITE
    effects: Effects = field(default_factory=Effects)
    key: tuple[str, ...] = ()
    lookup: str | None = None
    compensator: str | None = None
    timeout: float = 30.0
    retry: Retry = field(default_factory=Retry)
    sinks: tuple[Sink, ...] = ()
    returns: Trust = Trust.UNTRUSTED
    cost: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    spends: str = ""
    integration: str = ""
    executor: Executor = field(default_factory=InProcess)
    cites: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def face(self) -> str:
        """The digest of what a model is shown: name, description and schemas. Another face is
        another contract, whoever changed it.
        """
        return digest(
            {
                "tool": self.tool,
                "description": self.description,
                "input": self.input,
                "output": self.output,
            }
        )
