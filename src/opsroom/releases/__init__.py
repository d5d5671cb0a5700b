"""Releases: one version on its way to where it serves, proven step by step.

Pure: `model` (states, decisions, who is served what), `plan`, `evidence`, `decide` (the
rulebook), `judge` and `looks` (what counts say). Around them: `commands` and `observing`
change things, `queries` reads, `workflow` takes what needs hours or days.
"""

from .errors import (
    AlreadyServing,
    BadObservation,
    BadPlan,
    JudgeIsAuthor,
    MetricNotWatched,
    NoChampion,
    NotAJudge,
    NothingToApprove,
    PairJudged,
    PairNotSampled,
    ReleaseMoved,
    ReleaseNotFound,
    ReleaseRunning,
    UnknownRulebook,
    WrongState,
)

__all__ = [
    "AlreadyServing",
    "BadObservation",
    "BadPlan",
    "JudgeIsAuthor",
    "MetricNotWatched",
    "NoChampion",
    "NotAJudge",
    "NothingToApprove",
    "PairJudged",
    "PairNotSampled",
    "ReleaseMoved",
    "ReleaseNotFound",
    "ReleaseRunning",
    "UnknownRulebook",
    "WrongState",
]
