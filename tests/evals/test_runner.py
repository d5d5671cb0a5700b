"""The runner: every case ends as a result, once, whatever happens on the way."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from opsroom.datasets import BadItem, Item
from opsroom.evals.asking import as_it_is, conversation
from opsroom.evals.evaluators import Evaluator, evaluators
from opsroom.evals.evaluators.specs import CostWithin, Equals, Judge
from opsroom.evals.model import Metric, Result, ResultKey, Score, Totals
from opsroom.evals.runner import Finished, Pace, run
from opsroom.models import (
    Message,
    ModelRequest,
    ModelUnavailable,
    Output,
    Recording,
    ToolCall,
    replay,
)

EQUALS = evaluators([Equals(type="equals")])


def items(n: int) -> list[Item]:
    return [Item(id=f"case-{k}", input=f"say {k}", expected=f"say {k}") for k in range(n)]


class Echo:
    """A model that says what it was told to; `before` may delay it or break it."""

    def __init__(
        self,
        before: Callable[[ModelRequest], Awaitable[None]] | None = None,
        **took: Any,
    ) -> None:
        self.before = before
        self.took = took
        self.asked = 0
        self.at_once = 0
        self.most_at_once = 0

    async def complete(self, request: ModelRequest) -> Output:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.before is not None:
                await self.before(request)
        finally:
            self.at_once -= 1
        return Output(text=request.messages[0].content, **self.took)


class Kept:
    """Where results are made durable."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.finished: list[Finished] = []

    def __call__(self, batch: list[Finished]) -> None:
        self.batches.append(len(batch))
        self.finished.extend(batch)

    @property
    def results(self) -> dict[str, Result]:
        return {one.result.item_id: one.result for one in self.finished}

    @property
    def keys(self) -> set[ResultKey]:
        return {one.result.key for one in self.finished}


def go(cases: Any, model: Any, kept: Callable[[list[Finished]], None], **how: Any) -> Totals:
    how = {"compose": as_it_is("subject"), **how}
    chosen: Sequence[Evaluator] = how.pop("evaluators", EQUALS)
    return asyncio.run(run("run_1", cases, model, chosen, on_results=kept, **how))


def test_every_case_becomes_one_result() -> None:
    kept = Kept()
    totals = go(items(450), Echo(cost=Decimal("0.1"), input_tokens=3, output_tokens=2), kept)
    assert totals == Totals(
        answered=450, cost=Decimal("45.0"), input_tokens=1350, output_tokens=900
    )
    assert len(kept.results) == len(kept.finished) == 450
    one = kept.results["case-7"]
    assert one.item == items(8)[7].hash
    assert one.scores == {"equals": Score(value=1.0, passed=True)}
    assert one.cost == Decimal("0.1")
    output = kept.finished[0].output
    assert output is not None
    assert kept.finished[0].result.output_digest == output.digest
    assert max(kept.batches) <= 200


def test_trials_are_results_of_their_own() -> None:
    kept = Kept()
    assert go(items(2), Echo(), kept, trials=3).answered == 6
    assert {(key.item, key.trial) for key in kept.keys} == {
        (item.hash, trial) for item in items(2) for trial in range(3)
    }


def test_what_is_not_priced_is_counted_and_not_zero() -> None:
    totals = go(items(3), Echo(), Kept())
    assert (totals.cost, totals.unpriced) == (Decimal(0), 3)


def test_what_goes_wrong_with_a_case_is_its_result() -> None:
    async def trouble(request: ModelRequest) -> None:
        match request.messages[0].content:
            case "say 1":
                raise ModelUnavailable("m", "http://m", "it hung up")
            case "say 2":
                await asyncio.sleep(10)
            case "say 3":
                raise ZeroDivisionError("never expected")
            case _:
                pass

    kept = Kept()
    totals = go(items(5), Echo(trouble), kept, pace=Pace(timeout=timedelta(seconds=0.05)))
    assert (totals.answered, totals.errors, totals.done) == (2, 3, 5)
    errors = {name: one.error for name, one in kept.results.items() if one.error}
    assert set(errors) == {"case-1", "case-2", "case-3"}
    assert errors["case-1"] is not None
    assert errors["case-1"].startswith("model_unavailable: ")
    assert errors["case-2"] == "timeout: nothing within 0.05 s"
    assert errors["case-3"] == "bug: ZeroDivisionError: never expected"
    failed = kept.results["case-1"]
    assert (failed.scores, failed.value("equals"), failed.value("latency")) == ({}, None, None)


