"""Every route against credentials that are no longer good, and against other projects (Z1, Z2).

`tests/app/test_routes.py` walks the table with no credential and with each role. Here the
same table meets what once was valid, and people who know the ids of somebody else's things.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from tests.acting import act
from tests.api import HOST, Api, Caller
from tests.pages import ANA, Site, day, site

from opsroom.access import commands, glass, queries, services, store
from opsroom.access.http import COOKIE
from opsroom.access.roles import set_role
from opsroom.access.table import PUBLIC, ROUTES
from opsroom.app.kinds import KINDS
from opsroom.cadence import planning
from opsroom.cadence import queries as cadence
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor
from opsroom.registry import ArtifactDraft, VersionDraft
from opsroom.registry import commands as registry
from opsroom.reports import commands as reports
from opsroom.reports import queries as made_reports
from opsroom.reports.model import Ask, Every, ScheduleDraft
from opsroom.retention import commands as retention
from opsroom.retention.model import Scope
from opsroom.sunset import commands as sunset
from opsroom.sunset.model import SunsetDraft

__all__ = ["day", "site"]

SYSTEM = Actor("system", "default", human=False)
GUARDED = sorted(route for route, needed in ROUTES.items() if needed != PUBLIC)
NOWHERE = "nowhere-9"
# The parameters that name something which belongs to a project.
ENDLESS = {"GET /v1/events", "GET /v1/journal/export"}
# Ending what is not there is no error, whoever asks: a conversation, a stop.
DONE_ALREADY = {"DELETE /mcp/{agent}", "POST /autonomy/{agent}/revive"}
NAMING = {
    "name",
    "agent",
    "turn_id",
    "action_id",
    "request_id",
    "override_id",
    "correction_id",
    "budget_id",
    "hold_id",
    "widening_id",
    "memory_id",
    "quarantine_id",
    "proposal_id",
    "comment_id",
    "release_id",
    "queue_id",
    "task_id",
    "run_id",
    "digest",
    "token_id",
    "session_id",
    "service",
    "role",
    "glass_id",
    "schedule_id",
    "copy_id",
    "sunset_id",
    "occasion_id",
    "organisation",
    "project",
}


def expired_token(api: Api, clock: ManualClock) -> Caller:
    with api.db.write(SYSTEM) as tx:
        soon = clock.now() + timedelta(minutes=1)
        _, secret = commands.issue_token(tx, "old", ("admin",), expires_at=soon)
    clock.move(timedelta(minutes=2))
    return Caller(api.client, "old", {"Authorization": f"Bearer {secret}"})


def revoked_token(api: Api, clock: ManualClock) -> Caller:
    with api.db.write(SYSTEM) as tx:
        token, secret = commands.issue_token(tx, "lost", ("admin",))
        commands.revoke_token(tx, token.id)
    return Caller(api.client, "lost", {"Authorization": f"Bearer {secret}"})


def retired_agents_token(api: Api, clock: ManualClock) -> Caller:
    """C13: the key of an agent that is no more."""
    zombie = api.program("agent", agent="customs")
    with api.db.write(SYSTEM) as tx:
        commands.close_identity(tx, "customs", reason="nobody calls it any more")
    return zombie


def ended_session(api: Api, clock: ManualClock) -> Caller:
    who = api.person("admin")
    with api.db.write(SYSTEM) as tx:
        commands.log_out(tx, who.headers["Cookie"].partition("=")[2])
    return who


def expired_session(api: Api, clock: ManualClock) -> Caller:
    who = api.person("admin")
    clock.move(commands.SESSION_FOR)
    return who


def link_as_session(api: Api, clock: ManualClock) -> Caller:
    """The secret of a one-time link is no session."""
    with api.db.write(SYSTEM) as tx:
        commands.create_user(tx, "ada", ("admin",))
        link = commands.issue_link(tx, "ada")
    return Caller(api.client, "ada", {"Cookie": f"{COOKIE}={link}", "Origin": HOST})


def token_as_session(api: Api, clock: ManualClock) -> Caller:
    secret = api.program("admin").headers["Authorization"].partition(" ")[2]
    return Caller(api.client, "mixed", {"Cookie": f"{COOKIE}={secret}", "Origin": HOST})


@pytest.mark.parametrize(
    "made",
    [
        expired_token,
        revoked_token,
        retired_agents_token,
        ended_session,
        expired_session,
        link_as_session,
        token_as_session,
    ],
)
def test_what_is_no_longer_good_opens_no_route(
    sqlite_api: Api, clock: ManualClock, made: Callable[[Api, ManualClock], Caller]
) -> None:
    who = made(sqlite_api, clock)
    for route in GUARDED:
        method, _, path = route.partition(" ")
        refusal = who.refused(method, fill(path, {}))
        assert (refusal.status, refusal.code) == (401, "wrong_credentials"), route


def test_somebody_without_a_role_sees_no_route(sqlite_api: Api, clock: ManualClock) -> None:
    for who in (sqlite_api.person(), sqlite_api.program()):
        for route in GUARDED:
            method, _, path = route.partition(" ")
            refusal = who.refused(method, fill(path, {}))
            assert (refusal.status, refusal.code) == (403, "may_not"), route


def fill(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(?::path)?\}", lambda found: ids.get(found[1], NOWHERE), path)


def ids_of(site: Site, made: dict[str, str]) -> Iterator[dict[str, str]]:
    """Real ids of the freight office, by the names that routes give them."""
    with site.api.db.read(SYSTEM) as tx:

        def one(column: str, table: str) -> str:
            where = (
                "WHERE project = 'default'"
                if table in {"artifacts", "eval_runs", "tokens"}
                else ""
            )
            found = tx.conn.execute(
                text(f"SELECT {column} FROM {table} {where} LIMIT 1")
            ).scalar()
            assert found is not None, f"the office has no {table}"
            return str(found)

        token, run = one("id", "tokens"), one("id", "eval_runs")
        comment, verdict = one("id", "proposal_comments"), one("digest", "gate_verdicts")
        proposal = one("proposal", "proposal_comments")
        mine = select(store.members.c.user).where(store.members.c.project == "default")
        user = tx.conn.execute(mine.order_by(store.members.c.user)).scalars().first()
        artifacts = tx.conn.execute(
            text(
                "SELECT kind, min(name) FROM artifacts WHERE project = 'default' GROUP BY kind"
            )
        ).all()
    assert user is not None
    fixed = {
        "run_id": run,
        "digest": verdict,
        "label": "production",
        "at": "1",
        "metric": "correct",
        "comment_id": comment,
        "organisation": "default",
        "project": "default",
        **made,
    }
    for kind, name in artifacts:
        for release_id in (site.ids.promoted, site.ids.canary, site.ids.review):
            named = {"kind": kind, "name": name, "token_id": token}
            yield fixed | named | {"proposal_id": proposal, "release_id": release_id}
    yield fixed | {"kind": "prompt", "name": str(user)}


def govern(api: Api) -> dict[str, str]:
    """A role of the project's own, a service, an emergency, a session and a hold, by their ids."""
    api.person("author", name="quentin")
    with api.db.write(Actor("quentin", "default", roles=("author",))) as tx:
        taken = glass.take_role(tx, "operator", reason="nobody else was awake")
        session = next(one.id for one in queries.logins(tx) if one.user == "quentin")
    with api.db.write(SYSTEM) as tx:
        set_role(tx, "night-desk", ("read",))
        services.open_service(
            tx, "billing", owner="quentin", purpose="reads what it cost", roles=("night-desk",)
        )
        held = retention.hold(tx, Scope.AGENT, "clerk", why="a lawsuit")
    return {
        "hold_id": held.id,
        "role": "night-desk",
        "service": "billing",
        "glass_id": taken.id,
        "session_id": session,
    }


