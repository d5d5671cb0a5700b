from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Forbidden, Invalid, NotFound


@dataclass(eq=False)
class ReleaseNotFound(NotFound):
    code = "release_not_found"
    text = "there is no release {0.release_id!r} in this project"
    hint = "list what there is with `opsroom release list`"
    release_id: str


@dataclass(eq=False)
class PairNotSampled(NotFound):
    code = "pair_not_sampled"
    text = "{0.key!r} is not in the sample of release {0.release_id!r}"
    hint = "see what is with `opsroom release sample {0.release_id}`"
    release_id: str
    key: str


@dataclass(eq=False)
class MetricNotWatched(NotFound):
    code = "metric_not_watched"
    text = "the plan of this release watches no metric {0.metric!r}"
    hint = "it watches {0.known}"
    metric: str
    known: str


@dataclass(eq=False)
class UnknownRulebook(NotFound):
    code = "unknown_rulebook"
    text = "decision {0.decision_id!r} was taken by the rules {0.decider!r}, which are not here"
    hint = "replay it with the version of opsroom that took it"
    decision_id: str
    decider: str


@dataclass(eq=False)
class ReleaseMoved(Conflict):
    code = "release_moved"
    text = "release {0.release_id!r} was changed by someone else"
    hint = "read the release again and repeat the command"
    release_id: str


@dataclass(eq=False)
class ReleaseRunning(Conflict):
    code = "release_running"
    text = "{0.artifact!r} already has a release to {0.environment!r}: {0.release_id}"
    hint = "wait for it, or end it with `opsroom release abort` or `rollback`"
    artifact: str
    environment: str
    release_id: str


@dataclass(eq=False)
class WrongState(Conflict):
    code = "release_in_wrong_state"
    text = "release {0.release_id!r} is {0.state} and cannot be {0.wanted}"
    hint = "look at it with `opsroom release status {0.release_id}`{0.advice}"
    release_id: str
    state: str
    wanted: str
    advice: str = ""


@dataclass(eq=False)
class NothingToApprove(Conflict):
    code = "nothing_to_approve"
    text = "release {0.release_id!r} has no gate verdict yet that an approval could rest on"
    hint = "approve it once its gate has come to a verdict"
    release_id: str


@dataclass(eq=False)
class PairJudged(Conflict):
    code = "pair_already_judged"
    text = "{0.key!r} was already judged by {0.by!r}"
    hint = "each pair is judged once; take the next one"
    key: str
    by: str


@dataclass(eq=False)
class JudgeIsAuthor(Forbidden):
    code = "judge_is_author"
    text = "{0.judge!r} made or started {0.release_id!r} and cannot judge its sample"
    hint = "ask somebody else who may review"
    release_id: str
    judge: str


@dataclass(eq=False)
class NotAJudge(Forbidden):
    code = "judge_is_a_program"
    text = "{0.judge!r} is a program; only people judge the sample of {0.release_id!r}"
    hint = "log in as yourself and judge on the page"
    release_id: str
    judge: str


@dataclass(eq=False)
class NoChampion(Conflict):
    code = "no_champion"
    text = "{0.artifact!r} has no version in {0.environment!r} that a candidate could be compared with"
    hint = "the first version goes there by a proposal: `opsroom agent propose NAME@N`, reviewed and merged"
    artifact: str
    environment: str


@dataclass(eq=False)
class AlreadyServing(Conflict):
    code = "already_serving"
    text = "{0.version} already is the version in {0.environment!r}"
    hint = "release another version"
    version: str
    environment: str


@dataclass(eq=False)
class BadPlan(Invalid):
    code = "bad_release_plan"
    text = "this release plan cannot be used: {0.why}"
    hint = "correct the plan; docs/reference/releases.md says what each number means"
    why: str


@dataclass(eq=False)
class BadObservation(Invalid):
    code = "bad_observation"
    text = "observation {0.key!r} cannot be counted: {0.why}"
    hint = "nothing of this batch was counted; correct it and send it again"
    key: str
    why: str
