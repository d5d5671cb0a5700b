"""Access rules: what else nobody may do, by kind, label and criticality."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api import Api
from tests.registry.world import KINDS, person, program

from opsroom.access import ruling
from opsroom.access.errors import AccessDenied, BadAccessRules, OnlyPeople
from opsroom.access.rules import AccessRules, Action, Otherwise, Thing, check_rules, decide
from opsroom.approvals import Answer
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Database
from opsroom.registry import ArtifactDraft, Criticality, Ref, VersionDraft, commands, proposals

SYSTEM = Actor("system", "default", human=False)
ANA = person("ana", "author")
RIA = person("ria", "reviewer", "risk", "author")
OLGA = person("olga", "operator")
CI = program("ci", "author", "operator")
RULES = """
@id("autonomous-by-risk") @reason("only risk answers for autonomous things")
forbid (principal, action == Action::"review", resource)
when { resource.criticality == "autonomous" }
unless { principal in Role::"risk" };

@id("no-programs-on-policies")
forbid (principal is Program, action, resource)
when { resource.kind == "policy" };

@id("prompts-by-authors")
permit (principal in Role::"author", action == Action::"author", resource)
when { resource.kind == "prompt" };
"""
NOTE = Thing(kind="note", name="tone", criticality="assistive")


@pytest.mark.parametrize(
    ("who", "action", "thing", "why"),
    [
        (ANA, Action.AUTHOR, NOTE, ""),
        (ANA, Action.REVIEW, Thing(kind="x", name="y", criticality="autonomous"), "only risk"),
        (RIA, Action.REVIEW, Thing(kind="x", name="y", criticality="autonomous"), ""),
        (RIA, Action.AUTHOR, Thing(kind="policy", name="y"), ""),
        (CI, Action.AUTHOR, Thing(kind="policy", name="y"), "no programs on policies"),
        (CI, Action.OPERATE, Thing(kind="prompt", name="y"), ""),
    ],
)
def test_a_forbid_wins(who: Actor, action: Action, thing: Thing, why: str) -> None:
    said = decide(AccessRules(cedar=RULES), who, action, thing)
    assert said.allowed is (not why)
    assert why in said.because


def test_where_no_rule_speaks_it_is_as_the_project_says() -> None:
    strict = AccessRules(cedar=RULES, otherwise=Otherwise.DENY)
    assert decide(strict, ANA, Action.AUTHOR, Thing(kind="prompt", name="p")).allowed
    said = decide(strict, ANA, Action.AUTHOR, Thing(kind="dataset", name="d"))
    assert (said.allowed, said.because) == (False, "no rule permits it")
    # A permit never outweighs a forbid.
    both = AccessRules(cedar=RULES + '@id("none") forbid (principal, action, resource);')
    assert not decide(both, ANA, Action.AUTHOR, Thing(kind="prompt", name="p")).allowed


def test_a_rule_that_fails_denies() -> None:
    """Cedar leaves a failing forbid out; here that must not let anything through."""
    broken = AccessRules(
        cedar='@id("sum") forbid (principal, action, resource)'
        " when { 9223372036854775807 + 1 == 0 };"
    )
    check_rules(broken)
    assert not decide(broken, ANA, Action.AUTHOR, NOTE).allowed


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_name_gets_around_a_forbid(name: str, kind: str, label: str) -> None:
    """Names are values to Cedar, never a part of its text."""
    closed = AccessRules(cedar='@id("none") forbid (principal, action, resource);')
    who = Actor(name or "x", "default", frozenset({"author"}), ("author", name))
    thing = Thing(kind=kind, name=name, label=label)
    assert not decide(closed, who, Action.AUTHOR, thing).allowed


@pytest.mark.parametrize(
    "rules",
    [
        AccessRules(cedar="forbid (principal, action, resource);"),
        AccessRules(cedar='@id("a") forbid (principal, action, resource'),
        AccessRules(
            cedar='@id("a") forbid (principal, action, resource) when {resource.colour == 1};'
        ),
        AccessRules(cedar='@id("a") forbid (principal, action == Action::"fly", resource);'),
        AccessRules(cedar='@id("a") forbid (principal == ?principal, action, resource);'),
        AccessRules(cedar='@id("a") permit (principal, action, resource);' * 2),
        AccessRules(cedar="//" + "x" * 40_000),
        AccessRules(protected_labels=("latest",)),
        AccessRules(protected_labels=('x"] }; permit',)),
    ],
    ids=range(9),
)
def test_what_are_no_rules(sqlite_db: Database, rules: AccessRules) -> None:
    with sqlite_db.write(SYSTEM) as tx, pytest.raises(BadAccessRules):
        ruling.set_rules(tx, rules)


def note(db: Database, criticality: Criticality = Criticality.ADVISORY) -> None:
    with db.write(ANA) as tx:
        draft = ArtifactDraft(kind="note", name="tone", criticality=criticality)
        commands.create_artifact(tx, draft, kinds=KINDS)
        for text in ("calm", "calmer"):
            commands.create_version(
                tx, "note", "tone", VersionDraft(spec={"text": text}), kinds=KINDS
            )


def let_hold(db: Database, cedar: str = "", *labels: str) -> None:
    with db.write(SYSTEM) as tx:
        ruling.set_rules(tx, AccessRules(cedar=cedar, protected_labels=labels))


def test_rules_hold_whatever_the_way_in(db: Database) -> None:
    note(db)
    with db.write(ANA) as tx:
        waiting = proposals.propose(tx, Ref("note", "tone", "1"), label="live", kinds=KINDS)
    let_hold(
        db,
        """@id("a") @reason("ana is on leave") forbid
        (principal == Person::"ana", action, resource) when { resource.kind == "note" };""",
    )
    spec = VersionDraft(spec={"text": "calmest"})
    with db.write(ANA) as tx:
        for attempt in (
            lambda: commands.create_version(tx, "note", "tone", spec, kinds=KINDS),
            lambda: commands.set_label(tx, "note", "tone", "beta", 1),
            lambda: proposals.propose(tx, Ref("note", "tone", "2"), label="live", kinds=KINDS),
            lambda: proposals.merge(tx, waiting.id),
            lambda: proposals.review(tx, waiting.id, answer=Answer.APPROVE, reason="x"),
            lambda: commands.roll_back(tx, "note", "tone", "live", reason="x"),
            lambda: commands.create_artifact(
                tx, ArtifactDraft(kind="note", name="new"), kinds=KINDS
            ),
        ):
            with pytest.raises(AccessDenied, match="ana is on leave"):
                attempt()
    with db.write(RIA) as tx:
        assert proposals.merge(tx, waiting.id).number == 1
    with db.write(person("ana", "author", project="elsewhere")) as tx:
        draft = ArtifactDraft(kind="note", name="tone")
        commands.create_artifact(tx, draft, kinds=KINDS)  # rules are a project's own


def test_opsroom_itself_is_not_bound_by_rules_about_people(db: Database) -> None:
    let_hold(db, '@id("none") forbid (principal, action, resource);')
    with db.write(SYSTEM) as tx:
        commands.create_artifact(tx, ArtifactDraft(kind="note", name="n"), kinds=KINDS)


def test_no_token_moves_a_protected_label_whatever_its_roles(db: Database) -> None:
    note(db)
    boss = program("boss", "admin")
    with db.write(boss) as tx:
        commands.set_label(tx, "note", "tone", "staging", 1)
        commands.set_label(tx, "note", "tone", "staging", 2)
    let_hold(db, "", "staging", "production")
    labelled = VersionDraft(spec={"text": "mine"}, labels=("staging",))
    with db.write(boss) as tx:
        for label in ("staging", "production"):
            with pytest.raises(AccessDenied, match="only people"):
                proposals.propose(tx, Ref("note", "tone", "1"), label=label, kinds=KINDS)
        with pytest.raises(AccessDenied):
            commands.set_label(tx, "note", "tone", "staging", 1)
        with pytest.raises(AccessDenied), tx.part():
            commands.create_version(tx, "note", "tone", labelled, kinds=KINDS)
        commands.set_label(tx, "note", "tone", "beta", 1)
        with pytest.raises(OnlyPeople):  # nor does one lift what protects them
            ruling.set_rules(tx, AccessRules())
    with db.write(ANA) as tx:
        opened = proposals.propose(
            tx, Ref("note", "tone", "1"), label="production", kinds=KINDS
        )
    with db.write(boss) as tx, pytest.raises(AccessDenied):
        proposals.merge(tx, opened.id)
    with db.write(ANA) as tx:
        assert proposals.merge(tx, opened.id).number == 1
        commands.set_label(tx, "note", "tone", "staging", 1)
    with db.write(boss) as tx:  # the way back stays open
        assert commands.roll_back(tx, "note", "tone", "staging", reason="it broke").number == 2


def test_the_journal_keeps_every_version_of_the_rules(db: Database) -> None:
    for text in (RULES, ""):
        let_hold(db, text)
    with db.read(SYSTEM) as tx:
        told = journal.entries(tx, event="access.rules_set")
    assert [one.facts["cedar"] for one, _ in told] == ["", RULES]
    assert len({one.facts["digest"] for one, _ in told}) == 2


def test_rules_are_tried_before_they_hold(sqlite_api: Api) -> None:
    keeper, author = sqlite_api.person("policy-admin"), sqlite_api.person("author")
    rules = {"cedar": RULES, "otherwise": "as_roles_say", "protected_labels": ["staging"]}
    thing = {"kind": "x", "name": "y", "label": "staging", "criticality": "autonomous"}
    asked = {"action": "review", "thing": thing, "roles": ["reviewer"], "rules": rules}
    said = author.post("/v1/access/rules/check", asked)
    assert (said["allowed"], said["rules"]) == (False, ["autonomous-by-risk"])
    assert author.get("/v1/access/rules")["cedar"] == ""
    assert author.refused("PUT", "/v1/access/rules", rules).code == "may_not"
    keeper.put("/v1/access/rules", rules)
    mine = {"action": "author", "thing": thing, "roles": ["admin"], "human": False}
    assert author.post("/v1/access/rules/check", mine)["because"] == (
        "only people move this label"
    )
    broken = {"cedar": "forbid", "otherwise": "deny", "protected_labels": []}
    assert keeper.refused("PUT", "/v1/access/rules", broken).code == "bad_access_rules"
