"""Where one can go in the pages, and the sentences shown after something was done."""

from opsroom.access.governing_pages import NOTICES as GOVERNING
from opsroom.access.organisations_pages import NOTICES as ORGANISATIONS
from opsroom.access.pages import NOTICES as ACCESS
from opsroom.alerts.pages import NOTICES as ALERTS
from opsroom.annotation.pages import NOTICES as ANNOTATION
from opsroom.autonomy.pages import NOTICES as AUTONOMY
from opsroom.budgets.pages import NOTICES as BUDGETS
from opsroom.cadence.pages import NOTICES as CADENCE
from opsroom.channels.pages import NOTICES as CHANNELS
from opsroom.corrections.pages import NOTICES as CORRECTIONS
from opsroom.drift.pages import NOTICES as DRIFT
from opsroom.evals.judge_pages import NOTICES as JUDGES
from opsroom.evals.pages import NOTICES as EVALS
from opsroom.feedback.pages import NOTICES as FEEDBACK
from opsroom.improvement.pages import NOTICES as IMPROVEMENT
from opsroom.inbox.pages import NOTICES as INBOX
from opsroom.integrations.pages import NOTICES as INTEGRATIONS
from opsroom.registry.environment_pages import NOTICES as ENVIRONMENTS
from opsroom.registry.pages import NOTICES as REGISTRY
from opsroom.registry.proposal_pages import NOTICES as PROPOSALS
from opsroom.releases.pages import NOTICES as RELEASES
from opsroom.reports.pages import NOTICES as REPORTS
from opsroom.retention.pages import NOTICES as RETENTION
from opsroom.retraining.pages import NOTICES as RETRAINING
from opsroom.scoring.pages import NOTICES as SCORING
from opsroom.selection.pages import NOTICES as SELECTION
from opsroom.sunset.pages import NOTICES as SUNSET
from opsroom.thresholds.pages import NOTICES as THRESHOLDS
from opsroom.traces.case_pages import NOTICES as CASES
from opsroom.traces.view_pages import NOTICES as VIEWS
from opsroom.vault.pages import NOTICES as SECRETS
from opsroom.web.nav import NavGroup, NavItem
from opsroom.web.render import Notice

NAV = (
    NavGroup(
        title="Operate",
        items=(
            NavItem(key="overview", title="Overview", href="/", go="o"),
            NavItem(key="inbox", title="Inbox", href="/inbox", go="i"),
            NavItem(key="alerts", title="Alerts", href="/alerts", go="w"),
            NavItem(key="turns", title="Turns", href="/turns", go="t"),
            NavItem(key="traces", title="Traces", href="/traces", go="x"),
        ),
    ),
    NavGroup(
        title="Change",
        items=(
            NavItem(key="prompts", title="Prompts", href="/prompts", go="p"),
            NavItem(key="agents", title="Agents", href="/agents", go="a"),
            NavItem(key="datasets", title="Datasets", href="/datasets", go="d"),
            NavItem(key="evals", title="Evals", href="/evals", go="e"),
            NavItem(key="proposals", title="Proposals", href="/proposals", go="c"),
            NavItem(key="scorecards", title="Scorecards", href="/scorecards"),
            NavItem(key="releases", title="Releases", href="/releases", go="r"),
        ),
    ),
    NavGroup(
        title="Learn",
        items=(
            NavItem(key="feedback", title="Feedback", href="/feedback", go="g"),
            NavItem(key="queues", title="Queues", href="/queues", go="z"),
            NavItem(key="corrections", title="Corrections", href="/corrections", go="v"),
            NavItem(key="improvements", title="Improvements", href="/improvements", go="j"),
            NavItem(key="retraining", title="Retraining", href="/retraining"),
            NavItem(key="drift", title="Drift", href="/drift", go="f"),
        ),
    ),
    NavGroup(
        title="Control",
        items=(
            NavItem(key="contracts", title="Contracts", href="/contracts", go="k"),
            NavItem(key="integrations", title="Integrations", href="/integrations", go="n"),
            NavItem(key="routes", title="Routes", href="/routes"),
            NavItem(key="policies", title="Policies", href="/policies", go="l"),
            NavItem(key="autonomy", title="Autonomy", href="/autonomy", go="m"),
            NavItem(key="budgets", title="Budgets", href="/budgets", go="b"),
        ),
    ),
    NavGroup(
        title="Govern",
        items=(
            NavItem(key="sunsets", title="Sunsets", href="/sunsets"),
            NavItem(key="cadence", title="Cadence", href="/cadence"),
            NavItem(key="maturity", title="Maturity", href="/maturity"),
            NavItem(key="reports", title="Reports", href="/reports"),
            NavItem(key="security", title="Security", href="/security", go="s"),
            NavItem(key="quarantine", title="Quarantine", href="/quarantine", go="q"),
            NavItem(key="channels", title="Channels", href="/channels", go="y"),
            NavItem(key="redactions", title="Redactions", href="/redactions"),
            NavItem(key="secrets", title="Secrets", href="/secrets"),
            NavItem(key="evidence", title="Evidence", href="/evidence"),
            NavItem(key="audit", title="Audit", href="/audit", go="u"),
            NavItem(key="retention", title="Retention", href="/retention"),
            NavItem(key="people", title="People", href="/people", go="h"),
            NavItem(key="access", title="Access", href="/access"),
        ),
    ),
)
NOTICES: dict[str, Notice] = {
    **ALERTS,
    **ANNOTATION,
    **AUTONOMY,
    **BUDGETS,
    **CADENCE,
    **CHANNELS,
    **CORRECTIONS,
    **DRIFT,
    **IMPROVEMENT,
    **FEEDBACK,
    **INBOX,
    **INTEGRATIONS,
    **ACCESS,
    **GOVERNING,
    **ORGANISATIONS,
    **REGISTRY,
    **ENVIRONMENTS,
    **PROPOSALS,
    **EVALS,
    **JUDGES,
    **RELEASES,
    **REPORTS,
    **RETENTION,
    **RETRAINING,
    **SUNSET,
    **SELECTION,
    **SCORING,
    **THRESHOLDS,
    **CASES,
    **SECRETS,
    **VIEWS,
}
