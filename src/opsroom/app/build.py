"""The HTTP application: routes, pages, errors, limits and the browser's guard, put together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

import opsroom
from opsroom.access import (
    governing_pages,
    governing_routes,
    oidc_pages,
    organisations,
    organisations_pages,
    organisations_routes,
)
from opsroom.access import pages as access_pages
from opsroom.access import routes as access_routes
from opsroom.access.commands import DEFAULT_PROJECT
from opsroom.access.http import COOKIE, NOBODY, Caller, database
from opsroom.access.provider import Provider
from opsroom.access.table import ROUTES
from opsroom.access.throttle import Throttle
from opsroom.access.uses import Uses
from opsroom.actions import pages as action_pages
from opsroom.actions import routes as action_routes
from opsroom.agents import routes as agent_routes
from opsroom.alerts import pages as alert_pages
from opsroom.alerts import routes as alert_routes
from opsroom.annotation import pages as annotation_pages
from opsroom.annotation import routes as annotation_routes
from opsroom.assurance import pages as assurance_pages
from opsroom.assurance import routes as assurance_routes
from opsroom.autonomy import pages as autonomy_pages
from opsroom.autonomy import routes as autonomy_routes
from opsroom.budgets import pages as budget_pages
from opsroom.budgets import routes as budget_routes
from opsroom.cadence import pages as cadence_pages
from opsroom.cadence import routes as cadence_routes
from opsroom.channels import pages as channel_pages
from opsroom.channels import routes as channel_routes
from opsroom.coding import routes as coding_routes
from opsroom.contracts import routes as contract_routes
from opsroom.corrections import pages as correction_pages
from opsroom.corrections import routes as correction_routes
from opsroom.datasets import routes as dataset_routes
from opsroom.drift import pages as drift_pages
from opsroom.drift import routes as drift_routes
from opsroom.evals import judge_pages
from opsroom.evals import pages as eval_pages
from opsroom.evals import routes as eval_routes
from opsroom.feedback import pages as feedback_pages
from opsroom.feedback import routes as feedback_routes
from opsroom.gateway import pages as gateway_pages
from opsroom.gateway import routes as gateway_routes
from opsroom.gateway import turns as gateway_turns
from opsroom.gateway.completions import routes as completion_routes
from opsroom.gateway.watching import Watch
from opsroom.importing import routes as import_routes
from opsroom.improvement import pages as improvement_pages
from opsroom.improvement import routes as improvement_routes
from opsroom.inbox import link_pages as inbox_link_pages
from opsroom.inbox import pages as inbox_pages
from opsroom.inbox import routes as inbox_routes
from opsroom.inbox import watch_pages as inbox_watch_pages
from opsroom.integrations import pages as integration_pages
from opsroom.integrations import routes as integration_routes
from opsroom.journal import events
from opsroom.journal import pages as journal_pages
from opsroom.journal import routes as journal_routes
from opsroom.journal.checkpoints import Notary
from opsroom.maturity import pages as maturity_pages
from opsroom.maturity import routes as maturity_routes
from opsroom.maturity.recent import Recent
from opsroom.memory import routes as memory_routes
from opsroom.metrics import routes as metric_routes
from opsroom.metrics.collecting import Metrics
from opsroom.overview import pages as overview_pages
from opsroom.overview import queries as overview
from opsroom.overview import routes as overview_routes
from opsroom.prompts import langfuse_routes as langfuse_prompts
from opsroom.prompts import routes as prompt_routes
from opsroom.redactions import Tally
from opsroom.redactions import routes as redaction_routes
from opsroom.redteam import pages as redteam_pages
from opsroom.redteam import routes as redteam_routes
from opsroom.registry import (
    environment_pages,
    environment_routes,
    proposal_pages,
    proposal_routes,
)
from opsroom.registry import pages as registry_pages
from opsroom.registry import routes as registry_routes
from opsroom.releases import pages as release_pages
from opsroom.releases import routes as release_routes
from opsroom.reports import pages as report_pages
from opsroom.reports import routes as report_routes
from opsroom.retention import pages as retention_pages
from opsroom.retention import routes as retention_routes
from opsroom.retraining import pages as retraining_pages
from opsroom.retraining import routes as retraining_routes
from opsroom.scoring import pages as scoring_pages
from opsroom.scoring import routes as scoring_routes
from opsroom.security import pages as security_pages
from opsroom.security import routes as security_routes
from opsroom.selection import pages as selection_pages
from opsroom.selection import routes as selection_routes
from opsroom.sunset import pages as sunset_pages
from opsroom.sunset import routes as sunset_routes
from opsroom.thresholds import pages as threshold_pages
from opsroom.thresholds import routes as threshold_routes
from opsroom.traces import case_pages as trace_case_pages
from opsroom.traces import case_routes as trace_case_routes
from opsroom.traces import group_pages as trace_group_pages
from opsroom.traces import group_routes as trace_group_routes
from opsroom.traces import pages as trace_pages
from opsroom.traces import reading as trace_reading
from opsroom.traces import routes as trace_routes
from opsroom.traces import view_pages as trace_view_pages
from opsroom.traces import view_routes as trace_view_routes
from opsroom.traces.keepers import Keepers
from opsroom.vault import pages as vault_pages
from opsroom.vault import routes as vault_routes
from opsroom.web import security
from opsroom.web.assets import Assets
from opsroom.web.render import Chrome, Pages, Viewer
from opsroom.workspace import routes as workspace_routes

from . import acting, errors, health, probing
from .background import Background
from .backups import routes as backup_routes
from .bodies import LimitBodies, Limits
from .drawings import BESIDE_REQUESTS, DRAWINGS, offered_at_trace, turn_strip
from .mcp import LazyDoor, LazyUpstreams, coding_desk, gateway_door
from .models import ConfiguredModels, model_door
from .places import NAV, NOTICES
from .runtime import Runtime
from .settings import Settings
from .signposts import Signposted
from .telemetry import traces

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    access_routes.router,
    access_pages.router,
    governing_routes.router,
    governing_pages.router,
    oidc_pages.router,
    oidc_pages.way_out,
    organisations_routes.router,
    organisations_pages.router,
    overview_pages.router,
    overview_routes.router,
    metric_routes.router,
    journal_routes.router,
    events.router,
    journal_pages.router,
    assurance_routes.router,
    assurance_pages.router,
    retention_routes.router,
    retention_pages.router,
    registry_routes.router,
    environment_routes.router,
    environment_pages.router,
    action_pages.router,  # /policies/what-if, before any policy of that name
    integration_pages.router,  # the list of integrations, in the place of the registry's
    registry_pages.router(DRAWINGS.kinds.values()),
    proposal_routes.router,
    proposal_routes.settings_router,
    proposal_pages.router,
    prompt_routes.router,
    langfuse_prompts.router,
    agent_routes.router,
    contract_routes.router,
    action_routes.router,
    memory_routes.router,
    gateway_routes.router,
    completion_routes.router,
    gateway_pages.router,
    coding_routes.router,
    coding_routes.files,
    dataset_routes.router,
    eval_routes.router,
    eval_pages.router,
    judge_pages.router,
    release_routes.router,
    release_pages.router,
    budget_routes.router,
    budget_pages.router,
    autonomy_routes.router,
    autonomy_pages.router,
    import_routes.router,
    workspace_routes.router,
    inbox_routes.router,
    inbox_pages.router,
    inbox_watch_pages.router,
    inbox_link_pages.router,
    integration_routes.router,
    redteam_routes.router,
    redteam_pages.router,
    security_routes.router,
    security_pages.router,
    redaction_routes.router,
    backup_routes.router,
    vault_routes.router,
    vault_pages.router,
    channel_routes.router,
    channel_pages.router,
    alert_routes.router,
    alert_pages.router,
    cadence_routes.router,
    cadence_routes.files,
    cadence_pages.router,
    maturity_routes.router,
    maturity_pages.router,
    report_routes.router,
    report_routes.schedules,
    report_routes.copies,
    report_pages.router,
    correction_routes.router,
    correction_pages.router,
    scoring_routes.router,
    scoring_pages.router,
    drift_routes.router,
    drift_pages.router,
    selection_routes.router,
    selection_pages.router,
    improvement_routes.router,
    improvement_pages.router,
    retraining_routes.router,
    retraining_pages.router,
    sunset_routes.router,
    sunset_pages.router,
    threshold_routes.router,
    threshold_pages.router,
    annotation_routes.router,
    annotation_pages.router,
    feedback_routes.router,
    feedback_routes.files,
    feedback_pages.router,
    trace_routes.router,
    trace_routes.langfuse,
    trace_group_routes.router,
    trace_view_routes.router,
    trace_view_pages.router,
    trace_case_routes.router,
    trace_case_pages.router,
    trace_reading.router,  # below the names that are no traces
    trace_group_pages.router,  # before any trace of that name
    trace_pages.router,
)
TEMPLATES = (
    "opsroom.access",
    "opsroom.journal",
    "opsroom.assurance",
    "opsroom.retention",
    "opsroom.registry",
    "opsroom.prompts",
    "opsroom.agents",
    "opsroom.contracts",
    "opsroom.policies",
    "opsroom.integrations",
    "opsroom.vault",
    "opsroom.redactions",
    "opsroom.channels",
    "opsroom.security",
    "opsroom.redteam",
    "opsroom.traces",
    "opsroom.memory",
    "opsroom.gateway",
    "opsroom.datasets",
    "opsroom.evals",
    "opsroom.releases",
    "opsroom.actions",
    "opsroom.inbox",
    "opsroom.budgets",
    "opsroom.autonomy",
    "opsroom.corrections",
    "opsroom.drift",
    "opsroom.improvement",
    "opsroom.retraining",
    "opsroom.sunset",
    "opsroom.selection",
    "opsroom.thresholds",
    "opsroom.scoring",
    "opsroom.annotation",
    "opsroom.feedback",
    "opsroom.alerts",
    "opsroom.cadence",
    "opsroom.maturity",
    "opsroom.overview",
    "opsroom.reports",
)
STATIC = ("opsroom.web", "opsroom.access")
GIVEN = "/v1/feedback/given"  # where pages of other sites may post, holding a link


def build(runtime: Runtime, *, background: bool = True) -> FastAPI:
    """The application over an open installation.

    With `background`, its lifespan also hands the journal's news over and runs durable work;
    without, it only answers. Raises `LookupError` where a route has no entry in the table of
    permissions.
    """
    app = FastAPI(
        title="opsroom",
        version=opsroom.__version__,
        summary="The operations room for AI agents",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        dependencies=[_REMEMBERED],
        lifespan=_lifespan(runtime, background=background),
    )
    assets = Assets(STATIC)
    app.state.runtime = runtime
    app.state.db = runtime.db
    app.state.kinds = runtime.kinds
    app.state.settings = runtime.settings
    app.state.models = ConfiguredModels(runtime.settings)
    app.state.throttle = Throttle()
    app.state.identity_provider = _identity_provider(runtime.settings)
    app.state.uses = Uses()
    app.state.serve = acting.serve
    app.state.executors = acting.executors(runtime.settings, runtime.vault)
    app.state.maturity = Recent()
    app.state.prober = probing.prober(runtime.settings, runtime.vault)
    app.state.mcp_door = LazyDoor(
        gateway_door(
            Watch(runtime.db, LazyUpstreams(app.state.executors)),
            gateway_turns.gate(
                runtime.db, serve=app.state.serve, executors=app.state.executors
            ),
        )
    )
    app.state.coding_desk = LazyDoor(coding_desk)
    app.state.traces = traces(runtime)
    app.state.keepers = Keepers()
    app.state.redactions = Tally()
    app.state.model_door = model_door(runtime, app.state)
    app.state.metrics = Metrics(runtime.db)
    app.state.closing = asyncio.Event()  # ends what would otherwise never end by itself
    app.state.drawings = DRAWINGS
    app.state.beside_requests = BESIDE_REQUESTS
    app.state.beside_traces = turn_strip
    app.state.offered_at_trace = offered_at_trace
    app.state.called = overview.called
    app.state.notary = Notary(runtime.settings.data)
    app.state.pages = pages = Pages(
        TEMPLATES,
        assets=assets,
        clock=runtime.settings.clock,
        chrome=Chrome(nav=NAV, notices=NOTICES),
        viewer=_viewer,
        badges=_badges,
    )
    app.router.routes += [assets.route(), *_included()]
    errors.install(app, pages)
    check_table(app)
    return app


def guarded(app: FastAPI, limits: Limits | None = None) -> ASGIApp:
    """`app` as it meets the network: bodies bounded, hosts known, other sites kept out."""
    limited = LimitBodies(app, limits or Limits())
    settings = app.state.settings
    return security.guard(
        limited,
        hosts=settings.hosts,
        session_cookie=COOKIE,
        opened=security.Opened(path=GIVEN, origins=frozenset(settings.feedback_origins)),
    )


@cache
def _included() -> Sequence[BaseRoute]:
    """The routes of all routers, shared by every application of this process.

    Working out what hundreds of them take takes a third of a second, and none of it depends
    on the installation, which a request finds in its application's state.
    """
    everything = APIRouter(dependencies=[_REMEMBERED])
    for router in ROUTERS:
        everything.include_router(Signposted(router))
    return everything.routes


def route_keys(app: FastAPI) -> set[str]:
    """Every route as the table of permissions names it."""
    routes = [*app.routes, *(route for router in ROUTERS for route in router.routes)]
    return {
        f"{method} {route.path}"
        for route in routes
        if isinstance(route, Route)
        for method in (route.methods or ())
        if method != "HEAD"
    }


def check_table(app: FastAPI) -> None:
    """Refuse to start with a route that nobody has decided about."""
    undecided = route_keys(app) - ROUTES.keys()
    if undecided:
        raise LookupError(f"no permission is set for {', '.join(sorted(undecided))}")


def _identity_provider(settings: Settings) -> Provider | None:
    """Where people log in, if that is set."""
    if settings.oidc is None:
        return None
    return Provider(settings.oidc, allow=settings.allowed_hosts)


def _remember(request: Request, actor: Caller) -> None:
    """Guards every route, and lets the page around it say who is looking."""
    request.state.actor = actor


_REMEMBERED = Depends(_remember, scope="function")


def _viewer(request: Request) -> Viewer | None:
    actor = getattr(request.state, "actor", NOBODY)
    if actor is NOBODY:
        return None
    role = ", ".join(actor.roles)
    if actor.project != DEFAULT_PROJECT:
        with database(request).read(actor) as tx:
            role = f"{role} in {organisations.name_of(tx, actor.project)}"
    return Viewer(name=actor.name, role=role, sign_out="/logout")


def _badges(request: Request) -> Mapping[str, int]:
    """What waits for whoever is looking, for the numbers beside the places."""
    actor = getattr(request.state, "actor", NOBODY)
    if "read" not in actor.may:
        return {}
    with database(request).read(actor) as tx:
        return overview.badges(tx)


def _lifespan(runtime: Runtime, *, background: bool) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        state = app.state
        work = (
            Background(
                runtime, state.models, state.traces, state.metrics, state.uses, state.redactions
            )
            if background
            else None
        )
        if work is not None:
            work.start()
        try:
            yield
        finally:
            await app.state.mcp_door.close()
            await app.state.coding_desk.close()
            await app.state.model_door.close()
            if work is not None:
                await asyncio.to_thread(work.stop)
            await asyncio.to_thread(app.state.traces.close)  # what looks at it has stopped

    return lifespan
