"""The agent manifest.

Whatever changes how an agent behaves is in here or cited from here by exact version and
digest: prompts, contracts, policies, model route and fallbacks, memory and retrieval settings, budgets,
thresholds, entry point. So the digest of the manifest names the whole configuration, and
traces, approvals, releases and audit can all cite that one digest.
"""

from dataclasses import dataclass, field

from pydantic import JsonValue

from opsroom.kit.wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker(Wire):
    """When to stop asking a failing model: `failures` within `window`, then rest `cool_down`
    (both in seconds).
    """

    failures: int = 5
    window: float = 60.0
    cool_down: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRoute(Wire):
    """Which model answers, and which ones take over in which order when it does not."""

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


def model_changed(before: AgentSpec, after: AgentSpec) -> bool:
    """Whether another model may answer than did before; autonomy is not inherited across that.

    The stand-ins count, because any of them may be the one that acts. Parameters do not.
    """
    return _models(before) != _models(after)


def _models(spec: AgentSpec) -> tuple[str, ...]:
    return spec.model.model, *spec.model.fallbacks
