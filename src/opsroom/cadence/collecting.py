"""The evidence of an occasion, collected when somebody begins it: nobody picks what to show.

Every piece says which record it is, its digest at that moment, and what it says in words.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from opsroom.datasets import queries as datasets
from opsroom.drift import queries as drift
from opsroom.evals import judges
from opsroom.evals import queries as evals
from opsroom.evals.model import EvalRun
from opsroom.inbox import queries as inbox
from opsroom.integrations import queries as integrations
from opsroom.integrations.errors import IntegrationNotFound
from opsroom.journal import queries as journal
from opsroom.kit.db import Tx
from opsroom.registry import Kinds, Ref, Version, listing
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION

from . import records
from .looking import MONTH, Mean, Stretch, Work
from .model import AUDITED, Exhibit, Kind, Occasion

RELEVANCE, EFFICIENCY, COVERAGE = AUDITED
MOST_AGENTS = 10
MOST_RUNS = 200  # that are looked through for those of a version
MOST_SHOWN = 5
MOST_DATASETS = 20
MOST_CORRECTIONS = 50
QUARTER = timedelta(days=90)


def agents_of(tx: Tx, occasion: Occasion, *, kinds: Kinds) -> tuple[str, ...]:
    """The agents in production that an audit of a prompt is about: those that cite it."""
    if occasion.kind is not Kind.PROMPT_AUDIT:
        return ()
    return citing(tx, occasion.about, kinds=kinds)


def citing(tx: Tx, prompt: str, *, kinds: Kinds) -> tuple[str, ...]:
    """The agents whose version in production cites a prompt, at most ten."""
    return tuple(dict.fromkeys(name for name, _ in _citing(tx, prompt, kinds)))


def labels_of(tx: Tx, occasion: Occasion) -> str:
    """The labels that a judge is recalibrated on: those of its latest calibration, as they are
    now; empty where there was none.
    """
    if occasion.kind is not Kind.JUDGE_CALIBRATION:
        return ""
    for one in judges.calibrations(tx, occasion.about, limit=1):
        return Ref.parse(one.calibration.dataset, kind="dataset").name
    return ""


def collect(
    tx: Tx, occasion: Occasion, *, kinds: Kinds, work: Sequence[Work] | None
) -> tuple[Exhibit, ...]:
    """What speaks to the questions of an occasion. `work` is what telemetry said; None where
    it was not there, which is evidence too.
    """
    match occasion.kind:
        case Kind.PROMPT_AUDIT:
            return tuple(_audit(tx, occasion, kinds, work))
        case Kind.JUDGE_CALIBRATION:
            return tuple(_judge(tx, occasion))
        case Kind.CONTRACT_TESTS:
            return tuple(_integration(tx, occasion))
        case Kind.OPTIMISATION:
            return tuple(_to_improve(tx, occasion))
        case Kind.EVENT_REVIEW:
            return tuple(_event(tx, occasion))
        case Kind.ACCESS_REVIEW:
            return ()  # collected with its questions, in `reviewing`


def _audit(
    tx: Tx, occasion: Occasion, kinds: Kinds, work: Sequence[Work] | None
) -> Iterator[Exhibit]:
    name = occasion.about
    version = registry.version(tx, Ref("prompt", name, PRODUCTION))
    label = registry.label(tx, "prompt", name, PRODUCTION)
    since = f", in production since {label.moved_at:%Y-%m-%d}" if label else ""
    yield records.of_version(version, f"{version.author}'s version of {name}{since}")
    users = _citing(tx, name, kinds)
    if not users:
        yield records.exhibit(
            occasion.subject, [], "no agent in production cites it", about=RELEVANCE
        )
    agents = [
        (one, registry.version(tx, Ref("agent", one, str(number)))) for one, number in users
    ]
    for agent, cites in agents:
        yield records.of_version(cites, f"{agent} cites it in production", about=RELEVANCE)
        yield from _people(tx, agent)
        yield from _drifts(tx, agent, about=RELEVANCE)
    yield from _work(occasion, work)
    yield from _coverage(tx, version, [cites for _, cites in agents])


def _citing(tx: Tx, prompt: str, kinds: Kinds) -> list[tuple[str, int]]:
    of = registry.found(tx, "prompt", prompt)
    if of is None:
        return []
    found = listing.uses(tx, of, kinds=kinds)
    serving = [one for one in found if one.kind == "agent" and PRODUCTION in one.labels]
    return [(one.name, one.at) for one in serving][:MOST_AGENTS]


def _people(tx: Tx, agent: str) -> Iterator[Exhibit]:
    """What people decided otherwise in the last month, and in the one before."""
    windows = [(tx.now - MONTH, tx.now), (tx.now - 2 * MONTH, tx.now - MONTH)]
    counted = inbox.overridden(tx, windows).get(agent, {})
    now, before = counted.get(0, 0), counted.get(1, 0)
    newest = inbox.overrides(tx, agent=agent, limit=MOST_SHOWN)
    recent = [one for one in newest if tx.now - one.at <= MONTH]
    yield records.exhibit(
        f"agent/{agent}",
        {"overridden": [now, before], "newest": [one.id for one in recent]},
        f"people decided otherwise about {now} pieces of its work in 30 days, {before} before",
        about=RELEVANCE,
        page="/corrections",
    )


def _drifts(tx: Tx, agent: str, *, about: str) -> Iterator[Exhibit]:
    for one in drift.drifts(tx, everything=True, limit=MOST_CORRECTIONS):
        if one.agent == agent and tx.now - one.opened_at <= QUARTER:
            yield records.find(tx, one.subject, about=about)


def _work(occasion: Occasion, work: Sequence[Work] | None) -> Iterator[Exhibit]:
    if work is None:
        yield records.exhibit(
            occasion.subject, None, "telemetry could not be read", about=EFFICIENCY
        )
        return
    for one in work:
        page = f"/traces?agent={one.agent}"
        of = f"agent/{one.agent}"
        runs = (
            f"{one.now.runs} runs in 30 days, {one.before.runs} in the 30 before; "
            f"{one.now.failed_calls} of {one.now.calls} model calls failed"
        )
        yield records.exhibit(of, one, f"{one.agent}: {runs}", about=RELEVANCE, page=page)
        for what, unit in (("cost", "USD"), ("tokens", "tokens written")):
            said = f"{one.agent}: {unit} of a run {_trend(one.now, one.before, what)}"
            yield records.exhibit(of, one, said, about=EFFICIENCY, page=page)


def _trend(now: Stretch, before: Stretch, what: str) -> str:
    means: list[Mean | None] = [getattr(one, what) for one in (now, before)]
    return f"{_told(means[0])} in 30 days, {_told(means[1])} in the 30 before"


def _told(mean: Mean | None) -> str:
    if mean is None:
        return "not known"
    if mean.interval is None:
        return f"{mean.value:.4g} (n {mean.n}, too little for an interval)"
    low, high = mean.interval.low, mean.interval.high
    return f"{mean.value:.4g} [{low:.4g}, {high:.4g}] (n {mean.n})"


def _coverage(tx: Tx, version: Version, agents: Sequence[Version]) -> Iterator[Exhibit]:
    """Which test cases the version in production, or an agent that cites it, was put to."""
    mine = {version.digest, *(one.digest for one in agents)}
    runs = [one for one in evals.runs(tx, limit=MOST_RUNS) if one.subject in mine]
    names = [Ref.parse(one.dataset_name, kind="dataset").name for one in runs]
    for name in (version.name, *(one.name for one in agents)):
        names += registry.guards(tx, "prompt", name)
    for name in list(dict.fromkeys(names))[:MOST_DATASETS]:
        if registry.has_versions(tx, "dataset", name):
            yield _covered(tx, name, runs)
    for one in runs[:MOST_SHOWN]:
        yield records.find(tx, f"run/{one.id}", about=COVERAGE)
    if not names:
        yield records.exhibit(
            version.ref, [], "no test case was put to what is in production", about=COVERAGE
        )


def _covered(tx: Tx, name: str, runs: Sequence[EvalRun]) -> Exhibit:
    """How much of the newest version of a dataset was asked of what is in production."""
    newest, spec = datasets.dataset(tx, name)
    seen: set[str] = {
        one.split for one in runs if one.dataset == newest.digest and one.totals.answered
    }
    asked = sum(size for split, size in spec.splits.items() if split in seen)
    said = f"{asked} of the {len(spec.items)} cases of {newest.ref} were asked of it"
    old = {one.dataset_name for one in runs if one.dataset != newest.digest}
    older = sorted(one for one in old if Ref.parse(one, kind="dataset").name == name)
    if older and not seen:
        said += f"; older ones were ({', '.join(older[:MOST_SHOWN])})"
    return records.of_version(newest, said, about=COVERAGE)


def _judge(tx: Tx, occasion: Occasion) -> Iterator[Exhibit]:
    name = occasion.about
    version = registry.in_force(tx, "evaluator", name)
    yield records.of_version(version, f"the judge as it is in force ({version.author})")
    found = judges.calibrations(tx, name, limit=MOST_SHOWN)
    for one in found:
        said = "; ".join(
            f"{domain.counts.domain}: κ {domain.kappa:.2f} "
            f"[{domain.kappa_interval.low:.2f}, {domain.kappa_interval.high:.2f}], n {domain.n}"
            for domain in one.domains
        )
        of = one.calibration
        yield records.exhibit(
            f"calibration/{one.digest}",
            of,
            f"{of.evaluator} against {of.dataset} on {of.at:%Y-%m-%d}: {said}",
            page=f"/evaluators/{name}",
        )
    if not found:
        yield records.exhibit(occasion.subject, [], "it was never calibrated")


def _integration(tx: Tx, occasion: Occasion) -> Iterator[Exhibit]:
    name = occasion.about
    page = f"/integrations/{name}"
    try:
        found = integrations.detail(tx, name)
    except IntegrationNotFound:
        yield records.exhibit(occasion.subject, None, "it was never checked", page=page)
        return
    standing = found.standing
    yield records.exhibit(
        occasion.subject,
        standing,
        f"{standing.state.value} since {standing.since:%Y-%m-%d}: {standing.because}",
        page=page,
    )
    for run in integrations.runs(tx, name)[:MOST_SHOWN]:
        failed = f"{len(run.failed_tests)} of {len(run.tests)} contract tests failed"
        changes = f"{len(run.changes) + run.omitted} changes against what was accepted"
        said = f"checked {run.at:%Y-%m-%d %H:%M} UTC, {run.outcome.value}: {failed}, {changes}"
        yield records.exhibit(f"check/{run.id}", run, said, page=page)


def _to_improve(tx: Tx, occasion: Occasion) -> Iterator[Exhibit]:
    version = registry.version(tx, Ref("prompt", occasion.about, PRODUCTION))
    yield records.of_version(version, "what is improved upon")


def _event(tx: Tx, occasion: Occasion) -> Iterator[Exhibit]:
    """What called for the review is attached already; beside it, what moved before."""
    agent = occasion.about
    for entry, hash_ in journal.entries(tx, subject=f"agent/{agent}", limit=MOST_SHOWN):
        if entry.event == "label.moved":
            label, after = entry.facts.get("label"), entry.facts.get("after")
            yield Exhibit(
                record=f"journal/{entry.seq}",
                digest=hash_,
                says=f"{label} of {agent} moved to version {after} on {entry.at:%Y-%m-%d}",
                page=f"/agents/{agent}",
            )
    yield from _drifts(tx, agent, about="")
