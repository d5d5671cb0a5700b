"""Every kind of artifact that this build knows."""

from opsroom.agents.kind import KIND as AGENT
from opsroom.alerts.kind import KIND as ALERT_RULE
from opsroom.channels.kind import KIND as CHANNEL
from opsroom.contracts.kind import KIND as CONTRACT
from opsroom.datasets.kind import KIND as DATASET
from opsroom.evals.kind import KIND as EVALUATOR
from opsroom.integrations.kind import KIND as INTEGRATION
from opsroom.models.kind import KIND as ROUTE
from opsroom.policies.kind import KIND as POLICY
from opsroom.prompts.kind import KIND as PROMPT
from opsroom.registry import Kinds

KINDS: Kinds = {
    kind.name: kind
    for kind in (
        AGENT,
        ALERT_RULE,
        CHANNEL,
        CONTRACT,
        DATASET,
        EVALUATOR,
        INTEGRATION,
        POLICY,
        PROMPT,
        ROUTE,
    )
}
