"""Routes: under which name programs ask, which models answer, and who takes over. No I/O.

A route has one or several models that share its calls by weight, and fallbacks that take over
in their order. What a call may take, when a failing model is left alone for a while and
whether answers may be kept is all part of the version.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from opsroom.kit.wire import Wire

ROUTE = "route/"  # what a reference to one begins with
MOST_TARGETS = 20
LONGEST_WAIT = 600.0
LONGEST_SILENCE = 900.0
LONGEST_KEPT = 86_400.0


class Api(StrEnum):
    """What a provider speaks."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GOOGLE = "google"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker(Wire):
    """When to stop asking a failing model: `failures` within `window`, then rest `cool_down`
    (both in seconds).
    """

    failures: int = 5
    window: float = 60.0
    cool_down: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Wire):
    """A model at a provider. `endpoint` is its base address (`https://api.openai.com/v1`);
    empty stands for the endpoint of the installation (`OPSROOM_MODEL_URL`) and its key.

    `secret` cites the credential (`secret:NAME`, or `OPSROOM_SECRET_…`); it goes to the origin of
    the endpoint and nowhere else, in `header` after `prefix`. `query` goes with every request.
    Of the models of a route, each gets its share of the calls by `weight`. A provider that does
    not know `stream_options` gets none when `counts_streams` is false, and what a stream took is
    then known only where it says so by itself.
    """

    model: str
    endpoint: str = ""
    api: Api = Api.OPENAI
    secret: str = ""
    header: str = "Authorization"
    prefix: str = "Bearer "
    query: dict[str, str] = field(default_factory=dict[str, str])
    weight: int = 1
    counts_streams: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec(Wire):
    """Which models answer under one name.

    A model that has sent nothing after `first_byte` seconds is given up for the next one, and an
    answer that has begun breaks once nothing more came for `silence` seconds. After a refused connection, a 429 or a 5xx the same model is asked again up to `repeats` times.
    With `cache` (seconds), whole answers are kept in memory for callers who ask the very same;
    that is the consent of whoever writes the route.
    """

    targets: tuple[Target, ...]
    fallbacks: tuple[Target, ...] = ()
    description: str = ""
    breaker: Breaker = field(default_factory=Breaker)
    first_byte: float = 60.0
    silence: float = 180.0
    repeats: int = 1
    cache: float = 0.0

    @property
    def everybody(self) -> tuple[Target, ...]:
        return (*self.targets, *self.fallbacks)


def in_order(spec: RouteSpec, key: str) -> Iterator[Target]:
    """Whom to ask, in order. Among the models of the route the same key begins with the same
    one, each as often as its weight says; the others stand in for it before the fallbacks do.
    """
    total = sum(one.weight for one in spec.targets)
    drawn = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    left = int.from_bytes(drawn[:8]) * total // 2**64
    first = 0
    for first, one in enumerate(spec.targets):  # noqa: B007  # the place is what is looked for
        left -= one.weight
        if left < 0:
            break
    yield spec.targets[first]
    for place, one in enumerate(spec.targets):
        if place != first and one.weight:
            yield one
    yield from spec.fallbacks
