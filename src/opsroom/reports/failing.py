"""Top failing prompts: cases that came out wrong, turns that failed, users who were not helped.

A prompt answers for what the versions of agents that cite it did, so one failure may stand
against several prompts. The worst is the one whose failure rate is *certainly* high: rows are in
the order of the highest lower end of an interval, so that one failure of two does not come
before a hundred of a thousand.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from opsroom.actions import queries as actions
from opsroom.actions.model import Final
from opsroom.evals import queries as evals
from opsroom.evals.model import EvalRun, Result
from opsroom.feedback import queries as feedback
from opsroom.kit.db import Tx
from opsroom.registry import Ref
from opsroom.registry.errors import BadReference
from opsroom.traces import groups
from opsroom.traces.errors import TelemetryUnavailable
from opsroom.traces.queries import Reads

from .citing import Citing
from .model import MOST_RECORDS, Ask, Column, Fact, Found, Rate, Record, Row, Shape, rate

COLUMNS = (
    Column(key="prompt", title="Prompt"),
    Column(key="cases", title="Cases failed", shape=Shape.RATE),
    Column(key="turns", title="Turns failed", shape=Shape.RATE),
    Column(key="voices", title="Users not helped", shape=Shape.RATE),
    Column(key="traces", title="Traces with an error", shape=Shape.RATE),
    Column(key="agents", title="Through agents"),
)
SOURCES = ("cases", "turns", "voices", "traces")
NOTES: tuple[str, ...] = (
    (
        "Cases: the newest run of each agent or prompt on each dataset in this time; a case failed where it"
        " had no answer or a judge said no, and counts once, by its first trial. Turns: those that"
        " failed or were abandoned. Traces: those in which a call that names the prompt failed."
    ),
    (
        "What an agent did stands against every prompt that its version cites. The intervals are for"
        " each rate alone: the first of many rows is also there by chance."
    ),
)
MOST_RUNS = 500
MOST_RESULTS = 100_000
BAD = frozenset({Final.FAILED.value, Final.ABANDONED.value})


@dataclass(slots=True)
class _Tally:
    """What is known of one prompt: failures and observations by source."""

    hits: Counter[str] = field(default_factory=Counter[str])
    n: Counter[str] = field(default_factory=Counter[str])
    agents: set[str] = field(default_factory=set[str])
    runs: list[str] = field(default_factory=list[str])


def look(tx: Tx, ask: Ask, telemetry: Reads | None) -> Found:
    """The prompts with the most certain failures first; of those seen often enough."""
    citing = Citing(tx)
    found: dict[str, _Tally] = {}
    notes = list(NOTES)
    for run, failed, cases in _cases(tx, ask, citing, notes):
        for one in _of(found, citing, run.subject_name, ask):
            one.hits["cases"] += failed
            one.n["cases"] += cases
            one.runs.append(run.id)
    for turns in actions.finals(tx, since=ask.since, until=ask.until):
        for one in _of(found, citing, turns.version, ask):
            one.hits["turns"] += turns.times * (turns.final in BAD)
            one.n["turns"] += turns.times
    for said in feedback.satisfaction(
        tx, since=ask.since, until=ask.until, by=("agent", "version")
    ):
        for one in _of(found, citing, f"agent/{said.version}", ask):
            one.hits["voices"] += said.helpful.tally.n - said.helpful.tally.hits
            one.n["voices"] += said.helpful.tally.n
    if telemetry is not None and not ask.agent:
        _traces(tx, ask, telemetry, found, notes)
    rows = [_row(name, one) for name, one in found.items()]
    often = [one for one in rows if any(_n(one, each) >= ask.least for each in SOURCES)]
    often.sort(key=lambda one: (-_worst(one, ask.least), str(one.cells["prompt"])))
    return Found(
        rows=often[: ask.limit],
        facts=[
            Fact(name="prompts seen at work", value=len(rows)),
            Fact(name=f"of them at least {ask.least} times in one way", value=len(often)),
            Fact(name="seen too seldom to say", value=len(rows) - len(often)),
        ],
        notes=notes,
    )


def _of(found: dict[str, _Tally], citing: Citing, version: str, ask: Ask) -> Iterator[_Tally]:
    """The prompts that a version rests on."""
    kind, _, name = version.partition("@")[0].partition("/")
    if ask.agent and (kind, name) != ("agent", ask.agent):
        return
    for prompt in {Ref.parse(one).name for one in citing.prompts(version)}:
        one = found.setdefault(prompt, _Tally())
        if kind == "agent":
            one.agents.add(name)
        yield one


def _cases(
    tx: Tx, ask: Ask, citing: Citing, notes: list[str]
) -> Iterator[tuple[EvalRun, int, int]]:
    """The newest run of each agent or prompt on each dataset, with failures and cases: a case that
    several versions were put to counts once.
    """
    runs = evals.runs_between(tx, since=ask.since, until=ask.until, limit=MOST_RUNS)
    if len(runs) == MOST_RUNS:
        notes.append(f"Only the newest {MOST_RUNS} runs were read.")
    newest: dict[tuple[str, str, str], EvalRun] = {}
    for run in runs:
        version = citing.version(run.subject_name)
        if version is not None and version.digest == run.subject:  # a draft is no version
            subject, dataset = (
                one.partition("@")[0] for one in (run.subject_name, run.dataset_name)
            )
            newest.setdefault((subject, dataset, run.split), run)
    left = MOST_RESULTS
    for run in newest.values():
        failed = cases = 0
        for result in evals.first_trials(tx, run.id, limit=left + 1):
            if not left:
                notes.append(f"Only the newest {MOST_RESULTS:,} cases were read.")
                yield run, failed, cases
                return
            left -= 1
            verdict = _failed(result)
            failed += verdict is True
            cases += verdict is not None
        yield run, failed, cases


def _failed(result: Result) -> bool | None:
    """Whether a case failed; None where nobody could judge it."""
    if result.error is not None:
        return True
    said = [one.passed for one in result.scores.values() if one.passed is not None]
    return None if not said else not all(said)


def _traces(
    tx: Tx, ask: Ask, telemetry: Reads, found: dict[str, _Tally], notes: list[str]
) -> None:
    try:
        rows = groups.by_prompt(telemetry, tx.project, since=ask.since, until=ask.until)
    except TelemetryUnavailable as error:
        notes.append(f"Traces are not in it: {error}.")
        return
    for named, traces, failed in rows:
        try:
            name = Ref.parse(named, kind="prompt").name
        except BadReference:
            continue
        one = found.setdefault(name, _Tally())
        one.hits["traces"] += failed
        one.n["traces"] += traces


def _row(name: str, one: _Tally) -> Row:
    agents = sorted(one.agents)
    return Row(
        cells={
            "prompt": name,
            **{each: rate(one.hits[each], one.n[each]) for each in SOURCES},
            "agents": ", ".join(agents[:MOST_RECORDS])
            + (", …" if agents[MOST_RECORDS:] else ""),
        },
        records=(
            Record(name="prompt", page=f"/prompts/{name}"),
            *(Record(name="run", page=f"/evals/runs/{each}") for each in one.runs[:2]),
            *(Record(name="turns", page=f"/turns?agent={each}") for each in agents[:2]),
        ),
    )


def _n(row: Row, source: str) -> int:
    cell = row.cells[source]
    return cell.n if isinstance(cell, Rate) else 0


def _worst(row: Row, least: int) -> float:
    """The highest lower end, of the rates that rest on enough."""
    found = [row.cells[each] for each in SOURCES if _n(row, each) >= least]
    return max((one.low or 0.0 for one in found if isinstance(one, Rate)), default=0.0)