def send_report(api: Api) -> dict[str, str]:
    """A schedule of a report, and a copy of what it sent, by their ids."""
    with api.db.write(Actor("olga", "default", roles=("operator",))) as tx:
        draft = ArtifactDraft(kind="channel", name="night-desk")
        of = registry.create_artifact(tx, draft, kinds=KINDS)
        to = {
            "kind": "webhook",
            "url": "https://desk.example/",
            "secret": "OPSROOM_SECRET_DESK",
        }
        spec = VersionDraft(spec={"to": to})
        registry.create_version(tx, "channel", of.name, spec, kinds=KINDS)
        registry.move_label(tx, of, "production", 1, how="merge", reason="")
        wanted = ScheduleDraft(report="prompts", every=Every.WEEK, channel=of.name)
        schedule = reports.set_schedule(tx, wanted)
        asked = Ask(since=tx.now - timedelta(days=7), until=tx.now)
        copy = reports.send(tx, schedule, made_reports.answer(tx, "prompts", asked))
    assert copy is not None
    return {"schedule_id": schedule.id, "copy_id": copy.id}


def look_after(api: Api) -> dict[str, str]:
    """The end of an agent that waits for approval, and an occasion that is due, by their ids."""
    with api.db.write(ANA) as tx:
        plan = SunsetDraft(agent="customs-classifier", because="two do the same")
        one = sunset.propose(tx, plan)
    planning.look_around(api.db, SYSTEM)
    with api.db.read(SYSTEM) as tx:
        return {"sunset_id": one.id, "occasion_id": cadence.due(tx, limit=1)[0].id}


