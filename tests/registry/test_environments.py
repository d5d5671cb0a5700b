"""Environments: what comes first, who moves what, and tokens that are for one alone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api import Api
from tests.registry.world import KINDS, person, program

from opsroom.access import ruling
from opsroom.access import store as access_store
from opsroom.access.errors import OnlyPeople
from opsroom.access.rules import AccessRules
from opsroom.kit.db import Actor, Database, Tx
from opsroom.registry import (
    ArtifactDraft,
    Criticality,
    LabelProtected,
    NotReady,
    Ref,
    VersionDraft,
    checklists,
    commands,
    environments,
    proposals,
    queries,
    rules,
)
from opsroom.registry.checklist import ReviewSettings
from opsroom.registry.errors import (
    BadEnvironment,
    NoSuchEnvironment,
    NotBefore,
    NotMover,
    OtherEnvironment,
)
from opsroom.registry.model import Environment

ADA = person("ada", "author")
OLGA = replace(person("olga", "author"), roles=("author", "operator"))
STAGING = Environment(name="staging", position=50)
PRODUCTION = Environment(name="production", position=100, reviewed=True, after="staging")


def artifact(
    tx: Tx, criticality: Criticality = Criticality.ADVISORY, versions: int = 2
) -> None:
    draft = ArtifactDraft(kind="note", name="a", criticality=criticality)
    commands.create_artifact(tx, draft, kinds=KINDS)
    for number in range(versions):
        wanted = VersionDraft(spec={"text": f"version {number}"})
        commands.create_version(tx, "note", "a", wanted, kinds=KINDS)


def test_production_is_there_from_the_start_and_stays_reviewed(sqlite_db: Database) -> None:
    with sqlite_db.write(ADA) as tx:
        (only,) = environments.environments(tx)
        assert (only.name, only.reviewed) == ("production", True)
        for wrong in (
            replace(PRODUCTION, reviewed=False, after=""),
            Environment(name="latest"),
            Environment(name="Not A Label"),
            Environment(name="x", position=1000),
            Environment(name="x", movers=("night-desk",)),
            Environment(name="x", position=100, after="production"),
            Environment(name="x", after="nowhere"),
        ):
            with pytest.raises(BadEnvironment):
                environments.set_environment(tx, wrong)
        with pytest.raises(BadEnvironment):
            environments.remove_environment(tx, "production")
        with pytest.raises(NoSuchEnvironment):
            environments.remove_environment(tx, "nowhere")


def test_a_version_comes_to_production_by_way_of_staging(db: Database) -> None:
    with db.write(ADA) as tx:
        artifact(tx)
        environments.set_environment(tx, STAGING)
        environments.set_environment(tx, PRODUCTION)
        with pytest.raises(BadEnvironment):  # production would come after nothing
            environments.remove_environment(tx, "staging")
        asked = proposals.propose(tx, Ref("note", "a", "1"), label="production", kinds=KINDS)
        with pytest.raises(NotReady, match="not in staging yet"):
            proposals.merge(tx, asked.id)
        commands.set_label(tx, "note", "a", "staging", 1)
        proposals.merge(tx, asked.id)
        commands.set_label(tx, "note", "a", "staging", 2)
        again = proposals.propose(tx, Ref("note", "a", "2"), label="production", kinds=KINDS)
        tx.actor = person("olga", "operator")
        commands.roll_back(tx, "note", "a", "staging", reason="it was wrong there")
        tx.actor = ADA
        with pytest.raises(NotReady, match="rolled back there"):
            proposals.merge(tx, again.id)


def test_one_of_its_movers_moves_it_and_anybody_rolls_it_back(sqlite_db: Database) -> None:
    with sqlite_db.write(ADA) as tx:
        artifact(tx)
        environments.set_environment(tx, replace(STAGING, movers=("operator",)))
        with pytest.raises(NotMover):
            commands.set_label(tx, "note", "a", "staging", 1)
        tx.actor = OLGA
        commands.set_label(tx, "note", "a", "staging", 1)
        commands.set_label(tx, "note", "a", "staging", 2)
        tx.actor = ADA
        assert commands.roll_back(tx, "note", "a", "staging", reason="back").number == 1
        environments.set_environment(tx, replace(STAGING, after="", movers=()))
        commands.set_label(tx, "note", "a", "staging", 2)


def test_what_is_done_for_somebody_goes_by_their_roles(sqlite_db: Database) -> None:
    alone = Actor("system:retraining", "default", human=False)
    with sqlite_db.write(ADA) as tx:
        artifact(tx)
        environments.set_environment(tx, replace(STAGING, movers=("operator",)))
        for name, roles in (("ada", ("author",)), ("olga", ("author", "operator"))):
            access_store.add_user(tx, name, None)
            access_store.set_roles(tx, "default", name, roles)
        for owner in ("ada", "gone"):
            tx.actor = replace(alone, owner=owner)
            with pytest.raises(NotMover):
                environments.check_mover(tx, "staging")
        for owner in ("olga", ""):
            tx.actor = replace(alone, owner=owner)
            environments.check_mover(tx, "staging")


def test_a_program_lifts_nothing_while_labels_are_protected(sqlite_db: Database) -> None:
    strict = replace(STAGING, reviewed=True, movers=("operator",))
    settings = ReviewSettings(checklist=(Criticality.ASSISTIVE,))
    with sqlite_db.write(program("ci", "admin")) as tx:
        environments.set_environment(tx, strict)
        checklists.set_settings(tx, settings)
    with sqlite_db.write(person("root", "admin")) as tx:
        ruling.set_rules(tx, AccessRules(protected_labels=("production",)))
    with sqlite_db.write(program("ci", "admin")) as tx:
        environments.set_environment(tx, strict)  # as it is already
        for lift in (
            lambda: environments.set_environment(tx, STAGING),
            lambda: environments.remove_environment(tx, "staging"),
            lambda: checklists.set_settings(tx, ReviewSettings()),
        ):
            with pytest.raises(OnlyPeople):
                lift()
    with sqlite_db.write(person("root", "admin")) as tx:
        checklists.set_settings(tx, ReviewSettings())
        environments.remove_environment(tx, "staging")


def test_a_reviewed_environment_takes_what_production_takes(sqlite_db: Database) -> None:
    with sqlite_db.write(ADA) as tx:
        artifact(tx)
        strict = replace(STAGING, reviewed=True, criticality=Criticality.ASSISTIVE)
        environments.set_environment(tx, strict)
        with pytest.raises(LabelProtected):
            commands.set_label(tx, "note", "a", "staging", 1)
        asked = proposals.propose(tx, Ref("note", "a", "1"), label="staging", kinds=KINDS)
        assert proposals.need_of(tx, asked).approvals == 1
        environments.remove_environment(tx, "staging")
        commands.set_label(tx, "note", "a", "staging", 1)


@given(
    of=st.sampled_from(Criticality),
    there=st.sampled_from(Criticality),
    first=st.booleans(),
    guarded=st.booleans(),
)
def test_an_environment_never_asks_for_less(
    of: Criticality, there: Criticality, first: bool, guarded: bool
) -> None:
    place = replace(STAGING, reviewed=True, criticality=there)
    need = rules.needs(of, "staging", first=first, guarded=guarded, environment=place)
    plain = rules.needs(of, "production", first=first, guarded=guarded)
    assert set(need.checks) >= set(plain.checks)
    assert need.approvals >= plain.approvals
    assert need.risk_approvals >= plain.risk_approvals


def test_a_token_for_staging_moves_nothing_elsewhere(sqlite_db: Database) -> None:
    bound = Actor(
        "token:ci", "default", ADA.may, ("author",), human=False, environment="staging"
    )
    with sqlite_db.write(ADA) as tx:
        artifact(tx)
        tx.actor = bound
        commands.set_label(tx, "note", "a", "staging", 1)
        for elsewhere in ("production", "beta"):
            with pytest.raises(OtherEnvironment):
                proposals.propose(tx, Ref("note", "a", "1"), label=elsewhere, kinds=KINDS)
        with pytest.raises(OtherEnvironment):
            commands.set_label(tx, "note", "a", "beta", 1)
        assert queries.version(tx, Ref("note", "a", "staging")).number == 1


def issued(api: Api, environment: str, *roles: str) -> Any:
    body = {"name": environment, "roles": list(roles), "environment": environment}
    secret = api.program("admin").post("/v1/tokens", body)["secret"]
    return replace(api.program("agent"), headers={"Authorization": f"Bearer {secret}"})


def test_a_token_for_staging_reads_nothing_elsewhere(sqlite_api: Api) -> None:
    admin = sqlite_api.program("admin")
    spec = {"format": "text", "text": "Hello."}
    admin.post("/v1/artifacts/prompt", {"name": "greet", "criticality": "advisory"})
    body = {"spec": spec, "labels": ["staging", "beta"]}
    admin.post("/v1/artifacts/prompt/greet/versions", body)
    mine = issued(sqlite_api, "staging", "agent", "viewer")
    assert mine.get("/v1/me")["environment"] == "staging"
    assert mine.get("/v1/prompts/greet/read", label="staging")["number"] == 1
    assert mine.get("/v1/prompts/greet/read", version=1)["number"] == 1
    for path, query in (
        ("/v1/prompts/greet/read", {}),
        ("/v1/prompts/greet/read", {"label": "beta"}),
        ("/v1/prompts/greet/read", {"label": "latest"}),
        ("/v1/artifacts/prompt/greet/versions/beta", {}),
        ("/v1/resolve", {"name": "greet", "kind": "prompt", "subject": "x"}),
        ("/v1/agents/greet/tools", {}),
    ):
        refusal = mine.refused("GET", path, params=query)
        assert (refusal.status, refusal.code) == (403, "other_environment"), path


def test_environments_over_http(sqlite_api: Api) -> None:
    author, admin = sqlite_api.program("author"), sqlite_api.program("admin")
    assert author.refused("PUT", "/v1/environments/staging", {}).code == "may_not"
    made = admin.put("/v1/environments/staging", {"position": 10, "note": "before customers"})
    assert (made["changed_by"], made["reviewed"]) == (admin.name, False)
    assert [one["name"] for one in author.get("/v1/environments")] == ["staging", "production"]
    admin.delete("/v1/environments/staging")
    assert [one["name"] for one in author.get("/v1/environments")] == ["production"]


def test_what_comes_first_is_checked_where_labels_are_set(sqlite_db: Database) -> None:
    with sqlite_db.write(ADA) as tx:
        artifact(tx)
        environments.set_environment(tx, STAGING)
        environments.set_environment(tx, Environment(name="beta", position=60, after="staging"))
        with pytest.raises(NotBefore):
            commands.set_label(tx, "note", "a", "beta", 1)
        commands.set_label(tx, "note", "a", "staging", 1)
        commands.set_label(tx, "note", "a", "beta", 1)
