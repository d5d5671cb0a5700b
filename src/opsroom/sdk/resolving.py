"""Which version serves a subject: asked of the server each time, and known when it is away.

A release splits subjects between two versions and may change the split at any moment, so an
answer is not kept for later; what is kept is the version that served without a release. When
the server does not answer, everybody gets that one: the safe answer is the one that was proven.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from opsroom.kit.errors import OpsroomError

from .breaker import Breaker
from .errors import RemoteError, Unreachable
from .snapshots import Snapshots

if TYPE_CHECKING:
    from .client import Opsroom

HURRY = 0.25
ASK_TIMEOUT = 5.0
CHAMPION = "champion"
Key = tuple[str, str, str]
ANSWERS = frozenset({404, 410})  # what a server says is so, however well it worked before
GONE = "agent_gone"


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which version serves a subject, and why.

    `version` cites it, as `agent/refund-desk@7`; `number` and `digest` name the same one.
    `release` and `leg` go back with the outcome. `shadow` is a version that should answer too,
    unseen. `reason` is `fresh`, or `stale` where the server does not answer.
    """

    version: str
    number: int
    digest: str
    arm: str
    release: str | None = None
    leg: int | None = None
    shadow: str | None = None
    reason: Literal["fresh", "stale"] = "fresh"


class Resolver:
    """Asks for one client, and remembers for each name what served last."""

    def __init__(self, client: "Opsroom", snapshots: Snapshots) -> None:
        self._client = client
        self._snapshots = snapshots
        self._breaker = Breaker()
        self._proven: dict[Key, Resolution] = {}

    def resolve(self, kind: str, name: str, subject: str, environment: str) -> Resolution:
        """The version that serves `subject` now.

        Raises `RemoteError` for a name that nobody released and for an agent that is being ended
        or has gone, and `Unreachable` only where this machine was never told anything about it.
        """
        key = (kind, name, environment)
        proven = self._proven.get(key) or self._kept(key)
        try:
            return self._ask(key, subject, proven)
        except (OpsroomError, RemoteError) as error:
            if isinstance(error, RemoteError) and error.code == GONE:
                self._forget(key)
            if proven is None or (isinstance(error, RemoteError) and error.status in ANSWERS):
                raise
            return replace(proven, reason="stale")

    def _ask(self, key: Key, subject: str, proven: Resolution | None) -> Resolution:
        if proven is not None and self._breaker.open:
            raise Unreachable(self._client.address, "it did not answer lately")
        kind, name, environment = key
        wanted = {"kind": kind, "name": name, "subject": subject, "environment": environment}
        timeout = HURRY if proven else ASK_TIMEOUT
        try:
            body = self._client.ask("/v1/resolve", wanted, etag="", timeout=timeout).body
        except Unreachable:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        found = _resolution(body)
        if found.arm == CHAMPION:
            self._keep(key, found)
        return found

    def _keep(self, key: Key, found: Resolution) -> None:
        alone = replace(found, release=None, leg=None, shadow=None)
        if self._proven.get(key) != alone:
            self._proven[key] = alone
            facts = {"version": alone.version, "number": alone.number, "digest": alone.digest}
            self._snapshots.write(*self._place(key), value=facts)

    def _forget(self, key: Key) -> None:
        self._proven.pop(key, None)
        self._snapshots.forget(*self._place(key))

    def _kept(self, key: Key) -> Resolution | None:
        facts = self._snapshots.read(*self._place(key))
        return None if facts is None else Resolution(arm=CHAMPION, **facts)

    def _place(self, key: Key) -> tuple[str, ...]:
        return ("resolve", self._client.address, self._client.scope, *key)


def _resolution(body: Any) -> Resolution:
    return Resolution(
        version=body["version"],
        number=body["number"],
        digest=body["digest"],
        arm=body["arm"],
        release=body["release_id"],
        leg=body["leg"],
        shadow=body["shadow"],
    )
