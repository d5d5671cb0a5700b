"""Reflective search with gepa: a model reads what went wrong and rewrites the prompt.

gepa decides what to try; whatever it asks goes through the workbench, so budget, splits and
refusals hold for it as for any search. It learns from the training split, and a rewrite that
did well there is measured on the selection split. Nothing of it is pickled or written to disk:
after a crash it is run again with the same seed, over answers that were kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from opsroom.datasets import Item
from opsroom.kit.wire import plain
from opsroom.prompts.model import Format, PromptSpec, Role, read_spec

from .errors import BudgetSpent, OptimiserMissing, SearchStopped
from .examples import as_text
from .material import Material
from .model import SELECTION, Candidate, Standing
from .workbench import Rehearsed, Workbench

SHOWN = 2000
TEMPLATE = """I provided an assistant with the following instructions to perform a task for me:
```
<curr_param>
```

The following are examples of inputs, of what the assistant answered, and of what would have been right:
```
<side_info>
```

Write new instructions for the assistant that keep what works and mend what went wrong. State rules
that hold in general, with the facts that the examples show. Every {{ variable }} of the instructions
must stay exactly as it is written, and there must be no new one.

Give the new instructions within ``` blocks."""


def by_reflection(bench: Workbench, material: Material) -> None:
    """Let gepa rewrite the prompt, for so many rounds or until the budget is spent.

    Raises `OptimiserMissing` where gepa is not installed, `BudgetSpent` and `SearchStopped`.
    """
    try:
        gepa = import_module("gepa")  # an extra, so nothing may need it to be there
    except ImportError as error:
        raise OptimiserMissing from error
    base = read_spec(bench.base.spec)
    adapter = _Adapter(bench, material, base, gepa.EvaluationBatch)
    gepa.optimize(
        seed_candidate=_components(base),
        trainset=list(material.train),
        valset=list(material.selection),
        adapter=adapter,
        reflection_lm=adapter.reflect,
        reflection_prompt_template=TEMPLATE,
        reflection_minibatch_size=min(bench.plan.minibatch, len(material.train)),
        stop_callbacks=adapter.is_over,
        logger=_Silent(),
        seed=bench.plan.seed,
        raise_on_exception=True,
    )
    if adapter.ended is not None:
        raise adapter.ended


@dataclass(frozen=True, slots=True)
class _Seen:
    """One item as gepa's reflection sees it."""

    item: Item
    answered: str
    feedback: str


class _Adapter:
    """What gepa asks of a system that it improves, in its own words (`gepa.GEPAAdapter`)."""

    propose_new_texts = None  # gepa asks for it, and takes its own where it is None

    def __init__(
        self, bench: Workbench, material: Material, base: PromptSpec, batch: Any
    ) -> None:
        self._bench = bench
        self._selection = material.selection
        self._base = base
        self._batch = batch
        self._parent = 0
        self._learnt = ""
        self.ended: BudgetSpent | SearchStopped | None = None

    def evaluate(
        self, batch: list[Item], candidate: dict[str, str], capture_traces: bool = False
    ) -> Any:
        spec = plain(_rewritten(self._base, candidate))
        if any(one.split == SELECTION for one in batch):
            tried = self._bench.try_spec(
                spec, len(self._selection), parent=self._parent, change=self._change
            )
            values = self._values(tried, batch)
            return self._batch(outputs=[None] * len(batch), scores=values, trajectories=None)
        if self._bench.refuse(spec, parent=self._parent, change=self._change) is not None:
            # gepa turns it down by its score; why is written down with the candidate.
            return self._batch(
                outputs=[None] * len(batch),
                scores=[self._bench.worst] * len(batch),
                trajectories=[] if capture_traces else None,
            )
        done = self._bench.rehearse(spec, batch)
        return self._batch(
            outputs=[None] * len(batch),
            scores=[self._bench.good(one.result) for one in done],
            trajectories=[_seen(one) for one in done] if capture_traces else None,
        )

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        self._parent = self._bench.number_of(plain(_rewritten(self._base, candidate)))
        seen: list[_Seen] = eval_batch.trajectories
        wrong = [one.item.id for one in seen if one.feedback]
        self._learnt = f"{len(wrong)} mistakes: {', '.join(wrong)}"[:300]
        records = [
            {
                "Input": as_text(one.item.input)[:SHOWN],
                "Answer": one.answered[:SHOWN],
                "Feedback": one.feedback or "This is right.",
            }
            for one in seen
        ]
        return dict.fromkeys(components_to_update, records)

    def reflect(self, prompt: Any) -> str:
        try:
            return self._bench.reflect(str(prompt))
        except (BudgetSpent, SearchStopped) as ended:
            self.ended = ended  # gepa goes on past what goes wrong in a reflection
            raise

    def is_over(self, state: Any) -> bool:
        return self.ended is not None or int(state.i) + 1 >= self._bench.plan.rounds

    @property
    def _change(self) -> str:
        return f"rewritten after {self._learnt}" if self._learnt else "as it is"

    def _values(self, tried: Candidate, batch: Sequence[Item]) -> list[float]:
        if tried.standing is Standing.REFUSED:
            return [self._bench.worst] * len(batch)
        values = self._bench.values(tried)
        return [values.get(one.hash, self._bench.worst) for one in batch]


class _Silent:
    """gepa would print prompts and items; what is worth knowing is in the candidates."""

    def log(self, message: str) -> None:
        del message


def _components(spec: PromptSpec) -> dict[str, str]:
    """The texts that are ours to rewrite: the system's messages, or all where there is none."""
    ours = {Role.SYSTEM, Role.DEVELOPER}
    parts = [one for one in spec.parts if one.role in ours] or list(spec.parts)
    return {one.place: one.template for one in parts}


def _rewritten(spec: PromptSpec, texts: Mapping[str, str]) -> PromptSpec:
    if spec.format is Format.TEXT:
        return replace(spec, text=texts["text"])
    messages = tuple(
        replace(one, content=texts.get(part.place, one.content))
        for one, part in zip(spec.messages, spec.parts, strict=True)
    )
    return replace(spec, messages=messages)


def _seen(one: Rehearsed) -> _Seen:
    answered = one.output.text if one.output else ""
    reasons = [score.reason for score in one.result.scores.values() if score.reason]
    wrong = one.result.error or any(
        score.passed is False for score in one.result.scores.values()
    )
    if not wrong:
        return _Seen(one.item, answered, "")
    told = ["This is wrong.", one.result.error or " ".join(reasons)]
    if one.item.expected is not None:
        told.append(f"The right answer is: {as_text(one.item.expected)}")
    return _Seen(one.item, answered, "\n".join(filter(None, told))[:SHOWN])
