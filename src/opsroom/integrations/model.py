"""Systems that agents reach: how they are checked, and how well they do. No I/O.

An integration is `healthy` while it answers as it promised, `degraded` when it does so less
often or more slowly, `broken` when it does not answer, and `drifted` when it promises
something else than what was accepted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, Literal

from pydantic import Discriminator

from opsroom.kit.wire import Wire

from .calls import Health
from .differ import Change, Level, worst
from .differ.changes import WORST

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
DAY = 86_400.0
SOONEST, LATEST = 60.0, 30 * DAY
MOST_CHANGES = 500
ENOUGH = 20
GOOD, POOR = 0.95, 0.5
TOLERATED = 2  # failed checks in a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth(Wire):
    """How callers prove who they are. `secret` cites the credential: `secret:NAME`, or a
    variable of the server's environment (`OPSROOM_SECRET_…`). It goes to the origin of the
    endpoint and nowhere else.
    """

    secret: str
    header: str = "Authorization"
    prefix: str = "Bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenApi(Wire):
    """The system describes itself in an OpenAPI document at `url`."""

    url: str
    kind: Literal["openapi"] = "openapi"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer(Wire):
    """The system is an MCP server at `url`, and lists its tools."""

    url: str
    kind: Literal["mcp"] = "mcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undescribed(Wire):
    """The system does not describe itself; only the contract tests say what it promises."""

    kind: Literal["none"] = "none"


Source = Annotated[OpenApi | McpServer | Undescribed, Discriminator("kind")]
Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTest(Wire):
    """A request, and what its answer looks like: its status, a JSON Schema for the body, or a
    body that was `recorded` once and whose shape has to stay. `path` follows the endpoint.
    """

    name: str
    path: str = ""
    method: Method = "GET"
    query: dict[str, str] = field(default_factory=dict[str, str])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    status: tuple[int, ...] = (200,)
    schema: dict[str, Any] | None = None
    recorded: Any = None
    unsafe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationSpec(Wire):
    """A system that agents reach, and how it is checked every so often (seconds).

    With `derive`, what the document says of every GET that needs no arguments is a contract
    test, too. `slow` is the 99th percentile, in seconds, above which it counts as degraded.
    """

    endpoint: str
    description: str = ""
    auth: Auth | None = None
    source: Source = field(default_factory=Undescribed)
    tests: tuple[ContractTest, ...] = ()
    derive: bool = False
    every: float = DAY
    slow: float | None = None


class State(StrEnum):
    UNCHECKED = "unchecked"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    BROKEN = "broken"
    DRIFTED = "drifted"


class Fault(StrEnum):
    """Why a request did not bring what was promised."""

    REFUSED = "refused"  # by us: an address that is not called
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    STATUS = "status"
    SHAPE = "shape"
    OTHER = "other"


class Outcome(StrEnum):
    PASSED = "passed"
    CHANGED = "changed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult(Wire):
    """What came of one contract test; `words` say why it failed."""

    __test__ = False  # not one of pytest's

    name: str
    request: str
    passed: bool
    status: int | None = None
    seconds: float | None = None
    fault: Fault | None = None
    words: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Wire):
    """What a visit brought home, before anybody has judged it. `document` is None where the
    system does not describe itself, or could not be asked (`fault` and `words` say why).
    """

    document: dict[str, Any] | None = None
    fault: Fault | None = None
    words: str = ""
    tests: tuple[TestResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Wire):
    """One check. `changes` are all between what was accepted and what is promised now, the
    worst first; `fresh` says whether the document differs from the one before this run.
    """

    id: str
    integration: str
    version: int
    at: datetime
    by: str
    outcome: Outcome
    level: Level | None
    changes: tuple[Change, ...] = ()
    omitted: int = 0
    fresh: bool = False
    tests: tuple[TestResult, ...] = ()
    document: str = ""
    fault: Fault | None = None
    words: str = ""

    @property
    def failed_tests(self) -> tuple[TestResult, ...]:
        return tuple(one for one in self.tests if not one.passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Wire):
    """How an integration stands. `baseline` is the digest of what was accepted, `document`
    of what it says now; `failures` counts failed checks in a row.
    """

    id: str
    name: str
    state: State = State.UNCHECKED
    because: str = "it has not been checked yet"
    since: datetime
    baseline: str = ""
    document: str = ""
    source: str = ""
    level: Level | None = None
    failures: int = 0
    last_run: str = ""
    next_at: datetime
    busy_until: datetime | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    state: State
    because: str


def decide(
    standing: Standing, last: Run | None, seen: Health, *, slow: float | None = None
) -> Verdict:
    """How an integration stands, given its last check and how calls went lately.

    What does not answer is broken before it is drifted: nobody can say what it promises.
    """
    if last is None and seen.calls < ENOUGH:
        return Verdict(state=State.UNCHECKED, because="it has not been checked yet")
    speaking = chain(
        _gone(standing, last, seen), _moved(standing, last), _worse(standing, last, seen, slow)
    )
    fine = Verdict(state=State.HEALTHY, because="it answers as it promised")
    return next(speaking, fine)


def _gone(standing: Standing, last: Run | None, seen: Health) -> Iterator[Verdict]:
    """What says that it is not there."""
    if standing.failures >= TOLERATED:
        because = f"the last {standing.failures} checks failed: {_why(last)}"
        yield Verdict(state=State.BROKEN, because=because)
    if _rate(seen) < POOR:
        yield Verdict(state=State.BROKEN, because=_share(seen))


def _moved(standing: Standing, last: Run | None) -> Iterator[Verdict]:
    """What says that it promises, or answers, something else."""
    if standing.level is Level.BREAKING:
        because = f"it no longer promises what was accepted: {_first(last)}"
        yield Verdict(state=State.DRIFTED, because=because)
    for one in last.failed_tests if last is not None else ():
        if one.fault is Fault.SHAPE:
            because = f"it does not answer as it promised: {one.words}"
            yield Verdict(state=State.DRIFTED, because=because)


def _worse(
    standing: Standing, last: Run | None, seen: Health, slow: float | None
) -> Iterator[Verdict]:
    """What says that it does less well than it should."""
    if standing.failures:
        yield Verdict(state=State.DEGRADED, because=f"the last check failed: {_why(last)}")
    for one in last.failed_tests if last is not None else ():
        yield Verdict(state=State.DEGRADED, because=f"{one.name} failed: {one.words}")
    if _rate(seen) < GOOD:
        yield Verdict(state=State.DEGRADED, because=_share(seen))
    if slow is not None and seen.p99 is not None and seen.calls >= ENOUGH and seen.p99 > slow:
        because = f"one in a hundred calls takes more than {slow:g} s (p99 {seen.p99:.3g} s)"
        yield Verdict(state=State.DEGRADED, because=because)


def _rate(seen: Health) -> float:
    """The share that succeeded; all of them while there are too few to say."""
    return 1.0 if seen.rate is None or seen.calls < ENOUGH else seen.rate


def judge(  # a run has this many sides
    found: Found,
    changes: tuple[Change, ...],
    *,
    run_id: str,
    integration: str,
    version: int,
    by: str,
    now: datetime,
    document: str,
    fresh: bool,
) -> Run:
    """What a check came to."""
    ordered = sorted(changes, key=lambda one: -WORST[one.level])
    failed = found.fault is not None or any(not one.passed for one in found.tests)
    moved = fresh and bool(changes)
    outcome = Outcome.FAILED if failed else Outcome.CHANGED if moved else Outcome.PASSED
    return Run(
        id=run_id,
        integration=integration,
        version=version,
        at=now,
        by=by,
        outcome=outcome,
        level=worst(changes),
        changes=tuple(ordered[:MOST_CHANGES]),
        omitted=max(0, len(ordered) - MOST_CHANGES),
        fresh=fresh,
        tests=found.tests,
        document=document,
        fault=found.fault,
        words=found.words,
    )


def unanswered(run: Run) -> bool:
    """Whether a check speaks against the system being there at all: what it says of itself
    could not be had, or no test was answered as it should.
    """
    answered = [one for one in run.tests if one.passed or one.fault is Fault.SHAPE]
    return run.fault is not None or (bool(run.tests) and not answered)


def _why(last: Run | None) -> str:
    if last is None:
        return "nothing is known of it"
    failed = last.failed_tests
    return last.words or (failed[0].words if failed else "no test passed")


def _first(last: Run | None) -> str:
    return last.changes[0].sentence if last is not None and last.changes else "see its changes"


def _share(seen: Health) -> str:
    good = seen.calls - seen.failures
    return f"{good:,} of {seen.calls:,} calls succeeded in the last 24 hours"
