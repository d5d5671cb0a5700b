"""A gate on what a judge says: shut without a calibration, and wider with one."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.evals.arms import arms, counts
from tests.evals.judging import Having, Speaks, labelled, put, put_judge

from opsroom.app.kinds import KINDS
from opsroom.datasets import Item
from opsroom.evals.calibrating import Calibrating, calibrate
from opsroom.evals.comparison import Arm, MetricRule, Role
from opsroom.evals.evaluators import evaluators_digest
from opsroom.evals.evaluators.specs import Judge
from opsroom.evals.gate import GateRules, GateVerdict, Outcome, decide, gate
from opsroom.evals.gating import as_check, gate_versions, stored_verdict
from opsroom.evals.measure import Measurement
from opsroom.evals.model import Score
from opsroom.evals.reports import junit_report, markdown_report
from opsroom.evals.trust import DomainTrust, JudgeOf, Uncalibrated
from opsroom.evidence import BinaryComparison, NumericComparison, Tally, Verdict
from opsroom.evidence.judged import KnownError
from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import adapter, plain
from opsroom.models import Output, Recording
from opsroom.models import store as recordings
from opsroom.registry import ArtifactDraft, Criticality, Ref, VersionDraft, queries
from opsroom.registry import commands as registry

RULES = GateRules(metrics=(MetricRule(metric="polite", margin=0.05),))
OUTCOMES = counts(both=200, only_a=4, only_b=10, neither=36)


def judge(*trust: DomainTrust, of: Arm) -> dict[str, JudgeOf]:
    """The judge behind `polite`; items fall to the domains in turn."""
    items = sorted(of.results)
    domains = {item: trust[n % len(trust)].domain for n, item in enumerate(items)}
    found = JudgeOf(
        evaluator="evaluator/polite@2",
        domains=domains,
        trust={one.domain: one for one in trust},
    )
    return {"polite": found}


def trusted(domain: str, good: tuple[int, int], bad: tuple[int, int]) -> DomainTrust:
    error = KnownError(good=Tally(hits=good[0], n=good[1]), bad=Tally(hits=bad[0], n=bad[1]))
    return DomainTrust(domain=domain, calibration="c" * 64, error=error, why="")


STRANGER = DomainTrust(
    domain="desk", calibration="", error=None, why="it has no calibration there"
)
SOUND = trusted("desk", (90, 100), (85, 100))


def decided(*trust: DomainTrust, rules: GateRules = RULES) -> GateVerdict:
    a, b = arms(OUTCOMES, metric="polite")
    return gate(a, b, rules, judges=judge(*trust, of=a) if trust else {})


def found(verdict: GateVerdict) -> BinaryComparison | NumericComparison:
    assert verdict.metrics[0].comparison is not None
    return verdict.metrics[0].comparison


def test_a_gate_without_judges_is_the_same_to_the_byte() -> None:
    """These digests were made before judges could be calibrated."""
    a, b = arms(counts(both=200, only_a=3, only_b=9, neither=20))
    rules = GateRules(metrics=(MetricRule(metric="passed", margin=0.05),))
    assert gate(a, b, rules).digest == "548b5594a9c00a011db4b7670b98692d671cb4bd503cad2a48aa716bf897b7fd"  # fmt: skip
    assert digest(plain(rules)) == "ada9cde8df3e7979f0d412efbbeeb01b4f6f80e03cf6cf5638213d4ddbff8fb1"  # fmt: skip
    polite = Judge(type="llm-judge", rubric="polite", model="m")
    assert evaluators_digest([polite]) == "0a58f78dfe8c95eac01960946d5e9ad4d785221dc4da2cd07a3ddedac9355f16"  # fmt: skip


@pytest.mark.parametrize("role", [Role.PRIMARY, Role.GUARDRAIL])
def test_a_judge_without_a_calibration_gates_nothing(role: Role) -> None:
    other = MetricRule(metric="polite", margin=0.05)
    rules = RULES
    if role is Role.GUARDRAIL:
        rules = GateRules(metrics=(replace(other, metric="right"), replace(other, role=role)))
    a, b = arms(OUTCOMES, metric="polite")
    if role is Role.GUARDRAIL:
        for arm in (a, b):
            arm.results = {
                item: [replace(one, scores={**one.scores, "right": Score(value=1.0)}) for one in some]
                for item, some in arm.results.items()
            }  # fmt: skip
    verdict = gate(a, b, rules, judges=judge(STRANGER, of=a))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons[0] == (
        "polite: the judge may not gate; polite@2 in desk: it has no calibration there"
    )


def test_rules_may_allow_it_in_so_many_words() -> None:
    rules = replace(RULES, uncalibrated=Uncalibrated.ALLOW)
    verdict = decided(STRANGER, rules=rules)
    assert verdict.outcome is Outcome.PASSED
    assert (
        "polite@2 in desk: it has no calibration there; the rules allow it"
        in verdict.reasons[1]
    )
    assert "polite@2 may not gate and was allowed to" in as_check(verdict).summary
    assert found(verdict) == found(decided())
    assert "may not gate" not in as_check(decided(SOUND, rules=rules)).summary
    assert plain(rules)["uncalibrated"] == "allow"
    assert "uncalibrated" not in plain(RULES)


def test_the_known_error_widens_the_interval() -> None:
    """What was not worse at the judge's word is undecided once its error is counted in."""
    word, known = decided(), decided(SOUND)
    assert (word.outcome, known.outcome) == (Outcome.PASSED, Outcome.PASSED)
    narrow, wide = found(word), found(known)
    assert wide.difference == pytest.approx(narrow.difference / 0.75)
    assert wide.interval.low < narrow.interval.low < narrow.interval.high < wide.interval.high
    assert wide.interval.method == "judged"
    judged = known.metrics[0].judge
    assert judged is not None
    assert judged.seen is not None
    assert judged.seen.interval == narrow.interval
    assert [(one.pairs, one.trust.calibration) for one in judged.domains] == [(250, "c" * 64)]
    assert (
        "corrected for the known error of the judge polite@2, which saw +0.024"
        in known.reasons[1]
    )
    narrow_margin = GateRules(metrics=(MetricRule(metric="polite", margin=0.012),))
    assert decided(rules=narrow_margin).outcome is Outcome.PASSED
    poor = decided(trusted("desk", (33, 50), (34, 50)), rules=narrow_margin)
    assert poor.outcome is Outcome.INCONCLUSIVE
    assert poor.metrics[0].verdict is Verdict.UNDECIDED


