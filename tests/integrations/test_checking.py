"""Checks against a system that changes between them, on both engines."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.integrations.world import (
    DOCUMENT,
    NAME,
    OPS,
    ORDER,
    System,
    agent,
    check,
    prober,
    spec,
    store,
    system,
)

from opsroom.app.kinds import KINDS
from opsroom.integrations import checking, commands, queries, workflow
from opsroom.integrations import store as table
from opsroom.integrations.differ import Level, ToolFace
from opsroom.integrations.errors import BeingChecked, ChangedAgain, NothingToAccept
from opsroom.integrations.model import Fault, Outcome, State
from opsroom.integrations.queries import Detail
from opsroom.journal import outbox
from opsroom.journal import queries as journal
from opsroom.kit import outbound
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.registry import ArtifactDraft, VersionDraft
from opsroom.registry import commands as registry

if TYPE_CHECKING:
    from opsroom.kit.durable import Durable

SECRET = "OPSROOM_SECRET_ORDERS"  # the name of one


def detail(db: Database) -> Detail:
    with db.read(OPS) as tx:
        return queries.detail(tx, NAME)


def told(db: Database) -> list[tuple[str, dict[str, Any]]]:
    """What the journal says of the integration, oldest first."""
    with db.read(OPS) as tx:
        entries = [one for one, _ in journal.entries(tx, subject=f"integration/{NAME}")]
    found = [(one.event, one.facts) for one in entries if one.event.startswith("integration.")]
    return found[::-1]


def test_a_change_between_two_checks_is_named_and_stays_until_it_is_accepted(
    db: Database, here: System
) -> None:
    by = prober(here)
    store(db, spec(here))
    assert check(db, by).outcome is Outcome.PASSED
    assert detail(db).standing.state is State.HEALTHY

    here.document["components"]["schemas"]["Order"]["properties"].pop("total")
    here.document["components"]["schemas"]["Order"]["required"] = ["id"]
    run = check(db, by)
    assert (run.outcome, run.level) == (Outcome.CHANGED, Level.BREAKING)
    (change,) = run.changes
    assert change.operation == "GET /orders"
    assert change.words.startswith("response 200 /*/total: `total` is gone; readers")
    assert detail(db).standing.state is State.DRIFTED

    again = check(db, by)  # nothing new, and still not what was accepted
    assert (again.outcome, again.level, again.fresh) == (Outcome.PASSED, Level.BREAKING, False)
    assert detail(db).standing.state is State.DRIFTED

    document = detail(db).standing.document
    with db.write(OPS) as tx:
        commands.accept(tx, NAME, document, reason="we no longer read it")
    assert detail(db).standing.state is State.HEALTHY
    with db.write(OPS) as tx, pytest.raises(NothingToAccept):
        commands.accept(tx, NAME, document, reason="again")
    assert [event for event, _ in told(db)] == [
        "integration.watched",
        "integration.checked",
        "integration.health_changed",
        "integration.changed",
        "integration.health_changed",
        "integration.checked",
        "integration.accepted",
        "integration.health_changed",
    ]
    assert told(db)[3][1]["level"] == "breaking"
    assert "`total` is gone" in told(db)[3][1]["words"][0]


def test_what_was_not_looked_at_is_not_accepted(sqlite_db: Database, here: System) -> None:
    by = prober(here)
    store(sqlite_db, spec(here))
    check(sqlite_db, by)
    here.document["paths"] = {}
    seen = check(sqlite_db, by).document
    here.document["paths"] = {"/other": {}}
    check(sqlite_db, by)
    with sqlite_db.write(OPS) as tx, pytest.raises(ChangedAgain):
        commands.accept(tx, NAME, seen, reason="looks fine")


def test_a_system_that_goes_away_degrades_breaks_and_comes_back(
    db: Database, here: System, clock: ManualClock
) -> None:
    by = prober(here)
    store(db, spec(here, every=3600))
    check(db, by)
    here.status = 503
    run = check(db, by)
    assert (run.outcome, run.fault) == (Outcome.FAILED, Fault.STATUS)
    assert "status 503" in run.words
    standing = detail(db).standing
    assert standing.state is State.DEGRADED
    assert standing.next_at - clock.now() == commands.RETRY
    check(db, by)
    assert detail(db).standing.state is State.BROKEN
    here.status = 200
    check(db, by)
    standing = detail(db).standing
    assert (standing.state, standing.failures) == (State.HEALTHY, 0)
    assert standing.next_at - clock.now() == timedelta(hours=1)
    assert [
        facts["after"] for event, facts in told(db) if event.endswith("health_changed")
    ] == [
        "healthy",
        "degraded",
        "broken",
        "healthy",
    ]


def test_a_recorded_answer_tells_what_is_different_now(
    sqlite_db: Database, here: System
) -> None:
    test = {"name": "orders", "path": "/orders", "recorded": [ORDER]}
    store(sqlite_db, spec(here, source={"kind": "none"}, tests=[test]))
    assert check(sqlite_db, prober(here)).outcome is Outcome.PASSED
    here.orders = []
    assert (
        check(sqlite_db, prober(here)).outcome is Outcome.PASSED
    )  # nothing seen, nothing wrong
    here.orders = [{**ORDER, "total": "12.50 EUR"}]
    (failed,) = check(sqlite_db, prober(here)).failed_tests
    assert failed.fault is Fault.SHAPE
    assert failed.words.startswith("answer /*/total: string now, number before; readers")
    assert detail(sqlite_db).standing.state is State.DRIFTED
    here.orders = [{**ORDER, "id": None}]
    (odd,) = check(sqlite_db, prober(here)).tests
    assert odd.passed
    assert [one.level for one in odd.changes] == [Level.WARNING]


def test_tests_are_derived_from_the_document(sqlite_db: Database, here: System) -> None:
    store(sqlite_db, spec(here, derive=True))
    (test,) = check(sqlite_db, prober(here)).tests
    assert (test.name, test.passed) == ("document: GET /orders", True)
    here.orders = [{"id": "o-2", "note": None}]
    (failed,) = check(sqlite_db, prober(here)).failed_tests
    assert failed.words == 'answer /0: "total" is a required property'


def test_statuses_schemas_and_what_is_no_json(sqlite_db: Database, here: System) -> None:
    schema = {"type": "array", "maxItems": 1}
    tests = [
        {"name": "status", "path": "/orders", "status": [201]},
        {"name": "schema", "path": "orders", "schema": schema, "query": {"page": "2"}},
    ]
    store(sqlite_db, spec(here, source={"kind": "none"}, tests=tests))
    status, fits = check(sqlite_db, prober(here)).tests
    assert status.words == "GET /orders answered 200, and 201 was promised"
    assert (status.fault, fits.passed) == (Fault.STATUS, True)
    assert here.seen[-1][:2] == ("GET", "/orders?page=2")
    here.orders = [1, 2]
    assert check(sqlite_db, prober(here)).tests[1].fault is Fault.SHAPE
    here.raw = b"<html>"
    assert (
        check(sqlite_db, prober(here)).tests[1].words == "GET orders did not answer with JSON"
    )


def test_the_secret_goes_to_its_own_origin_and_nowhere_else(
    sqlite_db: Database, here: System
) -> None:

    with system() as other:
        wanted = spec(
            here,
            auth={"secret": SECRET},
            source={"kind": "openapi", "url": f"{other.url}/openapi.json"},
            tests=[{"name": "orders", "path": "/orders"}],
        )
        store(sqlite_db, wanted)
        by = prober(here, other, environment={SECRET: "s3cret"})
        assert check(sqlite_db, by).outcome is Outcome.PASSED
        (request,), (document,) = here.seen, other.seen
        assert request[2]["Authorization"] == "Bearer s3cret"
        assert "Authorization" not in document[2]
        here.redirect = f"{other.url}/orders"
        check(sqlite_db, by)
        assert all("Authorization" not in headers for _, _, headers in other.seen)
    with sqlite_db.read(OPS) as tx:
        assert "s3cret" not in str(queries.detail(tx, NAME))


def test_nothing_is_sent_without_the_secret_that_it_needs(
    sqlite_db: Database, here: System
) -> None:
    test = {"name": "orders", "path": "/orders"}
    store(sqlite_db, spec(here, auth={"secret": SECRET}, tests=[test]))
    run = check(sqlite_db, prober(here, environment={}))
    assert run.outcome is Outcome.FAILED
    assert SECRET in run.words
    assert SECRET in run.tests[0].words
    assert here.seen == []


def test_answers_are_bounded(sqlite_db: Database, here: System) -> None:
    test = {"name": "orders", "path": "/orders"}
    store(sqlite_db, spec(here, source={"kind": "none"}, tests=[test]))
    here.raw = b"x" * 5_000
    limits = outbound.Limits(size=1_000, seconds=5.0)
    (failed,) = check(sqlite_db, prober(here, answer=limits)).tests
    assert failed.fault is Fault.TOO_LARGE


def test_two_do_not_check_at_once_and_a_lost_claim_runs_out(
    db: Database, here: System, clock: ManualClock
) -> None:
    store(db, spec(here))
    with db.write(OPS) as tx:
        claimed = commands.claim(tx, NAME)
    assert claimed is not None
    with pytest.raises(BeingChecked):
        check(db, prober(here))
    assert checking.check(db, OPS, NAME, prober=prober(here), due_only=True) is None
    clock.move(commands.PATIENCE)
    assert check(db, prober(here)).outcome is Outcome.PASSED
    found = prober(here).visit(claimed.spec, project="default")
    with db.write(OPS) as tx, pytest.raises(ChangedAgain):
        commands.take_in(tx, claimed, found)  # whoever comes back late changes nothing


def test_the_loop_checks_when_it_is_due(
    sqlite_db: Database, here: System, clock: ManualClock
) -> None:
    standing = store(sqlite_db, spec(here, every=3600))
    driver = workflow.Driver(sqlite_db, prober(here))
    wait = driver.look(standing.id)
    assert wait is not None
    assert len(here.seen) == 1
    driver.look(standing.id)
    assert len(here.seen) == 1
    clock.move(timedelta(hours=1))
    driver.look(standing.id)
    assert len(here.seen) == 2
    assert driver.look("int_nobody") is None


def test_calls_of_agents_count_and_tell(db: Database, here: System, clock: ManualClock) -> None:
    store(db, spec(here))
    check(db, prober(here))
    for number in range(40):
        with db.write(OPS) as tx:
            commands.observe(tx, NAME, failure=number % 4 == 0, seconds=0.2, fault="status")
            commands.observe(tx, "nobody-knows-it", failure=True)
    found = detail(db)
    assert (found.health.calls, found.health.failures) == (41, 10)
    assert found.health.faults == {"status": 10}
    assert found.health.p99 is not None
    assert 0.2 <= found.health.p99 <= 0.24
    assert found.standing.state is State.DEGRADED
    clock.move(timedelta(hours=26))
    check(db, prober(here))
    found = detail(db)
    assert (found.health.calls, found.standing.state) == (1, State.HEALTHY)


def test_the_agents_that_it_hurts(db: Database, here: System) -> None:
    store(db, spec(here))
    agent(db, "clerk", "read-order", "list-orders")
    agent(db, "other", "send-mail", integration="mailbox")
    (one,) = detail(db).affected
    assert (one.agent, one.version, one.tools) == ("clerk", 1, ("list-orders", "read-order"))


def test_tools_of_an_mcp_server(sqlite_db: Database, here: System) -> None:
    tools = [ToolFace(name="pay", description="Pays.", input={"type": "object"})]
    by = prober(here, tools=lambda _url, _secret: tools)
    store(sqlite_db, spec(here, source={"kind": "mcp", "url": f"{here.url}/mcp"}))
    assert check(sqlite_db, by).outcome is Outcome.PASSED
    tools[:] = [ToolFace(name="pay", description="Pays at once.", input={"type": "object"})]
    run = check(sqlite_db, by)
    assert (run.outcome, run.level) == (Outcome.CHANGED, Level.WARNING)
    assert run.changes[0].id == "tool.description.changed"
    assert detail(sqlite_db).standing.state is State.HEALTHY
    tools[:] = []
    assert check(sqlite_db, by).level is Level.BREAKING


def test_another_source_is_a_new_beginning(sqlite_db: Database, here: System) -> None:
    store(sqlite_db, spec(here))
    check(sqlite_db, prober(here))
    here.document = {**DOCUMENT, "paths": {}}
    store(sqlite_db, spec(here, source={"kind": "openapi", "url": f"{here.url}/openapi/v2"}))
    run = check(sqlite_db, prober(here))
    assert (run.version, run.outcome, run.changes) == (2, Outcome.PASSED, ())


class Loops:
    """Stands in for the durable loops: remembers whom they were told about."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def signal(self, loop: str, key: str, *, about: str) -> None:
        assert (loop, bool(about)) == (workflow.LOOP, True)
        self.told.append(key)


