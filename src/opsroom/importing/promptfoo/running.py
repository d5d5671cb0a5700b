"""Running a suite through the API: store it, measure every pair, and say what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Protocol

from opsroom.evidence.shares import mean_share
from opsroom.importing.model import Bundle
from opsroom.kit.junit import Check, junit
from opsroom.kit.wire import plain

from .bundling import Planned
from .suite import Suite

VERDICT, SCORE = "assertions", "assertions-score"
PAGE = 500


class Api(Protocol):
    """What asks the server; the client of the SDK does."""

    def get(self, path: str, **query: Any) -> Any: ...

    def post(self, path: str, body: Any = None) -> Any: ...

    def call(
        self, method: str, path: str, body: Any = None, *, timeout: float | None
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class Case:
    """What came of one trial of a case in one run. `place` is the case's in the file; `good` is
    None where there is no verdict.
    """

    place: int
    item: str
    good: bool | None
    score: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a suite, as it is stored, with its cases."""

    plan: Planned
    run: Mapping[str, Any]
    cases: tuple[Case, ...]

    @property
    def passed(self) -> int:
        return sum(one.good is True for one in self.cases)

    @property
    def failed(self) -> int:
        return sum(one.good is False for one in self.cases)

    @property
    def errors(self) -> int:
        return sum(one.good is None for one in self.cases)


def run_suite(api: Api, suite: Suite, bundle: Bundle, plans: Sequence[Planned]) -> list[Ran]:
    """Store the suite and make its runs, each as long as it takes. What was measured before is
    found again.
    """
    api.post("/v1/imports", plain(bundle))
    made: list[Ran] = []
    for plan in plans:
        run = api.call(
            "POST",
            "/v1/evals/runs",
            {
                "subject": plan.subject,
                "dataset": suite.name,
                "evaluators": list(plan.evaluators),
                "source": plan.source,
                "trials": plan.trials,
            },
            timeout=None,
        )
        made.append(Ran(plan, run, tuple(_cases(api, run["id"], suite))))
    return made


def _cases(api: Api, run_id: str, suite: Suite) -> list[Case]:
    """What came of every case, in the order of the file."""
    places = {one.hash: number for number, one in enumerate(suite.items)}
    found: list[tuple[int, Case]] = []
    last: dict[str, Any] = {}
    while page := api.get(f"/v1/evals/runs/{run_id}/results", limit=PAGE, **last):
        last = {"after": page[-1]["item"], "trial": page[-1]["trial"]}
        for one in page:
            place = places[one["item"]]
            said = str(suite.items[place].metadata.get("description", ""))
            trial = f" #{one['trial'] + 1}" if one["trial"] else ""
            called = f"{suite.items[place].id}{trial}{f': {said}' if said else ''}"
            found.append((one["trial"], _case(place, called, one)))
    return [case for _, case in sorted(found, key=lambda one: (one[1].place, one[0]))]


def _case(place: int, called: str, result: Mapping[str, Any]) -> Case:
    if result["error"]:
        return Case(place, called, None, None, result["error"])
    verdict = result["scores"].get(VERDICT, {})
    score = result["scores"].get(SCORE, {})
    reason = verdict.get("reason", "")
    return Case(place, called, verdict.get("passed"), score.get("value"), reason)


def all_good(ran: Sequence[Ran]) -> bool:
    """Whether every case of every run passed; a case without a verdict did not."""
    return bool(ran) and all(one.cases and one.passed == len(one.cases) for one in ran)


def as_data(ran: Sequence[Ran], suite: Suite) -> dict[str, Any]:
    """Everything about the runs, for programs."""
    return {
        "suite": suite.name,
        "passed": all_good(ran),
        "notes": list(suite.notes),
        "runs": [
            {
                "id": one.run["id"],
                "prompt": one.plan.prompt,
                "provider": one.plan.provider,
                "subject": one.run["subject_name"],
                "state": one.run["state"],
                "passed": one.passed,
                "failed": one.failed,
                "errors": one.errors,
                "cases": [
                    {
                        "item": case.item,
                        "passed": case.good,
                        "score": case.score,
                        "reason": case.reason,
                    }
                    for case in one.cases
                ],
            }
            for one in ran
        ],
    }


def junit_report(ran: Sequence[Ran], suite: Suite) -> str:
    """One test case for each case of each run."""
    return junit(
        suite.name,
        [
            Check(
                group=f"{one.plan.prompt} · {one.plan.provider}",
                name=case.item,
                failure="" if case.good else case.reason or "no verdict",
            )
            for one in ran
            for case in one.cases
        ],
    )


def markdown_report(ran: Sequence[Ran], suite: Suite) -> str:
    """A table with an interval for each run, and the cases that did not pass."""
    outcome = "passed" if all_good(ran) else "failed"
    lines = [
        f"### {suite.name}: {outcome}",
        "",
        "| prompt | model | passed | failed | errors | pass rate (95 %) | run |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {_cell(one.plan.prompt)} | {_cell(one.plan.provider)} | {one.passed} | {one.failed} "
        f"| {one.errors} | {_rate(one)} | `{one.run['id']}` |"
        for one in ran
    ]
    bad = [(one, case) for one in ran for case in one.cases if not case.good]
    if bad:
        lines += ["", "| case | model | why |", "|---|---|---|"]
    for one, case in bad[:100]:
        lines.append(
            f"| {_cell(case.item)} | {_cell(one.plan.provider)} | {_cell(case.reason)} |"
        )
    if len(bad) > 100:
        lines.append(f"| {len(bad) - 100} more | | |")
    return "\n".join([*lines, ""])


def _rate(one: Ran) -> str:
    """The mean over the cases: trials of one case say less than as many cases would."""
    said: dict[int, list[bool]] = {}
    for case in one.cases:
        if case.good is not None:
            said.setdefault(case.place, []).append(case.good)
    if not said:
        return "–"
    shares = [fmean(each) for each in said.values()]
    between = mean_share(shares)
    return f"{fmean(shares):.1%} [{between.low:.1%}, {between.high:.1%}]"


def _cell(text: str) -> str:
    """One cell of a table: on one line, and nothing in it is markup."""
    line = " ".join(text.split())
    line = line if len(line) <= 120 else f"{line[:119]}…"
    for mark in "\\`|*_<>[]":
        line = line.replace(mark, f"\\{mark}")
    return line
