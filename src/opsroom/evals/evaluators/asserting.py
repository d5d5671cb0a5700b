"""The evaluator of items that say themselves, by assertions, what is expected of an answer."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from opsroom.datasets import Item
from opsroom.evals.model import MAX_REASON, Score, Usage, unknown
from opsroom.kit.canonical import digest
from opsroom.kit.wire import plain
from opsroom.models import Model, Output

from .assertions import Graded, Unclear, answer_of, grade
from .specs import Assertions

_KEPT = 64  # gradings; more than there are cases at work at once


class Gradings:
    """Grades each answer once, however many evaluators ask for a part of it.

    What a grader costs is told to the one that asked first.
    """

    def __init__(self, spec: Assertions, model: Model | None) -> None:
        self._spec = spec
        self._model = model
        self._kept: OrderedDict[tuple[int, int], tuple[Item, Output, Graded | Unclear]] = (
            OrderedDict()
        )

    async def of(self, item: Item, output: Output) -> tuple[Graded | Unclear, bool]:
        """What the assertions of `item` say of `output`, and whether that is new."""
        key = (id(item), id(output))  # both are kept, so their ids stay theirs
        if key in self._kept:
            return self._kept[key][2], False
        found = await self._grade(item, output)
        self._kept[key] = (item, output, found)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found, True

    async def _grade(self, item: Item, output: Output) -> Graded | Unclear:
        expected = item.expected
        if not isinstance(expected, Mapping):
            return Unclear("the item expects no assertions")
        answer = answer_of(output, tools=self._spec.tools, functions=self._spec.functions)
        try:
            return await grade(expected, item, answer, self._model)
        except Unclear as why:
            return why


def assertions(
    spec: Assertions, model: Model | None, gradings: dict[str, Gradings] | None = None
) -> Callable[[Item, Output], Awaitable[Score]]:
    """The check of one part of what assertions say. Model errors are raised.

    Checks that share `gradings` and differ in their part alone grade each answer once.
    """
    key = digest(plain(replace(spec, part="verdict", named="", metric=None)))
    shared = (gradings if gradings is not None else {}).setdefault(key, Gradings(spec, model))

    async def check(item: Item, output: Output) -> Score:
        found, new = await shared.of(item, output)
        if isinstance(found, Unclear):
            return unknown(str(found))
        return _score(spec, found, found.usage if new else None)

    return check


def _score(spec: Assertions, found: Graded, usage: Usage | None) -> Score:
    good, score, reason = found.verdict
    if spec.named:
        if spec.named not in found.named:
            return unknown(f"no assertion of this case is called {spec.named!r}", usage)
        return Score(value=found.named[spec.named], usage=usage)
    if spec.part == "score":
        return Score(value=score, usage=usage)
    said = "" if good else reason[:MAX_REASON]
    held = good if spec.part == "verdict" else not good
    return Score(value=float(held), passed=good, reason=said, usage=usage)
