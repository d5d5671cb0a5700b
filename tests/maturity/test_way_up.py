"""All the way up: each level is reached by doing what it asks for, and by nothing else."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.cadence.world import close, only, project, start
from tests.cadence.world import tick as come_up
from tests.corrections.world import accept, taught
from tests.retraining.test_commands import drifted
from tests.retraining.world import (
    ADA,
    AGENT,
    PLAN,
    desk,
    gated,
    given,
    look,
    searched,
    was_released,
)

from opsroom.actions.queries import Ended
from opsroom.app.kinds import KINDS
from opsroom.budgets import BudgetDraft, Scope, Unit
from opsroom.budgets import commands as budgets
from opsroom.cadence.model import Kind
from opsroom.drift.model import Aspect, Watch
from opsroom.evals import store as evals
from opsroom.kit.db import Database
from opsroom.maturity import agents, queries
from opsroom.maturity.facts import Facts, gather
from opsroom.maturity.model import Assessment
from opsroom.registry import ArtifactDraft, Criticality, Ref, VersionDraft
from opsroom.registry import commands as registry
from opsroom.registry import queries as artifacts
from opsroom.releases import store as releases
from opsroom.releases.model import State
from opsroom.retraining.model import Entry, Mode
from opsroom.simulator.apprentice import Apprentices

pytestmark = pytest.mark.slow


def prompt(db: Database) -> Assessment:
    with db.read(ADA) as tx:
        return queries.assessment(tx, f"prompt/{AGENT}")


def learned(db: Database) -> Entry:
    """The agent drifts; a search finds a better prompt, the gate passes it, it is merged."""
    was_released(db)
    given(db, Mode.RELEASE)
    drifted(db)
    models = Apprentices()
    one = gated(db, models, searched(db, models, look(db)))
    assert one.release, one.waits
    return one


def audited(db: Database) -> None:
    come_up(db)
    close(db, start(db, only(db, Kind.PROMPT_AUDIT)))


def corrected(db: Database) -> None:
    accept(db, taught(db, agent=AGENT, asked={"description": "half a ton of oranges"}))


def test_a_prompt_comes_to_the_top_by_what_is_done(sqlite_db: Database) -> None:
    project(sqlite_db)
    desk(sqlite_db)
    levels = [prompt(sqlite_db).level]
    for do in (learned, audited, corrected):
        do(sqlite_db)
        levels.append(prompt(sqlite_db).level)
    assert levels == [1, 3, 4, 5], prompt(sqlite_db).next
    top = prompt(sqlite_db)
    assert top.next is None
    assert all(one.records for one in top.criteria if one.level > 1)


def test_an_agent_comes_to_the_top_and_falls_with_what_fails(sqlite_db: Database) -> None:
    db = sqlite_db
    project(db)
    desk(db)
    entry = learned(db)
    acting(db)
    shipped(db, entry)
    audited(db)
    corrected(db)
    quarter = {AGENT: {0: Ended(turns=400), 1: Ended(turns=400)}}
    watched = (Watch(agent=AGENT, aspect=Aspect.OUTPUT, looks=3, p=0.4),)
    with db.read(ADA) as tx:
        facts = replace(
            gather(tx),
            ended=quarter,
            overridden={AGENT: {0: 8, 1: 60}},
            watches=watched,
        )
    assert agent(db, facts).level == 5, agent(db, facts).next
    for worse, level, name in (
        (replace(facts, overridden={AGENT: {0: 50, 1: 60}}), 4, "people correct it less"),
        (replace(facts, watches=()), 3, "held against its own past"),
        (replace(facts, budgets=()), 2, "what it spends is bounded"),
        (replace(facts, ended={}), 1, "its work is on record"),
    ):
        found = agent(db, worse)
        assert found.next is not None
        assert (found.level, found.next.name[: len(name)]) == (level, name)


def agent(db: Database, facts: Facts) -> Assessment:
    with db.read(ADA) as tx:
        return agents.assessed(tx, artifacts.artifact(tx, "agent", AGENT), facts)


def acting(db: Database) -> None:
    """A version of the agent that acts under a contract, within a budget, in production."""
    with db.write(ADA) as tx:
        draft = ArtifactDraft(
            kind="contract", name="file-papers", criticality=Criticality.ADVISORY
        )
        registry.create_artifact(tx, draft, kinds=KINDS)
        spec = {"tool": "file_papers"}
        registry.create_version(
            tx, "contract", draft.name, VersionDraft(spec=spec), kinds=KINDS
        )
        newest = artifacts.in_force(tx, "prompt", AGENT)
        was = artifacts.version(tx, Ref("agent", AGENT, "production")).spec
        manifest = {
            "model": was["model"],
            "prompts": {"system": f"{AGENT}@{newest.number}"},
            "contracts": ["file-papers@1"],
        }
        made = registry.create_version(
            tx, "agent", AGENT, VersionDraft(spec=manifest), kinds=KINDS
        )
        of = artifacts.artifact(tx, "agent", AGENT)
        registry.move_label(tx, of, "production", made.number, how="release", reason="it holds")
        budgets.set_budget(
            tx, BudgetDraft(scope=Scope.AGENT, key=AGENT, unit=Unit.USD, hard=Decimal(100))
        )


def shipped(db: Database, entry: Entry) -> None:
    """What the gate and a canary leave of the version in production: its run, its verdict, and
    a release that was promoted.
    """
    with db.write(ADA) as tx:
        serving = artifacts.version(tx, Ref("agent", AGENT, "production"))
        found = artifacts.version(tx, Ref.parse(entry.version))
        (verdict,) = evals.verdicts_of(tx, found.digest, limit=1)
        evals.add_verdict(
            tx, "f" * 64, baseline="", candidate=serving.digest,
            state=verdict["state"], verdict=json.loads(verdict["verdict"]),
        )  # fmt: skip
        run = next(one for one in gather(tx).runs if one.subject == found.digest)
        evals.add_run(tx, replace(run, id=tx.ids.new("run"), subject=serving.digest), [], "")
        release = releases.release(tx, entry.release)
        assert release is not None
        done = replace(
            release, state=State.PROMOTED, number=serving.number, digest=serving.digest
        )
        assert done.plan.steps == PLAN.steps
        releases.save(tx, done, was=release)
