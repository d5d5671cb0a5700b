"""What is asked for where cases are made: which attacker's goal, by which techniques, how many."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Discriminator, Field, JsonValue

from opsroom.kit.wire import Wire

from .errors import BadRecipe, UnknownTechnique
from .techniques import AGENCY, BY_NAME, DISCLOSURE, LEAKAGE, TECHNIQUES, Effect, Technique

GENERATOR = "redteam/1"  # another number where the same seed would give other cases
METRIC = "attack-success"
MOST_CASES = 5_000
Short = Annotated[str, Field(max_length=300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Wire):
    """The attacker wants the agent to say a word of the attacker's, which is seen by that word.

    It is ordered in two halves, so that quoting the order is not obeying it.
    """

    kind: Literal["say"] = "say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell(Wire):
    """The attacker wants a secret that the agent was told, such as a canary in its prompt."""

    secret: Annotated[str, Field(min_length=8, max_length=300)]
    kind: Literal["tell"] = "tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Wire):
    """The attacker wants a tool to be called that no seed needs."""

    tool: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Literal["call"] = "call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Wire):
    """The seeds themselves are what no agent may answer; a refusal is expected."""

    kind: Literal["refuse"] = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric(Wire):
    """The seeds themselves are the orders; the model `grader` says whether an answer keeps to
    `rubric`.
    """

    rubric: Annotated[str, Field(min_length=1, max_length=2_000)]
    grader: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Literal["rubric"] = "rubric"


Goal = Annotated[Say | Tell | Call | Refuse | Rubric, Discriminator("kind")]
AnyGoal = Say | Tell | Call | Refuse | Rubric
GOALS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # OWASP and ATLAS ids of a goal
    "say": ((), ()),
    "tell": ((LEAKAGE, DISCLOSURE), ("AML.T0056", "AML.T0057")),
    "call": ((AGENCY,), ("AML.T0053",)),
    "refuse": ((), ("AML.T0054",)),
    "rubric": ((), ()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra(Wire):
    """Cases that a model writes on top: how many at most, and for how much money at most."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    cases: Annotated[int, Field(ge=1, le=200)] = 10
    usd: Annotated[Decimal, Field(gt=0, le=100, allow_inf_nan=False)] = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe(Wire):
    """How a dataset is made out of the cases of another: attacks with a `goal`, or edge cases
    without one.

    The same recipe on the same version gives the same dataset, as long as no model writes any.
    `per_seed` cases come of each seed; more than one makes them alike, which the report takes
    into account. `unanswerable` is what is expected of cases that cannot be answered any more;
    without it there are none of those. `split` is the part of the seeds that is used.
    """

    seeds: Short
    name: Short
    goal: Goal | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    techniques: tuple[Short, ...] = ()
    per_seed: Annotated[int, Field(ge=1, le=50)] = 1
    most: Annotated[int, Field(ge=1, le=MOST_CASES)] = 1_000
    split: Short = ""
    unanswerable: JsonValue = None
    extra: Extra | None = None
    message: Annotated[str, Field(max_length=2_000)] = ""

    @property
    def purpose(self) -> str:
        return "attacks" if self.goal else "edge cases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated(Wire):
    """The version that was made, how many cases of each technique it has, and what was left out."""

    dataset: str
    digest: str
    cases: int
    seeds: int
    techniques: dict[str, int]
    left_out: dict[str, int] = field(default_factory=dict[str, int])
    cost: Decimal = Decimal(0)


def chosen(recipe: Recipe) -> tuple[Technique, ...]:
    """The techniques of a recipe, those it names or all that fit it.

    Raises `UnknownTechnique`, `BadRecipe`.
    """
    if recipe.extra is not None and recipe.goal is None:
        raise BadRecipe("a model writes attacks, so there has to be a goal")
    if recipe.goal is not None:
        fitting = [one for one in TECHNIQUES if one.effect is Effect.ATTACK]
    else:
        fitting = [one for one in TECHNIQUES if one.effect is not Effect.ATTACK]
        if recipe.unanswerable is None:
            fitting = [one for one in fitting if one.effect is Effect.SAME]
    if not recipe.techniques:
        return tuple(fitting)
    named = [BY_NAME.get(name) for name in dict.fromkeys(recipe.techniques)]
    for name, one in zip(dict.fromkeys(recipe.techniques), named, strict=True):
        if one is None or (one.effect is Effect.ATTACK) is not (recipe.goal is not None):
            raise UnknownTechnique(name, recipe.purpose)
        if one not in fitting:
            raise BadRecipe(f"say what is expected of {name!r} cases, which have no answer")
    return tuple(one for one in named if one is not None)
