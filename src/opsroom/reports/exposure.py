"""Critical workflows with AI exposure: what agents decide, by how critical and how risky it is.

A workflow is an agent acting under a contract. What went alone is a rate of what was decided;
its interval says how far it may speak for what is to come.
"""

from dataclasses import dataclass, field

from opsroom.actions import queries as actions
from opsroom.actions.queries import Decided
from opsroom.contracts.model import ContractSpec, Tier
from opsroom.inbox import queries as inbox
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Criticality
from opsroom.registry import queries as registry
from opsroom.traces.queries import Reads

from .citing import Citing
from .model import Ask, Column, Fact, Found, Record, Row, Shape, rate

COLUMNS = (
    Column(key="agent", title="Agent"),
    Column(key="criticality", title="Criticality"),
    Column(key="contract", title="Contract"),
    Column(key="tier", title="Risk tier"),
    Column(key="actions", title="Actions", shape=Shape.COUNT),
    Column(key="alone", title="Decided alone", shape=Shape.RATE),
    Column(key="asked", title="People asked", shape=Shape.COUNT),
    Column(key="granted", title="Approved", shape=Shape.COUNT),
    Column(key="stopped", title="Not approved", shape=Shape.COUNT),
    Column(key="refused", title="Refused by rules", shape=Shape.COUNT),
    Column(key="overridden", title="Decided otherwise", shape=Shape.RATE),
)
NOTES: tuple[str, ...] = (
    (
        "Decided alone: of what was carried out, approved or not approved, refusals by rules left"
        " out, the share that no person was asked about. Not approved: refused by people, out of"
        " time, or withdrawn."
    ),
    (
        "Decided otherwise: actions of this time that people edited, rejected or corrected since, of"
        " all that were proposed; an override counts under every version of its tool's contract."
    ),
)
CRITICAL = list(Criticality)[::-1]
RISKY = list(Tier)[::-1]
UNKNOWN = "not known"
MOST_READ = 5_000


@dataclass(slots=True)
class _Known:
    """Criticalities of agents, and contracts by citation, each read once."""

    citing: Citing
    agents: dict[str, str] = field(default_factory=dict[str, str])
    contracts: dict[str, ContractSpec | None] = field(
        default_factory=dict[str, ContractSpec | None]
    )

    def criticality(self, agent: str) -> str:
        if agent not in self.agents:
            of = registry.found(self.citing.tx, "agent", agent)
            self.agents[agent] = of.criticality.value if of else UNKNOWN
        return self.agents[agent]

    def contract(self, cited: str) -> ContractSpec | None:
        if cited not in self.contracts:
            version = self.citing.version(cited)
            spec = adapter(ContractSpec).validate_python(version.spec) if version else None
            self.contracts[cited] = spec
        return self.contracts[cited]


def look(tx: Tx, ask: Ask, _telemetry: Reads | None) -> Found:
    """Workflows, the most critical and risky first; the facts are about all of them."""
    found = actions.decided(
        tx, since=ask.since, until=ask.until, agent=ask.agent, limit=MOST_READ
    )
    otherwise = inbox.overridden_actions(tx, since=ask.since, until=ask.until)
    known = _Known(Citing(tx))
    rows = sorted((_row(one, known, otherwise) for one in found), key=_order)
    alone, decided = sum(one.alone for one in found), sum(map(_decided, found))
    exposed = [one for one in rows if one.cells["criticality"] == Criticality.AUTONOMOUS.value]
    notes = list(NOTES)
    if len(found) == MOST_READ:
        notes.append(f"Only the {MOST_READ:,} workflows with the most actions were looked at.")
    if len(rows) > ask.limit:
        notes.append(f"Only the first {ask.limit} workflows are in the table.")
    return Found(
        rows=rows[: ask.limit],
        facts=[
            Fact(name="workflows", value=len(rows)),
            Fact(name="of autonomous agents", value=len(exposed)),
            Fact(name="actions", value=sum(one.actions for one in found)),
            Fact(name="decided alone", value=rate(alone, decided), shape=Shape.RATE),
            Fact(name="people asked", value=sum(one.asked for one in found)),
            Fact(name="approved", value=sum(one.granted for one in found)),
        ],
        notes=notes,
    )


def _decided(one: Decided) -> int:
    return one.alone + one.granted + one.stopped


def _row(one: Decided, known: _Known, otherwise: dict[tuple[str, str], int]) -> Row:
    spec = known.contract(one.contract)
    tool = spec.tool if spec else ""
    overridden = min(otherwise.get((one.agent, tool), 0), one.actions)
    name, _, number = one.contract.partition("/")[2].partition("@")
    return Row(
        cells={
            "agent": one.agent,
            "criticality": known.criticality(one.agent),
            "contract": one.contract or UNKNOWN,
            "tier": spec.risk.value if spec else UNKNOWN,
            "actions": one.actions,
            "alone": rate(one.alone, _decided(one)),
            "asked": one.asked,
            "granted": one.granted,
            "stopped": one.stopped,
            "refused": one.refused,
            "overridden": rate(overridden, one.actions),
        },
        records=(
            Record(name="agent", page=f"/agents/{one.agent}"),
            *([Record(name="contract", page=f"/contracts/{name}?at={number}")] if spec else []),
            Record(name="turns", page=f"/turns?agent={one.agent}"),
            Record(name="autonomy", page=f"/autonomy/{one.agent}"),
        ),
    )


def _order(row: Row) -> tuple[int, int, int]:
    cells = row.cells
    critical = [one.value for one in CRITICAL]
    risky = [one.value for one in RISKY]
    many = cells["actions"]
    return (
        critical.index(str(cells["criticality"])) if cells["criticality"] in critical else 9,
        risky.index(str(cells["tier"])) if cells["tier"] in risky else 9,
        -(many if isinstance(many, int) else 0),
    )
