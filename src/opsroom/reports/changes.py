"""The change log by agent, from the journal: what was done, by whom, and who agreed to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from opsroom.approvals import queries as approvals
from opsroom.approvals.model import Answer as Said
from opsroom.journal import Entry
from opsroom.journal import queries as journal
from opsroom.journal.words import address, tell
from opsroom.kit.db import Tx
from opsroom.registry import ProposalNotFound
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION
from opsroom.releases import queries as releases
from opsroom.releases.errors import ReleaseNotFound
from opsroom.traces.queries import Reads

from .errors import NoPlace
from .model import Ask, Column, Fact, Found, Record, Row, Shape, cut

COLUMNS = (
    Column(key="at", title="When", shape=Shape.TIME),
    Column(key="agent", title="Agent"),
    Column(key="by", title="Who"),
    Column(key="what", title="What"),
    Column(key="because", title="Why"),
    Column(key="version", title="Version"),
    Column(key="through", title="Proposal or release"),
    Column(key="approved", title="Approved by"),
    Column(key="entry", title="Journal entry", shape=Shape.COUNT),
)
# What changes what an agent is, which of it serves, or what it may do.
EVENTS = frozenset(
    {
        "agent.reinstated",
        "agent.retired",
        "artifact.created",
        "autonomy.begun_anew",
        "autonomy.inherited",
        "autonomy.killed",
        "autonomy.narrowed",
        "autonomy.revived",
        "autonomy.widened",
        "label.moved",
        "proposal.merged",
        "proposal.opened",
        "proposal.withdrawn",
        "release.aborted",
        "release.advanced",
        "release.paused",
        "release.promoted",
        "release.resumed",
        "release.rolled_back",
        "release.started",
        "sunset.announced",
        "sunset.decommissioned",
        "sunset.ramped",
        "sunset.reinstated",
        "version.created",
    }
)
NOTES: tuple[str, ...] = (
    (
        "Agents cite prompts, contracts and policies by exact version: what changes there reaches an"
        " agent by a new version of it, which is in here."
    ),
    "Approvals are those that stand behind a proposal or a release, whichever entry shows it.",
)
STEP = 500
MOST_READ = 20_000  # entries that a page goes through for one agent's changes


@dataclass(slots=True)
class _Known:
    """Proposals and releases by subject, each read once: whose they are, and who agreed."""

    tx: Tx
    _found: dict[str, tuple[str, str, str]] = field(
        default_factory=dict[str, tuple[str, str, str]]
    )

    def of(self, subject: str) -> tuple[str, str, str]:
        """The artifact, the version and who approved; empty for what is no such thing."""
        if subject not in self._found:
            self._found[subject] = self._read(subject)
        return self._found[subject]

    def _read(self, subject: str) -> tuple[str, str, str]:
        kind, _, name = subject.partition("/")
        try:
            if kind == "proposal":
                proposal = registry.proposal(self.tx, name)
                artifact, number = f"{proposal.kind}/{proposal.name}", proposal.number
            elif kind == "release":
                release = releases.release(self.tx, name)
                artifact, number = release.artifact, release.number
            else:
                return "", "", ""
        except (ProposalNotFound, ReleaseNotFound):
            return "", "", ""
        said = approvals.history(self.tx, subject)
        people = [
            f"{one.approver} ({', '.join(one.roles)})"
            for one in said
            if one.answer is Said.APPROVE
        ]
        return artifact, f"{artifact}@{number}", ", ".join(people)


def look(tx: Tx, ask: Ask, _telemetry: Reads | None) -> Found:
    """Changes to agents, newest first; go on with the number of the last entry.

    Raises `NoPlace`.
    """
    low, known = journal.seq_at(tx, ask.since), _Known(tx)
    high = _place(ask.after) - 1 if ask.after else journal.seq_at(tx, ask.until)
    rows: list[Row] = []
    read = last = 0
    for entry, before in _with_before(_entries(tx, low, high)):
        read, last = read + 1, entry.seq
        if (agent := _agent(entry, known)) and ask.agent in {"", agent}:
            rows.append(_row(entry, agent, _through(entry, before), known))
        if len(rows) == ask.limit:
            break
    more = str(last) if read == MOST_READ or len(rows) == ask.limit else ""
    if not ask.first:
        return Found(rows=rows, next=more)
    return Found(rows=rows, facts=_facts(tx, ask, low, known), next=more, notes=NOTES)


def _place(after: str) -> int:
    if not (after.isascii() and after.isdecimal() and len(after) < 19):
        raise NoPlace(after)
    return int(after)


def _entries(tx: Tx, low: int, high: int) -> Iterator[Entry]:
    """What changed something between two numbers, newest first; so many as a page goes through."""
    read = 0
    while high > low and read < MOST_READ:
        page = journal.about(tx, EVENTS, after=low, until=high, limit=STEP)
        yield from (entry for entry, _ in page)
        if len(page) < STEP:
            return
        read, high = read + STEP, page[-1][0].seq - 1


def _with_before(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Entry | None]]:
    """Each entry with the one before it in the journal, of those that are looked at."""
    later: Entry | None = None
    for entry in entries:
        if later is not None:
            yield later, entry
        later = entry
    if later is not None:
        yield later, None


def _facts(tx: Tx, ask: Ask, low: int, known: _Known) -> list[Fact]:
    changes = moves = read = 0
    agents = set[str]()
    for entry in _entries(tx, low, journal.seq_at(tx, ask.until)):
        read += 1
        if (agent := _agent(entry, known)) and ask.agent in {"", agent}:
            changes += 1
            agents.add(agent)
            production = entry.facts.get("label") == PRODUCTION
            moves += entry.event == "label.moved" and production
    within = f" (of the newest {MOST_READ:,} entries)" if read == MOST_READ else ""
    return [
        Fact(name=f"changes{within}", value=changes),
        Fact(name="agents changed", value=len(agents)),
        Fact(name="times that another version came into production", value=moves),
    ]


def _agent(entry: Entry, known: _Known) -> str:
    """Whose change it is; empty for what is no agent's."""
    for of in (entry.subject, known.of(entry.subject)[0]):
        kind, _, name = of.partition("@")[0].partition("/")
        if kind == "agent":
            return name
    return str(entry.facts.get("agent") or "")


def _row(entry: Entry, agent: str, through: str, known: _Known) -> Row:
    _, version, approved = known.of(through)
    if not version and (number := entry.facts.get("number") or entry.facts.get("after")):
        version = f"agent/{agent}@{number}"
    told = tell(entry)
    records = [Record(name="agent", page=f"/agents/{agent}")]
    if through:
        records.append(Record(name=through.partition("/")[0], page=address(through)))
    records.append(Record(name="entry", page=f"/audit?before={entry.seq + 1}"))
    return Row(
        cells={
            "at": entry.at.isoformat(),
            "agent": agent,
            "by": entry.actor,
            "what": cut(told.title),
            "because": cut(str(entry.facts.get("reason") or entry.facts.get("because") or "")),
            "version": version,
            "through": through,
            "approved": approved,
            "entry": entry.seq,
        },
        records=tuple(records),
    )


def _through(entry: Entry, before: Entry | None) -> str:
    """The proposal or release that a change went through. A merge is on record right before the
    label that it moves; a release is named by the reason.
    """
    if entry.subject.startswith(("proposal/", "release/")):
        return entry.subject
    if entry.event != "label.moved":
        return ""
    if before is not None and before.event == "proposal.merged" and before.seq == entry.seq - 1:
        return before.subject
    named, _, _ = str(entry.facts.get("reason") or "").partition(":")
    return f"release/{named}" if named.startswith("rel_") else ""
