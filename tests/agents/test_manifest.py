"""A manifest is everything an agent acts on, and reading it is cheap the second time."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text

from opsroom.access import commands as access
from opsroom.agents import AgentRetired, AgentSpec, ModelRoute, model_changed, queries
from opsroom.agents.errors import BrokenManifest
from opsroom.agents.kind import KIND as AGENT
from opsroom.contracts.model import ContractSpec, Tier
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.wire import plain
from opsroom.policies.model import PolicySpec
from opsroom.registry import Kind, Kinds, Ref, commands
from opsroom.registry import queries as registry
from opsroom.registry.errors import VersionNotFound
from opsroom.registry.model import ArtifactDraft, Version, VersionDraft

SYSTEM = Actor("system", "default", human=False)
KINDS: Kinds = {
    "agent": AGENT,
    "contract": Kind(name="contract", shape=ContractSpec, text=str),
    "policy": Kind(name="policy", shape=PolicySpec, text=str),
}
PERMIT = PolicySpec(cedar='@id("all") permit (principal, action, resource);')
PAY = ContractSpec(tool="pay", risk=Tier.IRREVERSIBLE)
LOOK = ContractSpec(tool="look", risk=Tier.READ)
DESK: dict[str, Any] = {"model": {"model": "gpt-5-mini"}, "contracts": ["pay", "look"]}


def put(tx: Tx, kind: str, name: str, spec: Any) -> Version:
    commands.create_artifact(tx, ArtifactDraft(kind=kind, name=name), kinds=KINDS)
    return commands.create_version(tx, kind, name, VersionDraft(spec=spec), kinds=KINDS)


def serve(tx: Tx, name: str, number: int) -> None:
    of = registry.artifact(tx, "agent", name)
    commands.move_label(tx, of, "production", number, how="merge", reason="")


@pytest.fixture
def desk(db: Database) -> Version:
    with db.write(SYSTEM) as tx:
        put(tx, "contract", "pay", plain(PAY))
        put(tx, "contract", "look", plain(LOOK))
        put(tx, "policy", "house", plain(PERMIT))
        made = put(tx, "agent", "desk", DESK | {"policies": ["house"], "team": "freight"})
        serve(tx, "desk", 1)
    return made


def test_a_manifest_pins_what_it_cites(db: Database, desk: Version) -> None:
    assert desk.spec["contracts"] == ["pay@1", "look@1"]
    assert desk.spec["policies"] == ["house@1"]
    assert set(desk.spec["cites"]) == {"contract/pay@1", "contract/look@1", "policy/house@1"}
    with db.write(SYSTEM) as tx:
        put(tx, "contract", "pay", plain(replace(PAY, description="Pay anybody.")))
        found = queries.manifest(tx, "desk")
    assert found.digest == desk.digest
    assert found.contracts["pay"][1] == PAY
    assert found.policies == (("policy/house@1", PERMIT),)
    assert found.spec.team == "freight"


def test_the_second_look_costs_two_small_queries(db: Database, desk: Version) -> None:
    said: list[str] = []
    with db.read(SYSTEM) as tx:
        first = queries.manifest(tx, "desk")
        event.listen(tx.conn, "before_cursor_execute", lambda *call: said.append(call[2]))
        again = queries.manifest(tx, "desk")
    assert again is first
    assert len(said) == 2
    assert not any("spec" in statement for statement in said)


def test_a_label_that_moves_is_seen_at_once(db: Database, desk: Version) -> None:
    with db.write(SYSTEM) as tx:
        assert queries.manifest(tx, "desk").version.number == 1
        put(tx, "agent", "desk", DESK)
        serve(tx, "desk", 2)
        assert queries.manifest(tx, "desk").version.number == 2
        assert queries.manifest(tx, "desk", number=1).digest == desk.digest
        with pytest.raises(VersionNotFound):
            queries.manifest(tx, "desk", "staging")
        with pytest.raises(VersionNotFound):
            queries.manifest(tx, "desk", number=9)


def test_two_projects_never_share_a_manifest(db: Database, desk: Version) -> None:
    with db.write(SYSTEM) as tx:
        queries.manifest(tx, "desk")
    with db.write(Actor("system", "elsewhere", human=False)) as tx:
        for name, spec in (("pay", PAY), ("look", LOOK)):
            put(tx, "contract", name, plain(spec))
        put(tx, "agent", "desk", DESK)
        serve(tx, "desk", 1)
        assert queries.manifest(tx, "desk").policies == ()


def test_a_retired_agent_has_no_manifest_to_act_on(db: Database, desk: Version) -> None:
    with db.write(SYSTEM) as tx:
        access.close_identity(tx, "desk", reason="closed")
        for number in (None, 1):
            with pytest.raises(AgentRetired):
                queries.manifest(tx, "desk", number=number)
        assert queries.cited(tx, Ref.parse("agent/desk@1")).digest == desk.digest


def test_what_was_changed_behind_its_digest_is_not_acted_on(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        put(tx, "contract", "pay", plain(PAY))
        put(tx, "agent", "desk", {"model": {"model": "m"}, "contracts": ["pay"]})
        tx.conn.execute(
            text("UPDATE versions SET digest = :d WHERE spec LIKE '%irrev%'"), {"d": "0" * 64}
        )
        with pytest.raises(BrokenManifest):
            queries.manifest(tx, "desk", number=1)


def test_two_contracts_for_one_tool_are_an_error(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        put(tx, "contract", "pay", plain(PAY))
        put(tx, "contract", "pay-more", plain(replace(PAY, description="More.")))
        spec = AgentSpec(
            model=ModelRoute(model="m", fallbacks=("n",)), contracts=("pay", "pay-more")
        )
        found = {one.code: one for one in AGENT.lint(spec, None, registry.lookup(tx))}
    assert found["tool_twice"].severity == "error"
    assert "'pay'" in found["tool_twice"].message
    assert found["no_policy"].severity == "info"


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (ModelRoute(model="a"), ModelRoute(model="a"), False),
        (ModelRoute(model="a"), ModelRoute(model="b"), True),
        (ModelRoute(model="a"), ModelRoute(model="a", fallbacks=("b",)), True),
        (ModelRoute(model="a"), ModelRoute(model="a", parameters={"seed": 1}), False),
    ],
)
def test_another_model_is_a_change_of_model(
    before: ModelRoute, after: ModelRoute, changed: bool
) -> None:
    assert model_changed(AgentSpec(model=before), AgentSpec(model=after)) is changed
