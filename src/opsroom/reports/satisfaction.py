"""Satisfaction by use case: what users said of the work, with exact intervals."""

from urllib.parse import urlencode

from opsroom.feedback import queries as feedback
from opsroom.feedback.figures import Satisfaction, Share
from opsroom.kit.db import Tx
from opsroom.traces.queries import Reads

from .model import Ask, Column, Fact, Found, Rate, Record, Row, Shape, rate

COLUMNS = (
    Column(key="use_case", title="Use case"),
    Column(key="agent", title="Agent"),
    Column(key="voices", title="Voices", shape=Shape.COUNT),
    Column(key="helpful", title="Helpful", shape=Shape.RATE),
    Column(key="accurate", title="Accurate", shape=Shape.RATE),
    Column(key="complete", title="Complete", shape=Shape.RATE),
)
NOTES: tuple[str, ...] = (
    (
        "A user counts once for each subject; what is in quarantine counts nowhere. Those who say"
        " something are not a random sample of those who are served."
    ),
)


def look(tx: Tx, ask: Ask, _telemetry: Reads | None) -> Found:
    """Use cases and agents, those with the most voices first."""
    (overall,) = feedback.satisfaction(tx, since=ask.since, until=ask.until, agent=ask.agent)
    found = feedback.satisfaction(
        tx,
        since=ask.since,
        until=ask.until,
        by=("use_case", "agent"),
        agent=ask.agent,
        limit=ask.limit + 1,
    )
    notes = list(NOTES)
    if len(found) > ask.limit:
        notes.append(f"The {ask.limit} largest groups are shown; the sum is over all.")
    return Found(
        rows=[_row(one) for one in found[: ask.limit]],
        facts=[
            Fact(name="voices", value=overall.voices),
            *(
                Fact(name=name, value=_rate(share), shape=Shape.RATE)
                for name, share in (
                    ("helpful", overall.helpful),
                    ("accurate", overall.accurate),
                    ("complete", overall.complete),
                )
            ),
        ],
        notes=notes,
    )


def _row(one: Satisfaction) -> Row:
    named = {"use_case": one.use_case, "agent": one.agent, "source": "user", "counted": "true"}
    query = urlencode({name: value for name, value in named.items() if value})
    records = [Record(name="what was said", page=f"/feedback/said?{query}")]
    if one.agent:
        records.append(Record(name="agent", page=f"/agents/{one.agent}"))
    return Row(
        cells={
            "use_case": one.use_case or "not said",
            "agent": one.agent or "not known",
            "voices": one.voices,
            "helpful": _rate(one.helpful),
            "accurate": _rate(one.accurate),
            "complete": _rate(one.complete),
        },
        records=tuple(records),
    )


def _rate(share: Share) -> Rate:
    return rate(share.tally.hits, share.tally.n)