def test_a_poorer_judge_needs_more_pairs() -> None:
    word, sound, poor = (
        decided(),
        decided(SOUND),
        decided(trusted("desk", (70, 100), (75, 100))),
    )
    needed = [one.metrics[0].needed for one in (word, sound, poor)]
    assert needed == sorted(needed, key=lambda n: n or 0)
    assert len({*needed}) == 3
    power = [one.metrics[0].power for one in (word, sound, poor)]
    assert power == sorted(power, key=lambda p: -(p or 0))


def test_every_domain_is_corrected_by_its_own_error_and_all_must_be_known() -> None:
    twice = decided(SOUND, trusted("air", (95, 100), (95, 100)))
    judged = twice.metrics[0].judge
    assert judged is not None
    assert [(one.trust.domain, one.pairs) for one in judged.domains] == [
        ("air", 125),
        ("desk", 125),
    ]
    assert found(twice).interval.low < found(decided()).interval.low
    one_unknown = decided(SOUND, replace(STRANGER, domain="air"))
    assert one_unknown.outcome is Outcome.INCONCLUSIVE
    assert "polite@2 in air" in one_unknown.reasons[0]
    assert found(one_unknown) == found(decided())


def test_repeated_trials_are_corrected_too() -> None:
    a, b = arms(OUTCOMES, metric="polite")
    for arm in (a, b):
        arm.results = {item: [*some, replace(some[0], trial=1)] for item, some in arm.results.items()}  # fmt: skip
    word, known = gate(a, b, RULES), gate(a, b, RULES, judges=judge(SOUND, of=a))
    assert isinstance(found(known), NumericComparison)
    assert found(known).difference == pytest.approx(found(word).difference / 0.75)


def test_a_judged_verdict_can_be_decided_again_from_what_is_stored() -> None:
    for verdict in (decided(SOUND), decided(STRANGER)):
        again = adapter(GateVerdict).validate_python(json.loads(json.dumps(plain(verdict))))
        assert again == verdict
        assert again.digest == verdict.digest
        assert decide(again.metrics, again.rules) == (verdict.outcome, verdict.reasons)


