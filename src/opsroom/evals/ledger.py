"""The books of a run: what is finished, what it took, and what still has to be made durable."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from opsroom.models import Output

from .model import Result, Totals, Usage

BATCH = 200
BATCH_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Finished:
    """A result and, unless the case failed, the output that was judged."""

    result: Result
    output: Output | None


class Ledger:
    """Collects finished cases and hands them over in batches, each exactly once."""

    def __init__(
        self,
        on_results: Callable[[list[Finished]], None],
        progress: Callable[[Totals], None] | None,
    ) -> None:
        self._on_results = on_results
        self._progress = progress
        self._waiting: list[Finished] = []
        self._broken = False
        self._stopped = False
        self._answered = self._errors = self._unjudged = self._skipped = 0
        self._model = _Spent()
        self._judges = _Spent()

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= BATCH

    @property
    def totals(self) -> Totals:
        """The books as they stand."""
        return Totals(
            answered=self._answered,
            errors=self._errors,
            unjudged=self._unjudged,
            skipped=self._skipped,
            cost=self._model.cost,
            unpriced=self._model.unpriced,
            input_tokens=self._model.input_tokens,
            output_tokens=self._model.output_tokens,
            judge_cost=self._judges.cost,
            judge_unpriced=self._judges.unpriced,
            judge_tokens=self._judges.input_tokens + self._judges.output_tokens,
            stopped=self._stopped,
        )

    def add(self, finished: Finished) -> None:
        result = finished.result
        self._waiting.append(finished)
        if result.error is None:
            self._answered += 1
        else:
            self._errors += 1
        if finished.output is not None:
            self._model.add(
                Usage(
                    cost=result.cost,
                    input_tokens=result.input_tokens,
                    output_tokens=result.output_tokens,
                )
            )
        for score in result.scores.values():
            self._unjudged += score.error
            if score.usage is not None:
                self._judges.add(score.usage)

    def skip(self) -> None:
        self._skipped += 1

    def stop(self) -> None:
        self._stopped = True

    def hand_over(self) -> None:
        """Give away what is waiting. A batch that was refused is not offered again."""
        if not self._waiting or self._broken:
            return
        batch, self._waiting = self._waiting, []
        self._broken = True
        self._on_results(batch)
        self._broken = False
        if self._progress is not None:
            self._progress(self.totals)


@dataclass(slots=True)
class _Spent:
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, usage: Usage) -> None:
        if usage.cost is None:
            self.unpriced += 1
        else:
            self.cost += usage.cost
        self.input_tokens += usage.input_tokens or 0
        self.output_tokens += usage.output_tokens or 0


def summed(results: Iterable[Result]) -> Totals:
    """The books of a run as its stored results tell them, whoever wrote them and when."""
    ledger = Ledger(lambda _: None, None)
    answered = Output()
    for result in results:
        ledger.add(Finished(result, answered if result.error is None else None))
    return ledger.totals