BODIES: dict[str, Any] = {
    "POST /v1/sunsets/{sunset_id}/approve": {"binding": "0", "reason": "mine"},
    "POST /v1/sunsets/{sunset_id}/decommission": {"binding": "0", "reason": "mine"},
    "POST /v1/sunsets/{sunset_id}/reinstate": {"reason": "mine"},
    "POST /v1/cadence/{occasion_id}/start": {},
    "POST /v1/cadence/{occasion_id}/attach": {"record": "mine"},
    "POST /v1/cadence/{occasion_id}/close": {"answers": {}, "note": "mine"},
    "POST /v1/cadence/{occasion_id}/reschedule": {"to": "2026-11-30", "because": "mine"},
    "PUT /v1/organisations/{organisation}": {"name": "mine"},
    "PUT /v1/organisations/{organisation}/members/{name}": {"roles": ["viewer"]},
    "POST /v1/organisations/{organisation}/projects": {"name": "mine"},
    "PUT /v1/projects/{project}": {"name": "mine"},
    "POST /v1/projects/{project}/move": {"organisation": "default"},
    "PUT /v1/users/{name}/roles": {"roles": ["viewer"]},
    "PUT /v1/users/{name}/password": {"password": "correct horse battery"},
    "PUT /v1/services/{service}/roles": {"roles": ["viewer"]},
    "POST /v1/services/{service}/close": {"reason": "mine"},
    "POST /v1/artifacts/{kind}/{name}/versions": {
        "spec": {"format": "text", "text": "mine now"}
    },
    "PUT /v1/artifacts/{kind}/{name}/labels/{label}": {"number": 1},
    "POST /v1/artifacts/{kind}/{name}/labels/{label}/rollback": {"reason": "mine"},
    "POST /v1/proposals/{proposal_id}/reviews": {"answer": "approve", "binding": "0"},
    "POST /v1/proposals/{proposal_id}/checklist": {"binding": "0", "answers": []},
    "POST /v1/proposals/{proposal_id}/withdraw": {"reason": "mine"},
    "POST /v1/proposals/{proposal_id}/comments": {"text": "mine", "line": 1},
    "PUT /v1/proposals/{proposal_id}/version": {"number": 1},
    "POST /v1/prompts/{name}/render": {"variables": {}},
    "POST /v1/releases/{release_id}/reviews": {"answer": "approve", "binding": "0"},
    "POST /v1/releases/{release_id}/sample": {"key": "x", "good": True},
    "POST /v1/releases/{release_id}/security-events": {"key": "x", "what": "x"},
    "POST /v1/releases/{release_id}/shadow": {"pairs": []},
    "POST /v1/releases/{release_id}/outcomes": {"observations": []},
    "POST /v1/releases/{release_id}/pause": {"reason": "mine"},
    "POST /v1/releases/{release_id}/resume": {"reason": "mine"},
    "POST /v1/releases/{release_id}/abort": {"reason": "mine"},
    "POST /v1/releases/{release_id}/rollback": {"reason": "mine"},
    "POST /v1/agents/{name}/retire": {"reason": "mine"},
    "POST /v1/agents/{name}/reinstate": {"reason": "mine"},
    "POST /v1/retention/holds/{hold_id}/release": {"because": "mine"},
    "POST /v1/contracts/{name}/check": {"arguments": {}},
    "POST /v1/memory/{memory_id}/forget": {"reason": "mine"},
    "POST /v1/turns/{turn_id}/texts": {"pieces": [{"voice": "user", "text": "mine"}]},
    "POST /v1/turns/{turn_id}/plan": {"plan": "mine"},
    "POST /v1/turns/{turn_id}/final": {"final": "abandoned"},
    "POST /v1/turns/{turn_id}/actions": {"tool": "find_order", "arguments": {"order": "1"}},
    "POST /v1/actions/{action_id}/outcome": {"state": "succeeded"},
    "POST /v1/actions/{action_id}/reconcile": {"happened": True, "reason": "mine"},
    "POST /v1/inbox/{request_id}/open": {"evidence": True},
    "POST /v1/inbox/{request_id}/approve": {"binding": "0"},
    "POST /v1/inbox/{request_id}/edit": {"binding": "0", "arguments": {}, "reason": "mine"},
    "POST /v1/inbox/{request_id}/reject": {"binding": "0", "reason": "mine"},
    "POST /v1/inbox/{request_id}/respond": {"binding": "0", "text": "mine"},
    "POST /v1/inbox/{request_id}/hand-over": {"to": "vic"},
    "POST /v1/inbox/{request_id}/snooze": {"until": "2026-11-30T00:00:00Z"},
    "POST /v1/queues/{queue_id}/tasks": {"tasks": [{"subject": "mine"}]},
    "POST /v1/queues/{queue_id}/sample": {},
    "POST /v1/queues/{queue_id}/label": {"task": "mine", "label": "pass"},
    "POST /v1/queues/{queue_id}/skip": {"task": "mine", "reason": "mine"},
    "POST /v1/queues/{queue_id}/dataset": {"dataset": "mine"},
    "POST /v1/queues/{queue_id}/close": {"note": "mine"},
    "PUT /v1/scorings/{agent}": {},
    "PUT /v1/overrides/{override_id}/category": {"category": "mine"},
    "POST /v1/corrections/{correction_id}/retire": {"reason": "mine"},
    "POST /v1/corrections/{correction_id}/readmit": {"reason": "mine"},
    "POST /v1/corrections/{correction_id}/complete": {"input": "mine"},
    "POST /v1/budgets/{budget_id}/remove": {"reason": "mine"},
    "POST /v1/autonomy/{agent}/narrow": {
        "scope": "tier/write",
        "level": "shadow",
        "reason": "mine",
    },
    "PUT /v1/report-schedules/{schedule_id}": {
        "report": "prompts",
        "every": "month",
        "channel": "night-desk",
    },
    "POST /v1/widenings/{widening_id}/approve": {"binding": "0", "reason": "mine"},
    "POST /v1/widenings/{widening_id}/decline": {"reason": "mine"},
}
FORM = {
    "ids": "mine",
    "reason": "mine",
    "note": "mine",
    "task": "mine",
    "dataset": "mine",
    "label": "production",
    "ref": "1",
    "to": "1",
    "title": "mine",
    "binding": "0",
    "item": "mine",
    "holds": "yes",
    "because": "mine",
    "text": "mine",
    "category": "mine",
    "scope": "tier/write",
    "level": "shadow",
    "until": "2026-11-30T00:00",
}
QUERY = {"before": "1", "after": "2", "label": "production", "version": "1"}


