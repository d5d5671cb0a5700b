"""The alert rules that hold in every project, unless it has one of the same name."""

from collections.abc import Mapping

from .model import DAY, HOUR, AlertRuleSpec, Scope, Urgency

RULES: Mapping[str, AlertRuleSpec] = {
    "errors-high": AlertRuleSpec(
        description="more than 1.5 % of turns fail",
        when="now.failed.low > 0.015",
        urgency=Urgency.CRITICAL,
    ),
    "failing-unusually": AlertRuleSpec(
        description="turns fail more often than is usual at this hour",
        when="usual.failed.worse && usual.failed.chance < 0.0001",
        urgency=Urgency.CRITICAL,
    ),
    "escalating-unusually": AlertRuleSpec(
        description="turns go to a person more often than is usual at this hour",
        when="usual.escalated.worse && usual.escalated.chance < 0.0001",
    ),
    "automation-dropped": AlertRuleSpec(
        description="5 points fewer turns end without a person than the day before",
        when="now.automated.rate <= before.automated.rate - 0.05"
        " && now.automated.high < before.automated.low",
        window=DAY,
        quiet_after=6 * HOUR,
    ),
    "overridden-unusually": AlertRuleSpec(
        description="people decide otherwise more often than is usual at this hour",
        when="usual.overridden.worse && usual.overridden.chance < 0.0001",
    ),
    "malformed-unusually": AlertRuleSpec(
        description="what the agent asks for breaks its contracts more often than is usual",
        when="usual.malformed.worse && usual.malformed.chance < 0.0001",
    ),
    "confidence-moved": AlertRuleSpec(
        description="the agent is more or less sure of itself than is usual",
        when="usual.confidence.chance < 0.0001",
    ),
    "model-errors": AlertRuleSpec(
        description="calls of models fail more often than is usual",
        when="usual.model_errors.worse && usual.model_errors.chance < 0.0001",
    ),
    "cost-up": AlertRuleSpec(
        description="it costs 20 % more than in the week before",
        when="before.cost.usd >= 10.0 && now.cost.usd >= 1.2 * before.cost.usd",
        window=7 * DAY,
        quiet_after=DAY,
    ),
    "cost-of-a-task": AlertRuleSpec(
        description="a task costs more than is usual at this hour",
        when="usual.cost.worse && usual.cost.chance < 0.0001",
    ),
    "silent": AlertRuleSpec(
        description="no turn has ended where many are usual",
        when="now.turns == 0 && usual.turns.low >= 5.0",
        urgency=Urgency.CRITICAL,
    ),
    "security": AlertRuleSpec(
        description="an attack went as far as the gate, something leaked, or a tool is in quarantine",
        when="events > 0",
        events=(
            "release.security_event",
            "gateway.tool_quarantined",
            "security.attack_stopped",
            "security.canary_seen",
            "security.secret_in_output",
        ),
        urgency=Urgency.CRITICAL,
        scope=Scope.PROJECT,
        window=DAY,
    ),
    "glass-broken": AlertRuleSpec(
        description="somebody took a role in an emergency",
        when="events > 0",
        events=("access.glass_broken",),
        urgency=Urgency.CRITICAL,
        scope=Scope.PROJECT,
    ),
    "suspicious": AlertRuleSpec(
        description="an agent read orders, asked for a tool it does not have, or said something odd",
        when="events > 0",
        events=("security.order_seen", "security.odd_output", "security.unknown_tool"),
        scope=Scope.PROJECT,
    ),
    "budget": AlertRuleSpec(
        description="a budget refused or was overshot",
        when="events > 0",
        events=("budget.refused", "budget.overshot"),
        scope=Scope.PROJECT,
    ),
    "budget-burning": AlertRuleSpec(
        description="a budget is used up beyond its soft limit",
        when="events > 0",
        events=("budget.soft_passed",),
        urgency=Urgency.INFO,
        scope=Scope.PROJECT,
    ),
    "integration": AlertRuleSpec(
        description="a system that agents reach does not keep its word",
        when="events > 0",
        events=("integration.failed", "integration.changed"),
        scope=Scope.PROJECT,
        window=DAY,
    ),
    "untold": AlertRuleSpec(
        description="somebody should have been told of something, and was not",
        when="events > 0",
        events=("channel.abandoned",),
        scope=Scope.PROJECT,
        window=DAY,
    ),
    "drift": AlertRuleSpec(
        description="what an agent is asked or does is not what it was",
        when="events > 0",
        events=("drift.found",),
        scope=Scope.PROJECT,
        window=DAY,
    ),
    "outcome-unknown": AlertRuleSpec(
        description="nobody knows what came of an action",
        when="events > 0",
        events=("action.unknown",),
        scope=Scope.PROJECT,
        window=DAY,
    ),
}
