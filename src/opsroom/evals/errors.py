from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Failed, Invalid, NotFound


@dataclass(eq=False)
class BadPattern(Invalid):
    code = "bad_pattern"
    text = "the pattern {0.pattern!r} cannot be used: {0.why}"
    hint = "see github.com/google/re2/wiki/Syntax; look-around and backreferences do not exist"
    pattern: str
    why: str


@dataclass(eq=False)
class BadSchema(Invalid):
    code = "bad_schema"
    text = "the JSON Schema of metric {0.metric!r} cannot be used: {0.why}"
    hint = "use draft 2020-12, and only references inside the schema itself"
    metric: str
    why: str


@dataclass(eq=False)
class BadEvaluator(Invalid):
    code = "bad_evaluator"
    text = "the evaluator of metric {0.metric!r} cannot be used: {0.why}"
    hint = "correct the evaluator and try again"
    metric: str
    why: str


@dataclass(eq=False)
class DuplicateMetric(Invalid):
    code = "duplicate_metric"
    text = "two evaluators measure {0.metric!r}"
    hint = "give each evaluator its own `metric` name"
    metric: str


@dataclass(eq=False)
class NoJudge(Invalid):
    code = "no_judge"
    text = "the judge of metric {0.metric!r} needs model {0.model!r}, which is not configured"
    hint = "configure the model, or leave the judge out"
    metric: str
    model: str


@dataclass(eq=False)
class RunMoved(Conflict):
    code = "run_moved"
    text = "run {0.run_id!r} is {0.state} and cannot become {0.wanted}"
    hint = "start a new run; finished runs never change"
    run_id: str
    state: str
    wanted: str


@dataclass(eq=False)
class NothingInCommon(Invalid):
    code = "nothing_in_common"
    text = (
        "no item has the same content on both sides: {0.baseline!r} answered "
        "{0.baseline_items} items (first {0.baseline_first}), {0.candidate!r} answered "
        "{0.candidate_items} (first {0.candidate_first})"
    )
    hint = "run both versions on the same version of the same dataset"
    baseline: str
    baseline_items: int
    baseline_first: str
    candidate: str
    candidate_items: int
    candidate_first: str


@dataclass(eq=False)
class DifferentEvaluators(Invalid):
    code = "different_evaluators"
    text = "{0.baseline!r} and {0.candidate!r} were judged by different evaluators"
    hint = "measure both versions with the same versions of the same evaluators"
    baseline: str
    candidate: str


@dataclass(eq=False)
class NotMeasured(Invalid):
    code = "metric_not_measured"
    text = "the gate asks for {0.metric!r}, which {0.side!r} did not measure; it has {0.has}"
    hint = "run both versions with an evaluator of that name, or change the rule"
    metric: str
    side: str
    has: str


@dataclass(eq=False)
class BadRules(Invalid):
    code = "bad_gate_rules"
    text = "these gate rules cannot be used: {0.why}"
    hint = "correct the rules and ask again"
    why: str


@dataclass(eq=False)
class NotBinary(Invalid):
    code = "not_binary"
    text = "metric {0.metric!r} is compared as yes or no, but item {0.item!r} has {0.value}"
    hint = "state the rule's scale as 'number', or measure 0 and 1"
    metric: str
    item: str
    value: float


@dataclass(eq=False)
class GateFailed(Failed):
    code = "gate_failed"
    text = "{0.candidate!r} does not pass the gate against {0.baseline!r}: {0.why}"
    hint = "look at the items that got worse, then propose a better version"
    baseline: str
    candidate: str
    why: str
    digest: str


@dataclass(eq=False)
class GateInconclusive(Failed):
    code = "gate_inconclusive"
    text = "the gate for {0.candidate!r} against {0.baseline!r} is inconclusive: {0.why}"
    hint = "add evidence, or state a larger margin or a lower floor on purpose"
    baseline: str
    candidate: str
    why: str
    digest: str


@dataclass(eq=False)
class RunNotFound(NotFound):
    code = "run_not_found"
    text = "there is no evaluation run {0.run_id!r}"
    hint = "list the runs with `opsroom eval list`"
    run_id: str


@dataclass(eq=False)
class NotBrought(Conflict):
    code = "run_not_brought"
    text = "run {0.run_id!r} measures by itself and takes no answers"
    hint = "open a run of your own with POST /v1/evals/sessions"
    run_id: str


@dataclass(eq=False)
class NotACase(Invalid):
    code = "not_a_case"
    text = "{0.item!r} (trial {0.trial}) is no case of {0.dataset!r}, split {0.split!r}"
    hint = "name the case by its content hash; trials count from 0"
    item: str
    trial: int
    dataset: str
    split: str


@dataclass(eq=False)
class RunNotWhole(Failed):
    code = "run_not_whole"
    text = "run {0.run_id!r} is {0.state} and cannot be gated: {0.why}"
    hint = "answer every case of the split in one session, and end it"
    run_id: str
    state: str
    why: str


@dataclass(eq=False)
class NoEvaluators(Invalid):
    code = "no_evaluators"
    text = "nothing says how to judge answers to {0.dataset!r}"
    hint = "name evaluators with --evaluator, or let the dataset cite some"
    dataset: str


@dataclass(eq=False)
class NotMeasurable(Invalid):
    code = "not_measurable"
    text = "{0.subject!r} has no recorded answers to {0.dataset!r} (variant {0.variant!r})"
    hint = "import its recorded runs, name another variant ({0.variants}), or choose a model"
    subject: str
    dataset: str
    variant: str
    variants: str


@dataclass(eq=False)
class VerdictNotFound(NotFound):
    code = "verdict_not_found"
    text = "there is no gate verdict {0.digest!r}"
    digest: str


@dataclass(eq=False)
class GateOfAnother(Conflict):
    code = "gate_of_another"
    text = "proposal {0.proposal_id!r} does not move {0.baseline!r} to {0.candidate!r}"
    hint = "gate the version that is proposed against the one that has the label now"
    proposal_id: str
    candidate: str
    baseline: str


@dataclass(eq=False)
class NotAJudge(Invalid):
    code = "not_a_judge"
    text = "{0.evaluator!r} asks no model, so there is nothing to calibrate"
    hint = "name an evaluator of type llm-judge or preference-judge"
    evaluator: str


@dataclass(eq=False)
class NotLabelled(Invalid):
    code = "not_labelled"
    text = "item {0.item!r} of {0.dataset!r} is not a labelled answer: {0.why}"
    hint = "a labelled item has `input` and `answer` in its input, and expects pass or fail"
    item: str
    dataset: str
    why: str


@dataclass(eq=False)
class CalibrationIncomplete(Failed):
    code = "calibration_incomplete"
    text = "{0.evaluator!r} answered {0.done} of {0.of} items of {0.dataset!r}; the first gap: {0.why}"
    hint = "what was answered is kept; ask again, and only the rest goes to the model"
    evaluator: str
    dataset: str
    done: int
    of: int
    why: str


@dataclass(eq=False)
class CalibrationNotFound(NotFound):
    code = "calibration_not_found"
    text = "there is no calibration {0.digest!r}"
    hint = "list the judges with `opsroom eval judge list`"
    digest: str
