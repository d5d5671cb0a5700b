"""Looking at feedback, at what is set aside, and at what it all comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsroom.actions import queries as actions
from opsroom.evidence import Tally
from opsroom.inbox import queries as inbox
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.releases import queries as releases
from opsroom.releases.errors import ReleaseNotFound

from . import figure_store, store
from . import figures as of
from .errors import FeedbackNotFound
from .model import Feedback, Source, State

PAGE = 50
MOST_GROUPS = 500
MOST_TURNS = 5_000
MOST_VOICES = 100
MOST_RELEASES = 50
WINDOW = timedelta(days=30)
QUESTIONS = ("helpful", "accurate", "complete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice(Wire):
    """A voice that said too much: how much of it is set aside, how much was refused."""

    by: str
    because: str
    set_aside: int
    refused: int
    last_at: datetime


def feedback(tx: Tx, feedback_id: str) -> Feedback:
    """Raises `FeedbackNotFound`."""
    found = store.found(tx, feedback_id)
    if found is None:
        raise FeedbackNotFound(feedback_id)
    return found


def page(
    tx: Tx,
    *,
    subject: str | None = None,
    agent: str | None = None,
    version: str | None = None,
    source: Source | None = None,
    state: State | None = None,
    use_case: str | None = None,
    kpi: str | None = None,
    by: str | None = None,
    counted: bool | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Feedback]:
    """Feedback, newest first; go on with the last id as `before`."""
    return store.page(
        tx,
        subject=subject,
        agent=agent,
        version=version,
        source=source,
        state=state,
        use_case=use_case,
        kpi=kpi,
        by=by,
        counted=counted,
        before=before,
        limit=limit,
    )


def of_trace(tx: Tx, trace_id: str, *, limit: int) -> list[Feedback]:
    """What was said of a trace, and of the turns and actions in it; newest first."""
    return store.page(tx, trace=trace_id, state=State.ACCEPTED, limit=limit)


def texts(tx: Tx, *, limit: int) -> list[Feedback]:
    """The newest that says something in words."""
    return store.page(tx, with_text=True, state=State.ACCEPTED, limit=limit)


def quarantine(tx: Tx) -> list[Voice]:
    """Who said too much, the latest first."""
    refused = store.refused(tx, limit=MOST_VOICES)
    voices = {
        by: Voice(
            by=by,
            because=because,
            set_aside=count,
            refused=refused.get(by, (0, last))[0],
            last_at=max(last, refused.get(by, (0, last))[1]),
        )
        for by, because, count, last in store.quarantine(tx, limit=MOST_VOICES)
    }
    for by, (count, last) in refused.items():
        if by not in voices:
            voices[by] = Voice(by=by, because="", set_aside=0, refused=count, last_at=last)
    return sorted(voices.values(), key=lambda one: one.last_at, reverse=True)


def count_quarantined(tx: Tx) -> int:
    return store.quarantined(tx)


def figures(tx: Tx, *, window: timedelta = WINDOW) -> of.Figures:
    """What was said and done within the window, with intervals.

    Of turns, the newest five thousand are read; of each kind of group, the five hundred largest
    are shown. Nothing is left out of the sum over all.
    """
    since = tx.now - tx.lasting(window)
    said = figure_store.counted(tx, since)

    def satisfaction(*by: str) -> tuple[of.Satisfaction, ...]:
        return of.satisfaction(figure_store.votes(tx, since, by, limit=MOST_GROUPS))

    return of.Figures(
        since=since,
        said={source.value: said.get(source, 0) for source in Source},
        quarantined=store.quarantined(tx),
        overall=satisfaction()[0],
        by_use_case=satisfaction("use_case", "agent"),
        by_version=satisfaction("use_case", "agent", "version"),
        lifts=of.lifts(figure_store.results(tx, since, limit=MOST_GROUPS)),
        work=_work(tx, since),
    )


def satisfaction(
    tx: Tx,
    *,
    since: datetime,
    until: datetime,
    by: Sequence[str] = (),
    agent: str = "",
    limit: int = MOST_GROUPS,
) -> tuple[of.Satisfaction, ...]:
    """What users said in this time, all together or by `use_case`, `agent` and `version`; the
    largest groups first.
    """
    rows = figure_store.votes(tx, since, by, until=until, agent=agent, limit=limit)
    return of.satisfaction(rows)


def answers(tx: Tx, *, since: datetime) -> dict[tuple[str, str], Tally]:
    """How many users said yes of how many who said anything, by agent and question (`helpful`,
    `accurate`, `complete`); of the five hundred agents with the most voices.
    """
    return {
        (row["agent"], question): Tally(n=n, hits=int(row[f"{question}_yes"]))
        for row in figure_store.votes(tx, since, ("agent",), limit=MOST_GROUPS)
        for question in QUESTIONS
        if (n := int(row[f"{question}_n"]))
    }


def _work(tx: Tx, since: datetime) -> of.Work:
    turns = actions.ran(tx, since=since, limit=MOST_TURNS)
    subjects = inbox.overridden_subjects(tx, since=since, limit=MOST_TURNS)
    by_kind: dict[str, list[str]] = {"turn": [], "action": [], "trace": []}
    for subject in subjects:
        kind, _, name = subject.partition("/")
        by_kind.setdefault(kind, []).append(name)
    traces = set(by_kind["trace"])
    touched = {
        *by_kind["turn"],
        *actions.turns_of(tx, by_kind["action"]).values(),
        *(one.id for one in turns if one.trace and one.trace in traces),
    }
    names = list(dict.fromkeys(one.release for one in turns if one.release))[:MOST_RELEASES]
    canaries = {name: _canary_since(tx, name) for name in names}
    return of.work(turns, touched, canaries, cut=len(turns) == MOST_TURNS)


def _canary_since(tx: Tx, release_id: str) -> datetime | None:
    try:
        legs = releases.release(tx, release_id).legs
    except ReleaseNotFound:
        return None
    return legs[0].since if legs else None
