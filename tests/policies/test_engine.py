"""What policies say together, and that nothing which cannot be decided is permitted."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.contracts.model import ContractSpec, Tier
from opsroom.policies.engine import compile_bundle, read_rules, unknown_facts
from opsroom.policies.errors import BrokenPolicy
from opsroom.policies.facts import FACTS, quiet
from opsroom.policies.model import Mode, PolicyRequest, PolicySpec, Ruling, Verdict

PAY = ContractSpec(
    tool="pay",
    risk=Tier.WRITE,
    input={
        "type": "object",
        "properties": {
            "to": {"type": "string"},
            "amount": {"type": "number"},
            "count": {"type": "integer"},
            "note": {"type": ["string", "null"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "who": {"type": "object", "properties": {"name": {"type": "string"}, "odd": {}}},
            "free": {"type": "object"},
        },
        "required": ["to"],
    },
)
OK = '@id("ok") permit (principal, action, resource);'
NO = '@id("no") forbid (principal, action, resource);'


def asking(verdict: str, name: str = "", more: str = "", when: str = "") -> str:
    return f'@id("{name or verdict}") @verdict("{verdict}") {more} forbid (principal, action, resource) {when};'


def modify(name: str, to: str) -> str:
    return asking("modify", name, f'@set("{to}")')


def said(
    cedar: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    facts: Mapping[str, Any] | None = None,
    log_only: str = "",
    tool: str = "pay",
) -> Ruling:
    specs = [("p", PolicySpec(cedar=cedar))]
    if log_only:
        specs.append(("log", PolicySpec(cedar=log_only, mode=Mode.LOG_ONLY)))
    request = PolicyRequest(
        agent="desk", tool=tool, arguments=arguments or {"to": "bob"}, facts=facts or quiet()
    )
    return compile_bundle(specs, [PAY]).decide(request)


@pytest.mark.parametrize(
    ("policies", "verdict"),
    [
        ([], Verdict.DENY),
        ([NO], Verdict.DENY),
        ([OK], Verdict.PERMIT),
        ([OK, NO], Verdict.DENY),
        ([asking("escalate")], Verdict.DENY),
        ([OK, asking("escalate")], Verdict.ESCALATE),
        ([OK, asking("defer")], Verdict.DEFER),
        ([OK, asking("escalate"), asking("defer")], Verdict.DEFER),
        ([OK, asking("escalate"), NO], Verdict.DENY),
        ([OK, modify("m", "/amount=100")], Verdict.MODIFY),
        ([OK, modify("m", "/amount=100"), asking("escalate")], Verdict.ESCALATE),
        ([OK, modify("m", "/amount=100"), modify("n", "/amount=100")], Verdict.MODIFY),
        ([OK, modify("m", "/amount=100"), modify("n", "/amount=50")], Verdict.ESCALATE),
        ([OK, modify("m", "/amount=1"), modify("n", "/amount=true")], Verdict.ESCALATE),
    ],
)
def test_verdicts(policies: list[str], verdict: Verdict) -> None:
    for ordered in (policies, policies[::-1]):
        ruling = said("\n".join(ordered))
        assert (ruling.verdict, ruling.error, ruling.would) == (verdict, "", None)


def test_a_modify_says_what_it_puts_in_place() -> None:
    ruling = said(OK + modify("m", "/amount=100") + modify("n", "/note=null"))
    assert ruling.set == {"/amount": 100, "/note": None}


def test_who_asks_is_asked_about_the_call_as_others_changed_it() -> None:
    ruling = said(OK + asking("escalate") + modify("m", "/amount=100"))
    assert (ruling.verdict, ruling.set) == (Verdict.ESCALATE, {"/amount": 100})
    ruling = said(OK + asking("defer") + modify("m", "/amount=1") + modify("n", "/amount=2"))
    assert (ruling.verdict, ruling.set) == (Verdict.DEFER, {})


def test_reasons_name_the_policy_and_speak() -> None:
    ruling = said(
        OK + '@id("too-much") @reason("more than 100") ' + NO.replace('@id("no") ', "")
    )
    assert [(one.policy, one.words) for one in ruling.reasons] == [
        ("p/too-much", "more than 100")
    ]


@pytest.mark.parametrize(
    "condition",
    [
        'context.arguments.note == "x"',
        "context.arguments.count + 9223372036854775807 > 0",
        "context.facts.nobody_knows",
        'context.arguments.who.name == "x"',
        "principal.nothing == 1",
    ],
)
@pytest.mark.parametrize("effect", ["permit", "forbid"])
def test_a_policy_that_fails_denies_and_is_not_skipped(condition: str, effect: str) -> None:
    fails = f'@id("f") {effect} (principal, action, resource) when {{ {condition} }};'
    ruling = said(OK + fails, {"to": "bob", "count": 1})
    assert ruling.verdict is Verdict.DENY
    assert "p/f" in ruling.error


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ({"to": 1}, 'to == "x"'),
        ({"amount": True}, 'amount == decimal("1.0")'),
        ({"amount": 100.00001}, 'amount.greaterThan(decimal("100.0"))'),
        ({"amount": 1e15}, 'amount.greaterThan(decimal("100.0"))'),
        ({"amount": float("nan")}, 'amount.greaterThan(decimal("100.0"))'),
        ({"count": 2**63}, "count > 100"),
        ({"count": 1.5}, "count > 100"),
        ({"count": True}, "count > 100"),
        ({"tags": "ab"}, 'tags.contains("a")'),
        ({"tags": [1]}, 'tags.contains("a")'),
        ({"who": []}, "who has name"),
        ({"who": {"name": "x", "odd": 1}}, "who has odd"),
        ({"free": {}}, "free == 1"),
    ],
)
def test_what_cedar_has_no_exact_form_for_is_denied(
    arguments: dict[str, Any], read: str
) -> None:
    forbid = (
        f'@id("f") forbid (principal, action, resource) when {{ context.arguments.{read} }};'
    )
    ruling = said(OK + forbid, arguments)
    assert (ruling.verdict, bool(ruling.error)) == (Verdict.DENY, True)


@pytest.mark.parametrize("name", ["free", "unheard_of"])
def test_an_argument_that_cedar_cannot_see_is_never_called_absent(name: str) -> None:
    forbid = f'@id("f") forbid (principal, action, resource) when {{ context.arguments has {name} }};'
    assert said(OK + forbid, {name: {"x": 1}}).verdict is Verdict.DENY
    assert said(OK + forbid, {"to": "bob"}).verdict is Verdict.PERMIT


@pytest.mark.parametrize("fact", sorted(FACTS))
def test_a_fact_of_another_type_denies(fact: str) -> None:
    reads = (
        f'@id("f") forbid (principal, action, resource) when {{ context.facts.{fact} == 77 }};'
    )
    assert said(OK + reads).verdict is Verdict.PERMIT
    assert said(OK + reads, facts={fact: {"a": 1}}).verdict is Verdict.DENY
    for text in ("false", 0) if FACTS[fact].type.value == "Bool" else ():
        assert said(OK + reads, facts={fact: text}).error


def test_money_of_ours_is_rounded_towards_care() -> None:
    over = '@id("f") forbid (principal, action, resource) when { context.facts.spent_in_turn_usd.greaterThan(decimal("1.0")) };'
    left = '@id("f") forbid (principal, action, resource) when { context.facts.budget_remaining_usd.lessThan(decimal("1.0")) };'
    assert (
        said(OK + over, facts={"spent_in_turn_usd": Decimal("1.000001")}).verdict
        is Verdict.DENY
    )
    assert (
        said(OK + left, facts={"budget_remaining_usd": Decimal("0.999999")}).verdict
        is Verdict.DENY
    )
    assert not said(OK + left, facts={"budget_remaining_usd": Decimal("0.999999")}).error


def test_a_tool_without_contract_is_denied() -> None:
    ruling = said(OK, tool="launch")
    assert (ruling.verdict, ruling.error) == (Verdict.DENY, "no contract covers 'launch'")


def test_one_request_that_cannot_be_asked_takes_no_other_along() -> None:
    bundle = compile_bundle([("p", PolicySpec(cedar=OK))], [PAY])
    good = PolicyRequest(agent="a", tool="pay")
    bad = PolicyRequest(agent=1, tool="pay")  # type: ignore[arg-type]  # what must not happen
    verdicts = [one.verdict for one in bundle.decide_many([good, bad, good])]
    assert verdicts == [Verdict.PERMIT, Verdict.DENY, Verdict.PERMIT]


def test_only_policies_of_the_tool_and_its_tier_are_asked() -> None:
    scopes = (
        '== Action::"pay"',
        'in Action::"tier:write"',
        'in [Action::"x", Action::"tier:any"]',
    )
    for scope in scopes:
        assert (
            said(
                NO.replace('"no"', '"a"')
                .replace("forbid", "permit")
                .replace("action", f"action {scope}", 1)
            ).verdict
            is Verdict.PERMIT
        )
    for scope in ('== Action::"other"', 'in Action::"tier:read"'):
        assert said(OK.replace("action", f"action {scope}")).verdict is Verdict.DENY


def test_log_only_tells_and_decides_nothing() -> None:
    ruling = said(OK, log_only=NO)
    assert (ruling.verdict, ruling.would) == (Verdict.PERMIT, Verdict.DENY)
    assert [one.policy for one in ruling.reasons if one.log_only] == ["log/no"]
    fails = '@id("f") forbid (principal, action, resource) when { context.nope };'
    ruling = said(OK, log_only=fails)
    assert (ruling.verdict, ruling.would, ruling.error) == (Verdict.PERMIT, Verdict.DENY, "")


@pytest.mark.parametrize(
    ("cedar", "why"),
    [
        (OK + "\n\nforbid (", "line 3"),
        (OK + '\n@id("b") permit (principal, action, resource) when { nope(1) };', "line 2"),
        ("permit (principal, action, resource);", "@id"),
        (OK + OK, "two policies are called 'ok'"),
        (OK.replace("permit", '@verdict("escalate") permit'), "@verdict"),
        (asking("perhaps"), "@verdict"),
        (asking("modify"), "@set"),
        (modify("m", "amount=1"), "@set"),
        (modify("m", "/amount=one"), "@set"),
        (NO.replace("forbid", '@set("/a=1") forbid'), "@set"),
        (OK.replace("principal,", "principal == ?principal,"), "template"),
        (OK + "//" + "x" * 300_000, "256 kB"),
    ],
)  # fmt: skip
def test_text_that_cannot_work_is_refused_with_its_place(cedar: str, why: str) -> None:
    with pytest.raises(BrokenPolicy) as refused:
        read_rules("p", PolicySpec(cedar=cedar))
    assert why in refused.value.why


def test_two_specs_of_one_name_cannot_hide_each_other() -> None:
    with pytest.raises(BrokenPolicy):
        compile_bundle([("p", PolicySpec(cedar=OK)), ("p", PolicySpec(cedar=OK))], [PAY])


def test_findings_name_the_policy_and_what_is_unknown() -> None:
    wrong = (
        '@id("w") forbid (principal, action, resource) when { context.arguments.too == "x" };'
    )
    (found,) = compile_bundle([("p", PolicySpec(cedar=OK + wrong))], [PAY]).findings
    assert (found.place, "too" in found.message) == ("p/w", True)
    fact = '@id("w") forbid (principal, action, resource) when { context.facts.nobody };'
    assert [one.place for one in unknown_facts("p", PolicySpec(cedar=fact))] == ["p/w"]


def test_the_digest_is_of_policies_and_contracts() -> None:
    one, same = (compile_bundle([("p", PolicySpec(cedar=OK))], [PAY]).digest for _ in range(2))
    other = compile_bundle([("p", PolicySpec(cedar=OK + NO))], [PAY]).digest
    assert one == same != other


POOL = (
    OK, NO, asking("escalate"), asking("defer"), modify("m", "/amount=1"), modify("n", "/amount=2"),
    '@id("when") permit (principal, action, resource) when { context.arguments.count > 3 };',
    '@id("fails") forbid (principal, action, resource) when { context.arguments.note == "x" };',
    '@id("other") permit (principal, action == Action::"other", resource);',
    asking("escalate", "tag", when='when { context.arguments has tags && context.arguments.tags.contains("x") }'),
)  # fmt: skip
SOME = st.lists(st.sampled_from(POOL), unique=True)
ARGUMENTS = st.fixed_dictionaries(
    {"to": st.just("bob"), "count": st.integers(0, 6)},
    optional={
        "tags": st.lists(st.sampled_from(["x", "y"])),
        "note": st.sampled_from(["x", "y"]),
    },
)
HARDNESS = {one: number for number, one in enumerate(Verdict)}


@settings(deadline=None)
@given(policies=SOME, arguments=ARGUMENTS, random=st.randoms())
def test_order_means_nothing(
    policies: list[str], arguments: dict[str, Any], random: Any
) -> None:
    shuffled = policies.copy()
    random.shuffle(shuffled)
    one, other = said("\n".join(policies), arguments), said("\n".join(shuffled), arguments)
    assert (one.verdict, one.set, one.reasons) == (other.verdict, other.set, other.reasons)


@settings(deadline=None)
@given(policies=SOME, logged=SOME, arguments=ARGUMENTS)
def test_log_only_never_changes_the_verdict(
    policies: list[str], logged: list[str], arguments: dict[str, Any]
) -> None:
    plain = said("\n".join(policies), arguments)
    beside = said("\n".join(policies), arguments, log_only="\n".join(logged))
    assert (plain.verdict, plain.set, plain.error) == (beside.verdict, beside.set, beside.error)


@settings(deadline=None)
@given(policies=SOME, arguments=ARGUMENTS)
def test_a_further_objection_never_loosens(
    policies: list[str], arguments: dict[str, Any]
) -> None:
    before = said("\n".join(policies), arguments).verdict
    for more in POOL:
        if "forbid" in more and more not in policies:
            after = said("\n".join([*policies, more]), arguments).verdict
            assert HARDNESS[after] >= HARDNESS[before]


@settings(deadline=None)
@given(policies=SOME, arguments=ARGUMENTS)
def test_without_a_permit_nothing_passes(
    policies: list[str], arguments: dict[str, Any]
) -> None:
    only = [one for one in policies if "permit" not in one]
    assert said("\n".join(only), arguments).verdict is Verdict.DENY
