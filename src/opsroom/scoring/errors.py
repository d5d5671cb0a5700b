from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid


@dataclass(eq=False)
class BadScoring(Invalid):
    code = "bad_scoring"
    text = "this agent cannot be judged like that: {0.why}"
    hint = "docs/how-to/scoring.md says which evaluators can judge live traces"
    why: str


@dataclass(eq=False)
class ScoringMoved(Conflict):
    code = "scoring_moved"
    text = "how {0.agent!r} is judged was changed by someone else"
    hint = "look at it again and repeat the command"
    agent: str
