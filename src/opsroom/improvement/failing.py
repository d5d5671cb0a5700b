"""What went wrong lately with an agent or a prompt, from everywhere that knows.

Three sources: cases of an evaluation run that did not pass, decisions that people made
otherwise, and traces with an error. Each gives at most `MOST_EACH`, the newest first. Cases of
the held-out split are left out: what is read off them would leak into the next prompt.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from opsroom.corrections import queries as corrections
from opsroom.datasets import queries as datasets
from opsroom.evals import finding
from opsroom.evals.compose import load_prompts
from opsroom.evals.measure import find_subject
from opsroom.evals.model import EvalRun, Result
from opsroom.evals.queries import result_page
from opsroom.evals.queries import run as eval_run
from opsroom.inbox import queries as inbox
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.models import Output, recordings
from opsroom.registry import BadReference, Ref, Version
from opsroom.registry import queries as registry
from opsroom.traces import queries as traces
from opsroom.traces import sampling
from opsroom.traces.model import Filter
from opsroom.traces.telemetry import Traces

from .clustering import Failure, Issue, Section, group, sections
from .errors import HeldOutRun
from .examples import as_text
from .model import HELD_OUT

MOST_EACH = 200
BACK = timedelta(days=7)
RUN, OVERRIDE, TRACE = "evaluation", "override", "trace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issues(Wire):
    """The issues of an agent or a prompt, and how many failures each source gave."""

    subject: str
    issues: tuple[Issue, ...]
    found: dict[str, int]


def issues_of(tx: Tx, name: str, *, run: str = "", store: Traces | None = None) -> Issues:
    """What goes wrong with `name`, grouped. With `run`, the cases of that evaluation run alone.

    Raises `HeldOutRun` for a run on the held-out split, and what finding the name raises.
    """
    version = _serving(tx, name)
    if run:
        wanted = eval_run(tx, run)
        if wanted.split == HELD_OUT:
            raise HeldOutRun(run)
        found = list(_of_run(tx, wanted))
        version = _measured(tx, wanted) or version
    else:
        found = [
            *_of_runs(tx, version),
            *_of_overrides(tx, version.name),
            *(() if store is None else _of_traces(tx, store, version.name)),
        ]
    counts: dict[str, int] = {}
    for one in found:
        counts[one.source] = counts.get(one.source, 0) + 1
    return Issues(
        subject=version.ref, issues=group(found, _paragraphs(tx, version)), found=counts
    )


def _serving(tx: Tx, name: str) -> Version:
    found = find_subject(tx, name)
    return found if "@" in name else registry.in_force(tx, found.kind, found.name)


def _measured(tx: Tx, run: EvalRun) -> Version | None:
    """The version of a run; a candidate of a search is none."""
    try:
        return registry.version(tx, Ref.parse(run.subject_name))
    except BadReference:
        return None


def _paragraphs(tx: Tx, version: Version) -> list[Section]:
    """Every paragraph of every prompt that the version cites."""
    return [
        one
        for cited, spec in load_prompts(tx, version).items()
        for part in spec.parts
        for one in sections(f"{cited} {part.place}", part.template)
    ]


def _of_runs(tx: Tx, version: Version) -> Iterator[Failure]:
    """The failed cases of the newest run of the version that may be looked at."""
    for one in finding.runs_of(tx, version.digest, limit=20):
        if one.split != HELD_OUT and one.totals.answered:
            yield from _of_run(tx, one)
            return


def _of_run(tx: Tx, run: EvalRun) -> Iterator[Failure]:
    results = [
        one
        for one in result_page(tx, run.id, limit=100 * MOST_EACH)
        if one.error is None and _failed(one)
    ][:MOST_EACH]
    hashes = [one.item for one in results]
    wanted = set(hashes)
    _, spec = datasets.dataset(tx, run.dataset_name)
    some = replace(spec, items=tuple(ref for ref in spec.items if ref.hash in wanted))
    items = {one.hash: one for one in datasets.items(tx, some)} if some.items else {}
    outputs: dict[tuple[str, int], Output] = {}
    for variant in (run.variant, f"{run.variant}#{run.id}"):
        for key, output in recordings.of_subject(tx, run.subject, hashes, variant).items():
            outputs[key.item, key.trial] = output
    for one in results:
        item, said = items.get(one.item), outputs.get((one.item, one.trial))
        if item is not None:
            yield Failure(
                source=RUN,
                href=f"/evals/runs/{run.id}",
                asked=as_text(item.input),
                answered=said.text if said else "",
                right="" if item.expected is None else as_text(item.expected),
            )


def _failed(one: Result) -> bool:
    return any(score.passed is False for score in one.scores.values())


def _of_overrides(tx: Tx, agent: str) -> Iterator[Failure]:
    found = inbox.overrides(tx, agent=agent, limit=MOST_EACH)
    hidden = corrections.held_out(tx, found)
    for one in found:
        if one.id in hidden:
            continue
        yield Failure(
            source=OVERRIDE,
            href=f"/traces/{one.trace}" if one.trace else "/inbox/overrides",
            asked=" ".join(filter(None, (one.tool, one.category))),
            answered=as_text(one.agent_decision),
            right=as_text(one.human_decision),
            why=one.reasoning,
        )


def _of_traces(tx: Tx, store: Traces, agent: str) -> Iterator[Failure]:
    since = tx.now - BACK
    wanted = Filter(agent=agent, status="error", since=since)
    found = traces.page(store, tx.project, wanted, now=tx.now, limit=MOST_EACH)
    why = {one.trace_id: one.name for one in found}
    for run in sampling.runs_again(
        store, tx.project, agent, list(why), since=since, until=tx.now + timedelta(days=1)
    ):
        yield Failure(
            source=TRACE,
            href=f"/traces/{run.trace_id}",
            asked=run.asked,
            answered=run.answered,
            why=" ".join(sorted(run.tools)) or why[run.trace_id],
        )
