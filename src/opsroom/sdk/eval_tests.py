"""What pytest does with tests that are marked `opsroom_eval`: collect, run, judge, and sum up.

Tests run wherever pytest runs them; what came of each goes with its report (as properties, which
a JUnit file has too), so the main process of pytest-xdist knows all of it. Every process puts its
answers into the one run of the session, and the main process ends it.
"""

import asyncio
import functools
import inspect
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from opsroom.kit.errors import OpsroomError

from . import default
from .errors import RemoteError
from .eval_cases import Asked, Case, cases, printable, source
from .eval_summary import Gating, Heard, Summary

ARGUMENT = "opsroom_case"
WRONG, ON, NAME, SCORE = "opsroom.wrong", "opsroom.on", "opsroom.case", "opsroom.score."
RUN = "opsroom.run"
T = TypeVar("T")


class Proving:
    """The plugin proper, one in each process that has a marked test."""

    def __init__(self, config: pytest.Config) -> None:
        self._option: Callable[[str], Any] = lambda name: config.getoption(f"opsroom_{name}")
        worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._session = f"pytest-{worker['testrunuid'] if worker else uuid4().hex}"
        self._is_worker = worker is not None
        self._summary = Summary(default())
        self._lines: list[str] = []
        self._first: dict[tuple[str, str, int], str] = {}

    def parametrize(self, metafunc: pytest.Metafunc, mark: pytest.Mark) -> None:
        """One test for each case."""
        if ARGUMENT not in metafunc.fixturenames:
            pytest.fail(f"a test marked opsroom_eval takes {ARGUMENT!r}", pytrace=False)
        asked = _asked(mark, self._option("variant"))
        beside = Path(metafunc.definition.path).parent
        if self._option("offline") and not asked.is_file:
            away = pytest.mark.skip(reason=f"{asked.dataset} is on a server; --opsroom-offline")
            metafunc.parametrize(ARGUMENT, [pytest.param(None, id="offline", marks=away)])
            return
        try:
            found = source(default(), asked, session=self._session, beside=beside)
            every = cases(found, asked.trials)
        except (OpsroomError, RemoteError) as error:
            raise pytest.fail.Exception(_said(error), pytrace=False) from None
        metafunc.parametrize(ARGUMENT, every, ids=[one.name for one in every])

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """See which test answers a case: in a run, only one can."""
        for item in session.items:
            case = _case_of(item)
            if case is not None and (place := case.source.place):
                self._first.setdefault((place, case.hash, case.trial), item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
        case = _case_of(pyfuncitem)
        if case is None:
            return (yield)
        first = self._first.get((case.source.place, case.hash, case.trial), pyfuncitem.nodeid)
        if first != pyfuncitem.nodeid:
            pytest.fail(
                f"the case {case.name!r} is answered by {first}, and a run has one answer to each: "
                "test one at a time (-k, with --opsroom-variant), or another `subject`",
                pytrace=False,
            )
        alone = pyfuncitem.get_closest_marker("anyio") is None  # nobody else runs coroutines
        if alone and inspect.iscoroutinefunction(pyfuncitem.obj):
            pyfuncitem.obj = _in_a_loop(pyfuncitem.obj)
        case.start()
        try:
            result = yield
        except (Exception, pytest.fail.Exception) as error:
            self._failed(pyfuncitem, case, error)
            raise
        self._judge(pyfuncitem, case)
        return result

    def heard(self, report: pytest.TestReport) -> None:
        """What came of a case, here or in another process."""
        if self._is_worker:
            return
        said = {name: str(value) for name, value in report.user_properties}
        scores = {
            name.removeprefix(SCORE): float(value)
            for name, value in said.items()
            if name.startswith(SCORE)
        }
        one = Heard(case=said[NAME], on=said[ON], scores=scores, wrong=said.get(WRONG, ""))
        self._summary.add(said[RUN], one)

    def finish(self, session: pytest.Session) -> None:
        """End the runs, ask the gate if it is wanted, and let the exit status say what it says."""
        if self._is_worker or session.config.option.collectonly:
            return
        gating = None
        if self._option("gate"):
            gating = Gating(
                baseline=self._option("gate"),
                ask={
                    "metric": self._option("metric"),
                    "min_samples": self._option("min_samples"),
                    "strict": self._option("strict"),
                    **_given("margin", self._option("margin")),
                },
                proposal=self._option("proposal"),
                junit=self._option("junit"),
            )
        self._lines, status = self._summary.close(gating)
        if path := self._option("md"):
            with Path(path).open("a", encoding="utf-8") as stream:
                stream.write(self._summary.markdown())
        if status and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = status

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._lines:
            terminalreporter.section("opsroom")
            for line in self._lines:
                terminalreporter.line(line)

    def _failed(self, item: pytest.Function, case: Case, error: BaseException) -> None:
        """There is no answer, unless it was given before the test went wrong."""
        said = printable(f"{type(error).__name__}: {error}")
        try:
            if case.judged is None:
                case.failed(said)
            self._put_down(item, case, said)
        except (OpsroomError, RemoteError):
            pass  # the run lacks a case then, and says so when it ends

    def _judge(self, item: pytest.Function, case: Case) -> None:
        judged = case.judged
        if judged is None:
            case.failed("the test gave no answer")
            self._put_down(item, case, "no answer")
            pytest.fail("the test gave no answer: call opsroom_case.answer(…)", pytrace=False)
        self._put_down(item, case, "; ".join((*judged.wrong, *judged.unjudged)))
        if not judged.good:
            said = f"{case.name}: {'; '.join((*judged.wrong, *judged.unjudged))}"
            if self._option("gate"):
                pytest.xfail(f"{said} (the gate weighs it)")
            pytest.fail(said, pytrace=False)

    def _put_down(self, item: pytest.Function, case: Case, wrong: str) -> None:
        scores = case.judged.scores if case.judged else {}
        item.user_properties += [
            (RUN, case.source.run),
            (ON, case.source.on),
            (NAME, case.name),
            *((f"{SCORE}{name}", f"{value:g}") for name, value in scores.items()),
            *([(WRONG, wrong)] if wrong else []),
        ]


def _case_of(item: pytest.Item) -> Case | None:
    found = getattr(item, "callspec", None)
    case = found and found.params.get(ARGUMENT)
    return case if isinstance(case, Case) else None


def _asked(mark: pytest.Mark, variant: str) -> Asked:
    try:
        return _read(*mark.args, variant=variant, **mark.kwargs)
    except TypeError as error:
        said = str(error).replace("_read()", "opsroom_eval")
        raise pytest.fail.Exception(said, pytrace=False) from None


def _read(
    dataset: str,
    *,
    variant: str,
    subject: str = "",
    evaluators: Any = (),
    split: str = "",
    trials: int = 1,
) -> Asked:
    return Asked(
        dataset=str(dataset),
        subject=subject,
        evaluators=tuple(evaluators),
        split=split,
        variant=variant,
        trials=trials,
    )


def _in_a_loop(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return asyncio.run(function(*args, **kwargs))

    return run


def _given(name: str, value: Any) -> dict[str, Any]:
    return {} if value is None else {name: value}


def _said(error: OpsroomError | RemoteError) -> str:
    facts = error.as_dict()
    return f"{facts['message']}; {facts['hint']}" if facts["hint"] else facts["message"]
