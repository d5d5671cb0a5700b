"""Putting items to a model and judging the answers, many at once.

Every case ends as a result: answered and judged, or with the error that prevented it.
Results are handed over in small batches while the run goes on, so a crash costs what was in
flight and nothing else; a run that is started again with what is `already` there does only
the rest. Items are drawn one at a time, so a hundred thousand of them take no more memory
than a hundred.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from opsroom.datasets import Item
from opsroom.kit.errors import OpsroomError
from opsroom.models import Model, ModelRequest, Output

from .evaluators import Evaluator
from .ledger import BATCH_SECONDS, Finished, Ledger
from .model import MAX_REASON, Result, ResultKey, Score, Totals, unknown

__all__ = ["Compose", "Finished", "Pace", "run"]

log = logging.getLogger(__name__)

Compose = Callable[[Item, str, int], ModelRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many cases at once, and how long one answer or one verdict may take."""

    concurrency: int = 16
    timeout: timedelta = timedelta(minutes=5)


class _Case(NamedTuple):
    item: Item
    hash: str
    trial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """Everything that settling one case takes."""

    run_id: str
    model: Model
    evaluators: Sequence[Evaluator]
    compose: Compose
    seconds: float


async def run(
    run_id: str,
    items: Iterable[Item],
    model: Model,
    evaluators: Sequence[Evaluator],
    *,
    compose: Compose,
    on_results: Callable[[list[Finished]], None],
    trials: int = 1,
    pace: Pace | None = None,
    already: Container[ResultKey] = frozenset(),
    progress: Callable[[Totals], None] | None = None,
    cancel: asyncio.Event | None = None,
) -> Totals:
    """Answer and judge every case that is not `already` done; say what it took.

    `compose` turns an item, its content hash and a trial number into the request.
    `on_results` is called on this thread, at most every 200 results or 0.2 seconds; a result
    counts as done once it returns, and what it raises ends the run. `progress` follows each
    hand-over. When `cancel` is set, or the task is cancelled, cases in flight are dropped
    and finished ones handed over; `Totals.stopped` says that there is more to do.
    """
    pace = pace or Pace()
    desk = _Desk(
        run_id=run_id,
        model=model,
        evaluators=evaluators,
        compose=compose,
        seconds=pace.timeout.total_seconds(),
    )
    ledger = Ledger(on_results, progress)
    cases = _cases(items, trials, already, ledger)
    workers = [asyncio.create_task(_work(cases, desk, ledger)) for _ in range(pace.concurrency)]
    ticker = asyncio.create_task(_tick(ledger))
    stop = asyncio.create_task(cancel.wait()) if cancel is not None else None
    try:
        await _until_done(workers, ticker, stop, ledger)
    finally:
        for task in (*workers, ticker, *([stop] if stop else [])):
            task.cancel()
        await asyncio.gather(*workers, ticker, return_exceptions=True)
        ledger.hand_over()
    return ledger.totals


def _cases(
    items: Iterable[Item], trials: int, already: Container[ResultKey], ledger: Ledger
) -> Iterator[_Case]:
    for item in items:
        content = item.hash
        for trial in range(trials):
            if ResultKey(content, trial) in already:
                ledger.skip()
            else:
                yield _Case(item, content, trial)


async def _work(cases: Iterator[_Case], desk: _Desk, ledger: Ledger) -> None:
    for case in cases:  # shared: each worker takes the next case that nobody has
        ledger.add(await _settle(case, desk))
        if ledger.is_full:
            ledger.hand_over()
            await asyncio.sleep(0)  # an instant model must not starve everyone else


async def _tick(ledger: Ledger) -> None:
    while True:
        await asyncio.sleep(BATCH_SECONDS)
        ledger.hand_over()


async def _until_done(
    workers: Sequence[asyncio.Task[None]],
    ticker: asyncio.Task[None],
    stop: asyncio.Task[bool] | None,
    ledger: Ledger,
) -> None:
    """Until all cases are settled, somebody failed, or somebody said stop."""
    everyone = asyncio.gather(*workers)
    first: set[asyncio.Future[object]] = {everyone, ticker, *([stop] if stop else [])}  # type: ignore[arg-type]
    done, _ = await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    if everyone in done or ticker in done:
        for ended in done - {stop}:
            ended.result()
    else:
        ledger.stop()


async def _settle(case: _Case, desk: _Desk) -> Finished:
    """One case as a result. Never raises for what is wrong with one case."""
    try:
        request = desk.compose(case.item, case.hash, case.trial)
        async with asyncio.timeout(desk.seconds):
            output = await desk.model.complete(request)
        named = output.digest
    except Exception as error:  # noqa: BLE001  # one bad case must not cost the others
        return Finished(_result(case, desk, error=_said(error, case, desk)[:MAX_REASON]), None)
    if output.error is not None:
        return Finished(
            _result(case, desk, output, error=output.error[:MAX_REASON], output_digest=named),
            output,
        )
    scores = {
        one.metric.name: await _judged(one, case, output, desk) for one in desk.evaluators
    }
    return Finished(_result(case, desk, output, scores=scores, output_digest=named), output)


async def _judged(evaluator: Evaluator, case: _Case, output: Output, desk: _Desk) -> Score:
    try:
        score = evaluator.assess(case.item, output)
        if isinstance(score, Awaitable):
            async with asyncio.timeout(desk.seconds):
                score = await score
    except Exception as error:  # noqa: BLE001  # one bad score must not cost the others
        return unknown(_said(error, case, desk))
    return score


def _result(case: _Case, desk: _Desk, output: Output | None = None, **found: Any) -> Result:
    """A result with what the output took, and what was `found`."""
    took = output or Output()
    return Result(
        run_id=desk.run_id,
        item=case.hash,
        item_id=case.item.id,
        trial=case.trial,
        latency=took.latency,
        cost=took.cost,
        input_tokens=took.input_tokens,
        output_tokens=took.output_tokens,
        **found,
    )


def _said(error: Exception, case: _Case, desk: _Desk) -> str:
    """The error in a sentence. Only ours are expected; anything else is logged as a bug."""
    if isinstance(error, OpsroomError):
        return f"{error.code}: {error}"
    if isinstance(error, TimeoutError):
        return f"timeout: nothing within {desk.seconds:g} s"
    # Without its text, which may quote the item or the answer.
    log.error("bug in run %s at item %r: %s", desk.run_id, case.item.id, type(error).__name__)
    return f"bug: {type(error).__name__}: {error}"
