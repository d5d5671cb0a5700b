"""Prompts and agent coverage: what serves, who uses it, and whether it was ever proven.

Everything is counted whole, so there is nothing to put an interval around.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from opsroom.evals import queries as evals
from opsroom.evals.queries import Proof
from opsroom.kit.db import Tx
from opsroom.registry import Ref, Version, listing
from opsroom.registry import queries as registry
from opsroom.registry.listing import Row as Listed
from opsroom.registry.model import PRODUCTION
from opsroom.traces.queries import Reads

from .citing import MOST, Citing, every, serving
from .model import MOST_RECORDS, Ask, Column, Fact, Found, Record, Row, Shape

COLUMNS = (
    Column(key="prompt", title="Prompt"),
    Column(key="owner", title="Owner"),
    Column(key="criticality", title="Criticality"),
    Column(key="production", title="In production"),
    Column(key="agents", title="Agents in production that use it", shape=Shape.COUNT),
    Column(key="names", title="Which"),
    Column(key="gate", title="Gate"),
    Column(key="evaluation", title="Evaluation"),
)
NOTES: tuple[str, ...] = (
    "This is how it is now, whatever time is asked for; everything is counted whole.",
    (
        "A prompt is used where an agent in production cites a version of it, itself or through an"
        " include. What programs read by its label, without an agent, is not seen here."
    ),
    (
        "The version in production is proven by runs and verdicts of its own, or of agents in"
        " production that use exactly that version."
    ),
)
PASSED, NEVER = "passed", "never"


@dataclass(frozen=True, slots=True)
class _Seen:
    """Agents in production by the prompt and by the exact version that they use."""

    agents: tuple[Version, ...]
    by_name: Mapping[str, frozenset[str]]
    by_version: Mapping[str, frozenset[str]]


def look(tx: Tx, ask: Ask, _telemetry: Reads | None) -> Found:
    """Prompts by name, each with who uses it and what proves it, as it is now."""
    seen = _look_around(tx)
    page = listing.rows(tx, "prompt", after=ask.after, limit=ask.limit)
    rows = _rows(tx, page, seen)
    more = page[-1].artifact.name if len(page) == ask.limit else ""
    shown = [
        one
        for one in rows
        if not ask.agent or ask.agent in seen.by_name.get(str(one.cells["prompt"]), ())
    ]
    if not ask.first:
        return Found(rows=shown, next=more)
    return Found(rows=shown, facts=_facts(tx, seen), next=more, notes=NOTES)


def _look_around(tx: Tx) -> _Seen:
    citing = Citing(tx)
    by_name: dict[str, set[str]] = {}
    by_version: dict[str, set[str]] = {}
    agents = tuple(serving(tx))
    for agent in agents:
        for cited in citing.prompts(agent.ref):
            by_name.setdefault(Ref.parse(cited).name, set()).add(agent.name)
            by_version.setdefault(cited, set()).add(agent.digest)
    return _Seen(
        agents=agents,
        by_name={name: frozenset(some) for name, some in by_name.items()},
        by_version={cited: frozenset(some) for cited, some in by_version.items()},
    )


def _rows(tx: Tx, page: list[Listed], seen: _Seen) -> list[Row]:
    serves = {
        one.artifact.name: registry.version(tx, Ref("prompt", one.artifact.name, PRODUCTION))
        for one in page
        if PRODUCTION in one.labels
    }
    rests = {
        name: (version.digest, *sorted(seen.by_version.get(version.ref, ())))
        for name, version in serves.items()
    }
    proofs = evals.proofs(tx, sorted({one for some in rests.values() for one in some}))
    return [_row(one, serves, rests.get(one.artifact.name, ()), seen, proofs) for one in page]


def _row(
    listed: Listed,
    serves: Mapping[str, Version],
    rests: tuple[str, ...],
    seen: _Seen,
    proofs: Mapping[str, Proof],
) -> Row:
    of = listed.artifact
    version = serves.get(of.name)
    agents = sorted(seen.by_name.get(of.name, ()))
    found = [proofs[one] for one in rests if one in proofs]
    passes, runs = sum(one.passes for one in found), sum(one.runs for one in found)
    return Row(
        cells={
            "prompt": of.name,
            "owner": of.owner,
            "criticality": of.criticality.value,
            "production": version.ref if version else None,
            "agents": len(agents),
            "names": ", ".join(agents[:MOST_RECORDS])
            + (", …" if agents[MOST_RECORDS:] else ""),
            "gate": (PASSED if passes else NEVER) if version else None,
            "evaluation": (f"{runs} runs" if runs else NEVER) if version else None,
        },
        records=(
            Record(name="prompt", page=f"/prompts/{of.name}"),
            *(Record(name=one, page=f"/agents/{one}") for one in agents[:4]),
        ),
    )


def _facts(tx: Tx, seen: _Seen) -> list[Fact]:
    """Over all prompts, whatever page is shown."""
    total = live = unused = ungated = unmeasured = 0
    page: list[Listed] = []
    listed = [*every(tx, "prompt")]
    for start in range(0, len(listed), 200):
        page = listed[start : start + 200]
        for row in _rows(tx, page, seen):
            total += 1
            live += row.cells["production"] is not None
            unused += row.cells["agents"] == 0
            ungated += row.cells["gate"] == NEVER
            unmeasured += row.cells["evaluation"] == NEVER
    with_prompts = {name for some in seen.by_name.values() for name in some}
    counted = registry.counts(tx).get("prompt", 0)
    facts = [
        Fact(name="prompts", value=counted),
        Fact(name="in production", value=live),
        Fact(name="used by no agent in production", value=unused),
        Fact(name="in production without a passed gate", value=ungated),
        Fact(name="in production without an evaluation", value=unmeasured),
        Fact(name="agents in production", value=len(seen.agents)),
        Fact(name="of them with prompts from here", value=len(with_prompts)),
    ]
    if counted > total:
        facts.append(
            Fact(
                name=f"prompts beyond the first {MOST:,}, not looked at", value=counted - total
            )
        )
    return facts