def ask(who: Caller, route: str, ids: dict[str, str]) -> tuple[int, str]:
    """What comes back, with the ids that were asked for taken out."""
    method, _, path = route.partition(" ")
    rest: dict[str, Any] = {"params": QUERY} if method == "GET" else {}
    if method != "GET":
        rest |= {"json": BODIES.get(route)} if path.startswith("/v1/") else {"data": FORM}
    answer = who.send(method, fill(path, ids), follow_redirects=False, **rest)
    told = answer.text
    for mine in sorted({*ids.values(), NOWHERE}, key=len, reverse=True):
        told = told.replace(mine, "·")
    return answer.status_code, re.sub(
        r'nonce-[^"\']+|"csrf"[^,]*|\d{4}-\d\d-\d\dT[^"]*', "", told
    )


@pytest.mark.parametrize(
    "as_person", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["person", "program"]
)
def test_other_peoples_things_look_like_nothing(site: Site, as_person: bool) -> None:
    made = act(site.api.db).ids | govern(site.api) | send_report(site.api)
    made |= look_after(site.api)
    site.api.program("viewer")  # so that the office has a token to be asked for
    site.api.person("viewer", name="vic")
    site.api.project("elsewhere")
    make = site.api.person if as_person else site.api.program
    eve = make("admin", project="elsewhere")
    with site.api.db.read(SYSTEM) as tx:
        before = journal.entries(tx, limit=1)[0][0].seq
    looked = 0
    for route in GUARDED:
        if not any(f"{{{name}}}" in route for name in NAMING):
            continue
        asked = {
            tuple((name, value) for name, value in ids.items() if f"{{{name}}}" in route)
            for ids in ids_of(site, made)
        }
        for mine in map(dict, sorted(asked)):
            nothing = {n: v for n, v in mine.items() if n not in NAMING}
            there, not_there = ask(eve, route, mine), ask(eve, route, nothing)
            assert there == not_there, f"{route} {mine} tells that it is there"
            assert there[0] >= 400 or route in DONE_ALREADY, f"{route} {mine} answered {there}"
            looked += 1
    assert looked > 100
    with site.api.db.read(SYSTEM) as tx:
        assert journal.entries(tx, limit=1)[0][0].seq == before


def test_no_list_shows_anything_of_another_project(site: Site) -> None:
    acted = act(site.api.db)
    site.api.project("elsewhere")
    eve = site.api.person("admin", project="elsewhere")
    with site.api.db.read(SYSTEM) as tx:
        names = set(tx.conn.execute(text("SELECT name FROM artifacts")).scalars())
        texts = {entry.id for entry, _ in journal.entries(tx, limit=1000)}
    names.discard("house-tone")  # the audit page's example of what to type
    secrets = (
        names
        | texts
        | set(acted.ids.values())
        | {site.ids.promoted, site.ids.canary, site.ids.rolled_back}
    )
    for route in GUARDED:
        if not route.startswith("GET ") or "{" in route or route in ENDLESS:
            continue
        for headers in ({"Accept": "text/html"}, {"Accept": "application/json"}):
            told = eve.send("GET", route.partition(" ")[2], headers=headers).text
            shown = {secret for secret in secrets if secret in told}
            assert not shown, f"{route} shows {shown}"
