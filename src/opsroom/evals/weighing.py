"""What a proposal adds to every call: the tokens of the fixed text, and what they cost.

An estimate from the texts alone, before anything was measured. What calls really took is measured
by the gate, with intervals.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from opsroom.agents.model import AgentSpec
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import adapter
from opsroom.models.prices import price
from opsroom.prompts.kind import include_from
from opsroom.prompts.lint import fixed_tokens
from opsroom.prompts.model import PromptSpec
from opsroom.registry import Proposal, Ref, Version
from opsroom.registry import queries as registry
from opsroom.registry.drawing import Panel

CALLS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """The fixed text of one version: about how many tokens, and what a thousand calls pay for it
    at the list price of `model`, where both are known.
    """

    tokens: int
    model: str
    cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Both sides of a change. `more` is in tokens, `share` of what there was."""

    before: Weight | None
    after: Weight

    @property
    def more(self) -> int:
        return self.after.tokens - (self.before.tokens if self.before else 0)

    @property
    def share(self) -> float | None:
        return self.more / self.before.tokens if self.before and self.before.tokens else None

    @property
    def dearer(self) -> Decimal | None:
        if self.before is None or self.before.cost is None or self.after.cost is None:
            return None
        return self.after.cost - self.before.cost


def draw_weight(tx: Tx, proposal: Proposal) -> Panel | None:
    """The panel beside a proposal of a prompt or an agent."""
    found = weigh(tx, proposal)
    if found is None:
        return None
    facts = {"weighed": found, "proposal": proposal, "calls": CALLS}
    return Panel(template="evals/weight_panel.html", facts=facts)


def weigh(tx: Tx, proposal: Proposal) -> Weighed | None:
    """None for what is no prompt and no agent, or cannot be read."""
    try:
        after = _weight(tx, proposal, proposal.number)
        before = None if proposal.base is None else _weight(tx, proposal, proposal.base)
    except OpsroomError:
        return None  # the linter says what is wrong with it
    return None if after is None else Weighed(before=before, after=after)


def _weight(tx: Tx, proposal: Proposal, number: int) -> Weight | None:
    version = registry.version(tx, Ref(proposal.kind, proposal.name, str(number)))
    match proposal.kind:
        case "prompt":
            spec = adapter(PromptSpec).validate_python(version.spec)
            return _of(_tokens(tx, version), spec.model.name or "", at=tx.now)
        case "agent":
            agent = adapter(AgentSpec).validate_python(version.spec)
            cited = [
                registry.version(tx, Ref.parse(one, kind="prompt"))
                for one in agent.prompts.values()
            ]
            return _of(sum(_tokens(tx, one) for one in cited), agent.model.model, at=tx.now)
        case _:
            return None


def _tokens(tx: Tx, version: Version) -> int:
    spec = adapter(PromptSpec).validate_python(version.spec)
    return fixed_tokens(spec, include=include_from(registry.lookup(tx)))


def _of(tokens: int, model: str, *, at: datetime) -> Weight:
    found = price(model, input_tokens=tokens, output_tokens=0, at=at)
    cost = None if found.cost is None else found.cost * CALLS
    return Weight(tokens=tokens, model=model, cost=cost)
