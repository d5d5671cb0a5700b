"""The agent manifest.

Whatever changes how an agent behaves is in here or cited from here by exact version and
digest: prompts, contracts, policies, model route and fallbacks, memory and retrieval settings, budgets,
thresholds, entry point. So the digest of the manifest names the whole configuration, and
traces, approvals, releases and audit can all cite that one digest.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from pydantic import JsonValue

from opsroom.kit.wire import Wire
from opsroom.models.route import Breaker


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRoute(Wire):
    """Which model answers, and which ones take over in which order when it does not.

    `model` and each of the `fallbacks` is the name of a model at the installation's endpoint, or
    a route (`route/desk`), which is then cited by its exact version and brings its own breaker.
    """

    model: str
    parameters: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    fallbacks: tuple[str, ...] = ()
    breaker: Breaker = field(default_factory=Breaker)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec(Wire):
    """A manifest. `prompts` maps a role of the agent's own naming to a prompt version.

    `contracts` cites what the agent may touch, `policies` what it must obey; without policies
    the shipped ones hold. `team` is who answers for it, and whose budgets it spends.
    `cites` maps every cited version to its digest. The registry fills it in; what an author
    writes there is replaced.
    """

    model: ModelRoute
    description: str = ""
    entry_point: str = ""
    team: str = ""
    prompts: dict[str, str] = field(default_factory=dict[str, str])
    contracts: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    memory: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    retrieval: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    budgets: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    thresholds: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    settings: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    cites: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending(Wire):
    """How far an agent is on its way out: it serves `share` per cent of its calls.

    `sunset` is the process that ends it, announced at `since`; nobody is to call it from `ends`
    on, and the `successor` (if any) is to be called instead.
    """

    agent: str
    share: int
    successor: str
    sunset: str
    since: datetime
    ends: datetime

    def serves(self, key: str) -> bool:
        """Whether a call is among those still served. Who is served at a share was served at
        every larger one, so that a caller sees one change and no flicker.
        """
        drawn = hashlib.sha256(
            f"{self.sunset}\0{key}".encode("utf-8", "surrogatepass")
        ).digest()
        return int.from_bytes(drawn[:8]) < self.share * 2**64 // 100

    @property
    def headers(self) -> dict[str, str]:
        """What answers that are still given say of it (RFC 9745, RFC 8594, RFC 5829)."""
        said = {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": format_datetime(self.ends, usegmt=True),
        }
        if self.successor:
            said["Link"] = f'</agents/{self.successor}>; rel="successor-version"'
        return said


def model_changed(before: AgentSpec, after: AgentSpec) -> bool:
    """Whether another model may answer than did before; autonomy is not inherited across that.

    The stand-ins count, because any of them may be the one that acts. Parameters do not.
    """
    return _models(before) != _models(after)


def _models(spec: AgentSpec) -> tuple[str, ...]:
    return spec.model.model, *spec.model.fallbacks