def test_an_output_that_says_it_failed_is_no_answer() -> None:
    kept = Kept()
    totals = go(items(1), Echo(error="agent crashed", cost=Decimal(1)), kept)
    assert (totals.errors, totals.cost) == (1, Decimal(1))
    [finished] = kept.finished
    assert finished.result.error == "agent crashed"
    assert finished.result.scores == {}
    assert finished.output is not None


def test_an_output_without_canonical_form_is_an_error_of_its_case() -> None:
    kept = Kept()
    totals = go(items(2), Echo(latency=float("nan")), kept)
    assert totals.errors == 2
    assert "not_canonical" in str(kept.results["case-0"].error)


def test_a_score_that_cannot_be_given_leaves_the_others_alone() -> None:
    def broken(_: Item, __: Output) -> Score:
        raise KeyError("oops")

    chosen = (
        *EQUALS,
        *evaluators([CostWithin(type="cost", usd=Decimal(1))]),
        Evaluator(Metric(name="broken"), broken),
    )
    kept = Kept()
    totals = go(items(2), Echo(), kept, evaluators=chosen)
    assert (totals.answered, totals.unjudged) == (2, 4)
    scores = kept.results["case-0"].scores
    assert scores["equals"].passed
    assert scores["cost-within"].error
    assert scores["broken"].reason == "bug: KeyError: 'oops'"


def test_judges_are_awaited_timed_and_billed() -> None:
    class Judging:
        async def complete(self, request: ModelRequest) -> Output:
            if '"say 1"' in request.messages[1].content:
                await asyncio.sleep(10)
            return Output(
                text='{"verdict": "pass", "reason": "fine"}',
                cost=Decimal("0.5"),
                input_tokens=10,
                output_tokens=1,
            )

    judge = Judge(type="llm-judge", rubric="be right", model="j")
    kept = Kept()
    totals = go(
        items(3),
        Echo(),
        kept,
        evaluators=evaluators([judge], {"j": Judging()}),
        pace=Pace(timeout=timedelta(seconds=0.05)),
    )
    assert (totals.judge_cost, totals.judge_tokens) == (Decimal("1.0"), 22)
    assert (totals.answered, totals.unjudged) == (3, 1)
    assert kept.results["case-0"].scores["llm-judge"].passed
    assert kept.results["case-1"].scores["llm-judge"].error


def test_no_more_at_once_than_asked_for() -> None:
    async def a_little(_: ModelRequest) -> None:
        await asyncio.sleep(0.002)

    model = Echo(a_little)
    go(items(60), model, Kept(), pace=Pace(concurrency=7))
    assert model.most_at_once == 7


def test_items_are_drawn_as_they_are_needed() -> None:
    drawn = 0

    def endless() -> Iterator[Item]:
        nonlocal drawn
        while True:
            drawn += 1
            yield Item(id=str(drawn), input=drawn)

    async def wait(_: ModelRequest) -> None:
        if model.asked > 20:
            enough.set()
        await asyncio.sleep(0.001)

    async def some() -> Totals:
        return await run(
            "run_1",
            endless(),
            model,
            (),
            compose=as_it_is("s"),
            on_results=Kept(),
            pace=Pace(concurrency=4),
            cancel=enough,
        )

    enough = asyncio.Event()
    model = Echo(wait)
    totals = asyncio.run(some())
    assert totals.stopped
    assert drawn <= model.asked + 4 <= 40


def test_results_are_handed_over_while_slow_cases_are_still_out() -> None:
    handed = threading.Event()
    batches: list[int] = []

    async def slow_last(request: ModelRequest) -> None:
        if request.messages[0].content == "say 2":
            assert await asyncio.to_thread(handed.wait, 60), "nothing was handed over before"

    def keep(batch: list[Finished]) -> None:
        batches.append(len(batch))
        handed.set()

    seen: list[int] = []
    go(items(3), Echo(slow_last), keep, progress=lambda totals: seen.append(totals.done))
    assert batches == [2, 1]
    assert seen == [2, 3]


