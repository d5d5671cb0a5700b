"""What only an ended agent used is put away with it, and comes back when it is needed again."""

from typing import Any

import pytest
from tests.sunset.world import AGENT, DAY, NEXT, hire, olga, proposed

from opsroom.agents import commands as agents
from opsroom.app.kinds import KINDS
from opsroom.integrations import commands as integrations
from opsroom.integrations import queries as integration_queries
from opsroom.integrations.model import Found, IntegrationSpec
from opsroom.integrations.workflow import Driver
from opsroom.journal import queries as journal
from opsroom.kit.db import Database
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft, listing
from opsroom.registry import commands as registry
from opsroom.registry import queries as artifacts
from opsroom.sunset import closing
from opsroom.sunset.model import Closing, Sunset

ORDERS, SHARED = {"tool": "find_order", "integration": "orders"}, "house-tone"
PRIVATE = ("prompt/desk-words", "contract/find-order", "integration/orders", "agent/desk")


class Visits:
    def __init__(self) -> None:
        self.times = 0

    def visit(self, _spec: IntegrationSpec, *, project: str) -> Found:
        self.times += 1
        return Found()


def store(db: Database, kind: str, name: str, spec: dict[str, Any]) -> None:
    with db.write(olga()) as tx:
        draft = ArtifactDraft(kind=kind, name=name, criticality=Criticality.ADVISORY)
        registry.create_artifact(tx, draft, kinds=KINDS)
        registry.create_version(tx, kind, name, VersionDraft(spec=spec), kinds=KINDS)


@pytest.fixture
def office(db: Database) -> Database:
    """Two agents that share a prompt; the first has a prompt, a contract and a system alone."""
    hire(db, AGENT, NEXT)
    for name in ("desk-words", SHARED):
        store(db, "prompt", name, {"format": "text", "text": "be kind"})
    store(db, "integration", "orders", {"endpoint": "https://orders.example"})
    store(db, "contract", "find-order", ORDERS)
    model = {"model": {"model": "test:model"}}
    for agent, more in (
        (
            AGENT,
            {
                "prompts": {"a": "desk-words@1", "b": f"{SHARED}@1"},
                "contracts": ["find-order@1"],
            },
        ),
        (NEXT, {"prompts": {"b": f"{SHARED}@1"}}),
    ):
        store(db, "agent", agent, {**model, **more})
    with db.write(olga()) as tx:
        integrations.watch(tx, "orders")
    return db


def ended(db: Database) -> Sunset:
    one = proposed(db)
    with db.write(olga()) as tx:
        agents.retire(tx, AGENT, reason="the harbour took over", sunset=one.id)
        closing.close(tx, one, Closing.INTEGRATIONS)
        words = closing.archive(tx, one, kinds=KINDS)
        assert closing.archive(tx, one, kinds=KINDS) == "it was archived already"
    assert words == "contract/find-order, prompt/desk-words, agent/desk archived"
    return one


def listed(db: Database, *, archived: bool) -> set[str]:
    with db.read(olga()) as tx:
        return {
            row.artifact.ref
            for kind in ("prompt", "contract", "integration", "agent")
            for row in listing.rows(tx, kind, limit=10, archived=archived)
        }


def test_what_only_it_used_is_archived_and_what_others_use_is_not(office: Database) -> None:
    ended(office)
    assert listed(office, archived=True) == set(PRIVATE)
    assert listed(office, archived=False) == {f"prompt/{SHARED}", f"agent/{NEXT}"}
    with office.read(olga()) as tx:
        told = {entry.subject for entry, _ in journal.entries(tx, event="artifact.archived")}
        assert artifacts.counts(tx) == {"prompt": 1, "agent": 1}
        assert artifacts.in_force(tx, "prompt", "desk-words").number == 1  # it can be read
    assert told == set(PRIVATE)


def test_what_is_needed_again_comes_back(office: Database) -> None:
    ended(office)
    store(office, "prompt", "desk-words", {"format": "text", "text": "be brief"})
    assert "prompt/desk-words" in listed(office, archived=False)
    with office.read(olga()) as tx:
        [(entry, _)] = journal.entries(tx, event="artifact.restored")
    assert entry.subject == "prompt/desk-words"


def test_a_system_that_nobody_uses_is_not_visited_any_more(office: Database) -> None:
    with office.read(olga()) as tx:
        orders = integration_queries.standing_of(tx, "orders").id
    prober = Visits()
    driver = Driver(office, prober)  # type: ignore[arg-type]
    driver.look(orders)
    assert prober.times == 1
    ended(office)
    office.clock.move(3 * DAY)  # type: ignore[attr-defined]
    driver.look(orders)
    assert prober.times == 1
    store(office, "integration", "orders", {"endpoint": "https://orders.example/v2"})
    driver.look(orders)
    assert prober.times == 2