def test_reports_for_ci_hold_a_refused_judge() -> None:
    shape = {"digest": "d", "verdict": plain(decided(STRANGER))}
    assert "the judge may not gate" in junit_report(shape)
    assert "the judge may not gate" in markdown_report(shape)
    rules = replace(RULES, uncalibrated=Uncalibrated.ALLOW)
    let = {"digest": "d", "verdict": plain(decided(STRANGER, rules=rules))}
    assert "has no calibration there; the rules allow it" in markdown_report(let)
    assert 'failures="0"' in junit_report(let)


# From the measurement on


CASES = 240


@pytest.fixture
def world(sqlite_db: Database, actor: Actor) -> Database:
    """An agent with two versions, the second a little politer, and a judge that errs a little."""
    db = sqlite_db
    put_judge(db, actor, metric="polite")
    items = [
        Item(id=f"i{n}", input=f"question {n}", metadata={"domain": "desk"})
        for n in range(CASES)
    ]
    put(db, actor, "clerk", items, "polite")
    labels = [
        labelled(f"{word}{n}", word == "good", answer=f"{word} {n}")
        for word in ("good", "bad")
        for n in range(100)
    ]
    put(db, actor, "labels", labels)
    with db.write(actor) as tx:
        draft = ArtifactDraft(kind="agent", name="clerk", criticality=Criticality.ASSISTIVE)
        registry.create_artifact(tx, draft, kinds=KINDS)
        for number, good in ((1, 200), (2, 215)):
            manifest = VersionDraft(spec={"model": {"model": f"m{number}"}})
            made = registry.create_version(tx, "agent", "clerk", manifest, kinds=KINDS)
            recordings.add(
                tx,
                [
                    Recording(
                        subject=made.digest,
                        item=item.hash,
                        output=Output(text=f"{'good' if n < good else 'bad'} answer {n}"),
                    )
                    for n, item in enumerate(items)
                ],
            )
    return db


MODELS = Having(Speaks(wrong=[f"good {n}" for n in range(5)] + [f"bad {n}" for n in range(8)]))


def gated(db: Database, actor: Actor, **of: Any) -> GateVerdict:
    sides = [Measurement(subject=f"clerk@{n}", **of) for n in (1, 2)]
    return gate_versions(db, actor, *sides, models=MODELS)


def test_a_gate_opens_once_its_judge_is_calibrated(world: Database, actor: Actor) -> None:
    shut = gated(world, actor)
    assert shut.outcome is Outcome.INCONCLUSIVE
    assert "polite@1 in desk: it has no calibration there" in shut.reasons[0]
    wanted = Calibrating(evaluator="polite", dataset="labels")
    kept = calibrate(world, actor, wanted, models=MODELS)
    open_ = gated(world, actor)
    assert open_.outcome is Outcome.PASSED
    judged = open_.metrics[0].judge
    assert judged is not None
    assert judged.domains[0].trust.calibration == kept.digest
    assert judged.domains[0].trust.error == KnownError(
        good=Tally(n=100, hits=95), bad=Tally(n=100, hits=92)
    )
    with world.read(actor) as tx:
        assert stored_verdict(tx, open_.digest) == open_


def test_a_judge_that_changed_shuts_the_gate_again(world: Database, actor: Actor) -> None:
    calibrate(world, actor, Calibrating(evaluator="polite", dataset="labels"), models=MODELS)
    put_judge(world, actor, metric="polite", model="gpt-5")
    shut = gated(world, actor, evaluators=("polite@2",))
    assert shut.outcome is Outcome.INCONCLUSIVE
    assert "it was calibrated as polite@1 (with gpt-4o-2024-11-20) and has changed since" in shut.reasons[0]  # fmt: skip


def test_items_without_a_domain_belong_to_that_of_their_dataset(
    world: Database, actor: Actor
) -> None:
    items = [Item(id=f"n{n}", input=f"question {n}", expected="x") for n in range(3)]
    put(world, actor, "bare", items, "polite")
    with world.write(actor) as tx:
        for number in (1, 2):
            version = queries.version(tx, Ref("agent", "clerk", str(number)))
            recordings.add(tx, [Recording(subject=version.digest, item=one.hash, output=Output(text="good")) for one in items])  # fmt: skip
    verdict = gated(world, actor, dataset="bare")
    assert "polite@1 in bare: it has no calibration there" in "; ".join(verdict.reasons)