def test_a_run_takes_up_where_it_stopped() -> None:
    stop = asyncio.Event()

    async def stop_in_the_middle(request: ModelRequest) -> None:
        if request.messages[0].content == "say 30":
            stop.set()
        await asyncio.sleep(0.001)

    first = Kept()
    pace = Pace(concurrency=4)
    begun = go(items(60), Echo(stop_in_the_middle), first, cancel=stop, pace=pace)
    assert begun.stopped
    assert 20 < begun.answered < 40
    assert len(first.keys) == begun.answered

    second, model = Kept(), Echo()
    rest = go(items(60), model, second, already=first.keys)
    assert not rest.stopped
    assert rest.skipped == begun.answered
    assert model.asked == rest.answered == 60 - begun.answered
    assert first.keys | second.keys == {ResultKey(item.hash, 0) for item in items(60)}
    assert not first.keys & second.keys


def test_a_cancelled_task_hands_over_what_is_finished() -> None:
    async def last_hangs(request: ModelRequest) -> None:
        if request.messages[0].content == "say 2":
            await asyncio.sleep(10)

    kept = Kept()

    async def cut_off() -> None:
        task = asyncio.create_task(
            run(
                "run_1",
                items(3),
                Echo(last_hangs),
                EQUALS,
                compose=as_it_is("s"),
                on_results=kept,
            )
        )
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cut_off())
    assert set(kept.results) == {"case-0", "case-1"}


def test_results_that_cannot_be_kept_end_the_run() -> None:
    calls = 0

    def full_disk(_: list[Finished]) -> None:
        nonlocal calls
        calls += 1
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        go(items(1000), Echo(), full_disk)
    assert calls == 1

    async def slow(_: ModelRequest) -> None:
        await asyncio.sleep(0.3)

    with pytest.raises(OSError, match="disk full"):
        go(items(100), Echo(slow), full_disk, pace=Pace(concurrency=1))
    assert calls == 2


def test_a_source_of_items_that_breaks_is_loud_but_costs_nothing() -> None:
    def breaks() -> Iterator[Item]:
        yield from items(3)
        raise OSError("file gone")

    kept = Kept()
    with pytest.raises(OSError, match="file gone"):
        go(breaks(), Echo(), kept)
    assert len(kept.results) == 3


def test_recorded_answers_are_judged_like_live_ones_and_gaps_are_errors() -> None:
    known = [
        Recording(subject="v1", item=item.hash, output=Output(text="say 0"))
        for item in items(2)
    ]
    kept = Kept()
    totals = go(items(3), replay(known), kept, compose=as_it_is("v1"))
    assert (totals.answered, totals.errors) == (2, 1)
    assert [kept.results[f"case-{n}"].value("equals") for n in range(3)] == [1.0, 0.0, None]
    assert "no_recording" in str(kept.results["case-2"].error)


def test_an_empty_run_is_over_at_once() -> None:
    kept = Kept()
    assert go([], Echo(), kept) == Totals()
    assert kept.batches == []


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("hi", (Message(role="user", content="hi"),)),
        ({"b": 1, "a": [2]}, (Message(role="user", content='{"a":[2],"b":1}'),)),
        (
            [
                {"role": "system", "content": "s"},
                {"role": "assistant", "tool_calls": [{"name": "t", "id": "1"}]},
            ],
            (
                Message(role="system", content="s"),
                Message(role="assistant", tool_calls=(ToolCall(name="t", id="1"),)),
            ),
        ),
    ],
)
def test_an_item_is_asked_as_it_is(given: Any, asked: tuple[Message, ...]) -> None:
    request = as_it_is("v", variant="T=0", parameters={"top_p": 1}, seed=5)(
        Item(id="i", input=given), "hash", 2
    )
    assert request == ModelRequest(
        messages=asked,
        subject="v",
        item="hash",
        variant="T=0",
        trial=2,
        parameters={"top_p": 1},
        seed=7,
    )


def test_a_conversation_that_is_none_is_refused_by_place() -> None:
    bad = Item(id="i", input=[{"role": "user"}, {"role": "robot", "content": "beep"}])
    with pytest.raises(BadItem, match=r"message 1\.role"):
        conversation(bad)
