"""Every metric there is: its name, what it says, and by what its samples are told apart.

Names end with their unit, and numbers of a stretch of time say which. `agent`, `model`, `tool`
are names as agents and exporters give them.
"""

from typing import Final

from opsroom.alerts.figures import RATES

from .exposition import Kind, Metric

AGENT = ("agent",)

INFO: Final = Metric("opsroom_build_info", "Which version of opsroom answers.", ("version",))
TELEMETRY: Final = Metric(
    "opsroom_telemetry_up",
    "1 where telemetry was asked and answered, 0 where it is not in use here or did not answer.",
)
LEFT_OUT: Final = Metric(
    "opsroom_agents_left_out", "Agents beyond the thousand busiest, of which nothing is told."
)

TURNS: Final = Metric(
    "opsroom_turns_ended_last_hour",
    "Turns that ended in the last hour, by how they ended.",
    ("agent", "version", "environment", "state"),
)
ACTIONS: Final = Metric(
    "opsroom_actions_last_hour",
    "Actions that were proposed in the last hour, by what was done about them and where they stand.",
    ("agent", "environment", "enforcement", "state"),
)
RATIOS: Final = {
    name: (
        Metric(
            f"opsroom_{name}_ratio",
            f"Share of {rate.of} of the last hour that {rate.words}.",
            AGENT,
        ),
        Metric(
            f"opsroom_{name}_low_ratio",
            f"Lower end of the 99.9 % interval of the share of {rate.of} that {rate.words}.",
            AGENT,
        ),
        Metric(
            f"opsroom_{name}_high_ratio",
            f"Upper end of the 99.9 % interval of the share of {rate.of} that {rate.words}.",
            AGENT,
        ),
    )
    for name, rate in RATES.items()
}
CONFIDENCE: Final = Metric(
    "opsroom_confidence_mean_ratio",
    "How sure an agent was of its actions of the last hour.",
    AGENT,
)
CONFIDENCE_LOW: Final = Metric(
    "opsroom_confidence_low_ratio", "Lower end of the 99.9 % interval of that mean.", AGENT
)
CONFIDENCE_HIGH: Final = Metric(
    "opsroom_confidence_high_ratio", "Upper end of the 99.9 % interval of that mean.", AGENT
)

ANSWERS: Final = Metric(
    "opsroom_feedback_answers_last_day",
    "What users said of an agent's work in the last 24 hours, by question and answer.",
    ("agent", "question", "answer"),
)
EVALUATIONS: Final = Metric(
    "opsroom_evaluations_last_day",
    "Verdicts of evaluators that telemetry of the last 24 hours tells, by their names and "
    "labels, asked every five minutes.",
    ("agent", "evaluation", "label"),
)
SCORES: Final = Metric(
    "opsroom_evaluation_scores_last_day",
    "Those of them that gave a number.",
    ("agent", "evaluation"),
)
SCORE_MEAN: Final = Metric(
    "opsroom_evaluation_score_mean", "Mean of those numbers.", ("agent", "evaluation")
)
SCORE_DEVIATION: Final = Metric(
    "opsroom_evaluation_score_stddev",
    "Standard deviation of those numbers, where there are two.",
    ("agent", "evaluation"),
)

