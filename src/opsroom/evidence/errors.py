"""What can be wrong with a sample or with a question about it."""

from dataclasses import dataclass

from opsroom.kit.errors import Invalid


@dataclass(eq=False)
class NothingToCompare(Invalid):
    code = "nothing_to_compare"
    text = "there is nothing to conclude from: {0.found} of at least {0.needed} {0.what}"
    hint = "run both sides on the same items first"
    what: str
    found: int
    needed: int


@dataclass(eq=False)
class UnequalSamples(Invalid):
    code = "unequal_samples"
    text = "paired samples must be equally long: {0.a} values against {0.b}"
    hint = "keep only the items that both sides answered, in the same order"
    a: int
    b: int


@dataclass(eq=False)
class ImpossibleCounts(Invalid):
    code = "impossible_counts"
    text = "these counts cannot have been observed: {0.why}"
    hint = "counts are whole numbers from 0, and no part is larger than its total"
    why: str


@dataclass(eq=False)
class NotFinite(Invalid):
    code = "not_finite"
    text = "{0.what} holds a value that is not a finite number"
    hint = "leave out missing values, and say how many were left out"
    what: str


@dataclass(eq=False)
class OutOfRange(Invalid):
    code = "out_of_range"
    text = "{0.name} is {0.value}, but must be {0.allowed}"
    hint = "correct {0.name}"
    name: str
    value: float
    allowed: str