def test_a_loop_is_woken_once_what_it_is_to_find_is_committed(
    sqlite_db: Database, here: System
) -> None:
    class Looking(Loops):
        def signal(self, loop: str, key: str, *, about: str) -> None:
            with sqlite_db.read(OPS) as tx:
                assert table.place_of(tx, key) is not None
            super().signal(loop, key, about=about)

    with sqlite_db.write(OPS) as tx:
        registry.create_artifact(tx, ArtifactDraft(kind="integration", name=NAME), kinds=KINDS)
        version = VersionDraft(spec=spec(here))
        registry.create_version(tx, "integration", NAME, version, kinds=KINDS)
    loops = Looking()
    outbox.pump(sqlite_db, workflow.reactions(cast("Durable", loops)))
    assert loops.told == [detail(sqlite_db).standing.id]


def test_news_of_an_integration_lets_it_be_looked_at(sqlite_db: Database, here: System) -> None:
    """A new version, and agents that met failure after failure; nothing else."""
    standing = store(sqlite_db, spec(here))
    check(sqlite_db, prober(here))
    with sqlite_db.write(OPS) as tx:
        tx.record(workflow.LEFT_ALONE, f"integration/{NAME}", failures=3)
        tx.record(workflow.LEFT_ALONE, "integration/not-one-of-ours", failures=3)
        tx.record("version.created", "prompt/greeting", number=1)
    loops = Loops()
    outbox.pump(sqlite_db, workflow.reactions(cast("Durable", loops)))
    assert loops.told == [standing.id] * 3  # stored, watched, left alone
    now = detail(sqlite_db).standing
    assert now.next_at == sqlite_db.clock.now()