COST_HOUR: Final = Metric(
    "opsroom_cost_last_hour_usd", "What traces that began in the last hour cost.", AGENT
)
COST_DAY: Final = Metric(
    "opsroom_cost_last_day_usd",
    "What traces that began in the last 24 hours cost, asked every five minutes.",
    AGENT,
)
CALLS: Final = Metric(
    "opsroom_model_calls_last_hour", "Calls of models in the last hour.", AGENT
)
UNPRICED: Final = Metric(
    "opsroom_unpriced_calls_last_hour",
    "Calls of models in the last hour whose price nobody knows; cost leaves them out.",
    AGENT,
)
MODEL_SPANS: Final = Metric(
    "opsroom_model_spans_last_hour", "Spans of the last hour that name a model.", ("model",)
)
MODEL_ERRORS: Final = Metric(
    "opsroom_model_span_errors_last_hour", "Those of them that failed.", ("model",)
)
MODEL_COST: Final = Metric(
    "opsroom_model_cost_last_hour_usd", "What spans of the last hour cost.", ("model",)
)
MODEL_TOKENS: Final = Metric(
    "opsroom_model_tokens_last_hour",
    "Tokens of spans of the last hour: input or output.",
    ("model", "kind"),
)
MODEL_SECONDS: Final = Metric(
    "opsroom_model_duration_seconds",
    "Quantiles of how long spans of the last hour took.",
    ("model", "quantile"),
)
TOOL_SPANS: Final = Metric(
    "opsroom_tool_spans_last_hour", "Spans of the last hour that name a tool.", ("tool",)
)
TOOL_ERRORS: Final = Metric(
    "opsroom_tool_span_errors_last_hour", "Those of them that failed.", ("tool",)
)
TOOL_SECONDS: Final = Metric(
    "opsroom_tool_duration_seconds",
    "Quantiles of how long spans of the last hour took.",
    ("tool", "quantile"),
)
SPANS: Final = Metric(
    "opsroom_spans_total",
    "Spans that were sent to this process since it began: stored or rejected.",
    ("state",),
    Kind.COUNTER,
)

WAITING: Final = Metric(
    "opsroom_inbox_pending", "Requests that wait for people.", ("agent", "risk")
)
OLDEST: Final = Metric(
    "opsroom_inbox_oldest_seconds", "For how long the oldest of them has waited."
)
OVERDUE: Final = Metric("opsroom_inbox_overdue", "Those of them that are past their time.")
ALERTS: Final = Metric(
    "opsroom_alerts", "Alerts that are not resolved.", ("agent", "urgency", "state")
)
DRIFTS: Final = Metric("opsroom_drifts_open", "Drifts that nobody has accepted yet.")
SECURITY: Final = Metric(
    "opsroom_security_events_last_day",
    "Security events of the last 24 hours.",
    ("kind",),
)
RELEASES: Final = Metric("opsroom_releases", "Releases, by where they stand.", ("state",))
INTEGRATIONS: Final = Metric(
    "opsroom_integrations", "Integrations, by how they stand: 1 for its state.",
    ("integration", "state"),
)  # fmt: skip
BUDGET_USED: Final = Metric(
    "opsroom_budget_used_ratio",
    "How much of its hard limit is spent or set aside in the present window.",
    ("budget", "scope", "key", "unit"),
)
BUDGET_LIMIT: Final = Metric(
    "opsroom_budget_hard_limit",
    "The hard limit, in the unit that the label names.",
    ("budget", "scope", "key", "unit"),
)
DELIVERIES: Final = Metric(
    "opsroom_deliveries",
    "Notices that did not arrive: pending, or abandoned in the last 24 hours.",
    ("channel", "state"),
)
JOURNAL: Final = Metric(
    "opsroom_journal_entries_total",
    "Entries of the journal of this installation: the number of its head.",
    kind=Kind.COUNTER,
)

METRICS: Final = (
    INFO, TELEMETRY, LEFT_OUT, TURNS, ACTIONS, *(one for three in RATIOS.values() for one in three),
    CONFIDENCE, CONFIDENCE_LOW, CONFIDENCE_HIGH, ANSWERS, EVALUATIONS,
    SCORES, SCORE_MEAN, SCORE_DEVIATION, COST_HOUR, COST_DAY, CALLS, UNPRICED,
    MODEL_SPANS, MODEL_ERRORS, MODEL_COST, MODEL_TOKENS, MODEL_SECONDS, TOOL_SPANS, TOOL_ERRORS,
    TOOL_SECONDS, SPANS, WAITING, OLDEST, OVERDUE, ALERTS, DRIFTS, SECURITY, RELEASES, INTEGRATIONS,
    BUDGET_USED, BUDGET_LIMIT, DELIVERIES, JOURNAL,
)  # fmt: skip
