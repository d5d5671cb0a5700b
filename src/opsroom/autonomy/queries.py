"""What an agent may do alone, what it has earned, and whether it is stopped."""

from dataclasses import dataclass
from decimal import Decimal

from opsroom.contracts.model import Tier
from opsroom.evidence.model import Interval
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.registry import queries as registry

from . import store
from .commands import serving
from .decide import (
    NotYet,
    Ready,
    agreement,
    allowed,
    decide_widening,
    present,
    rules_for,
)
from .errors import WideningNotFound
from .model import (
    ALL,
    ORDER,
    Allowance,
    Grant,
    Level,
    Record,
    Switch,
    Widening,
    WideningState,
    scopes,
    ungranted,
)

PAGE = 50
PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung(Wire):
    """One scope of an agent: what was granted, what is in force for the manifest that serves,
    what is known, and whether the next level is earned. No `next` on the last one.
    """

    grant: Grant
    level: Level
    record: Record
    agreement: Interval | None
    next: Level | None
    ready: bool
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder(Wire):
    """How much an agent may do alone in one environment."""

    agent: str
    environment: str
    manifest: str
    stopped: Switch | None
    all_stopped: Switch | None
    rungs: tuple[Rung, ...]
    widenings: tuple[Widening, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLevel(Wire):
    """One agent of the list: the most it may do alone, and where."""

    agent: str
    stopped: Switch | None
    grants: tuple[Grant, ...]
    waiting: int

    @property
    def most(self) -> Level:
        """The widest level granted; what holds for writes where nothing was."""
        return max((one.level for one in self.grants), default=Level.APPROVE_EACH, key=_rank)


def allowance(
    tx: Tx,
    agent: str,
    *,
    contract: str,
    tier: Tier,
    environment: str,
    manifest: str,
    amount: Decimal | None,
    confidence: float | None,
) -> Allowance:
    """What the grants and the kill switch say of one proposal, in one query.

    Where it is done alone because of that, count it: `commands.act_alone`.
    """
    found = store.known(tx, agent, environment, scopes(contract, tier))
    return allowed(
        found,
        contract=contract,
        tier=tier,
        manifest=manifest,
        amount=amount,
        confidence=confidence,
    )


def granted(tx: Tx, agent: str, scope: str, *, environment: str = PRODUCTION) -> Grant:
    """What was granted for one scope; what holds without a grant where nobody granted it."""
    return store.grant(tx, agent, environment, scope) or ungranted(agent, environment, scope)


def stopped(tx: Tx, agent: str) -> str | None:
    """Why an agent is stopped, by its own kill switch or that of all; None when it is not."""
    return store.stopped(tx, agent)


def switch_of_all(tx: Tx) -> Switch | None:
    return store.switches_on(tx).get(ALL)


def ladder(tx: Tx, agent: str, *, environment: str = PRODUCTION) -> Ladder:
    """Everything about one agent: each tier, and each contract that was granted or seen."""
    registry.artifact(tx, "agent", agent)
    on = store.switches_on(tx)
    granted = {one.scope: one for one in store.grants_of(tx, agent, environment)}
    records = store.records_of(tx, agent, environment)
    manifest = serving(tx, agent, environment)
    tiers = [f"tier/{tier.value}" for tier in Tier]
    special = sorted({*granted, *records} - set(tiers))
    rungs = [
        _rung(
            tx,
            granted.get(scope) or ungranted(agent, environment, scope),
            records.get(scope, Record()),
            manifest,
        )
        for scope in (*tiers, *special)
    ]
    waiting = store.widenings_page(
        tx, agent=agent, state=WideningState.OPEN, before="", limit=PAGE
    )
    return Ladder(
        agent=agent,
        environment=environment,
        manifest=manifest,
        stopped=on.get(agent),
        all_stopped=on.get(ALL),
        rungs=tuple(rungs),
        widenings=tuple(one for one in waiting if one.grant.environment == environment),
    )


def agents(
    tx: Tx, *, environment: str = PRODUCTION, after: str = "", limit: int = PAGE
) -> list[AgentLevel]:
    """Every agent by name, with its grants and its switch."""
    page = registry.artifacts(tx, "agent", after=after, limit=limit)
    names = [artifact.name for artifact, *_ in page]
    on = store.switches_on(tx)
    grants = store.grants_of_many(tx, names, environment) if names else []
    waiting = store.widenings_page(tx, state=WideningState.OPEN, before="", limit=500)
    return [
        AgentLevel(
            agent=name,
            stopped=on.get(name),
            grants=tuple(one for one in grants if one.agent == name),
            waiting=sum(one.grant.agent == name for one in waiting),
        )
        for name in names
    ]


def widening(tx: Tx, widening_id: str) -> Widening:
    found = store.widening(tx, widening_id)
    if found is None:
        raise WideningNotFound(widening_id)
    return found


def widenings(
    tx: Tx,
    *,
    agent: str = "",
    state: WideningState | None = None,
    before: str = "",
    limit: int = PAGE,
) -> list[Widening]:
    """What was asked for, newest first."""
    return store.widenings_page(tx, agent=agent, state=state, before=before, limit=limit)


def waiting(tx: Tx) -> int:
    """How many widenings wait for a person."""
    return store.count_open(tx)


def _rung(tx: Tx, grant: Grant, record: Record, manifest: str) -> Rung:
    effective = present(grant, manifest)
    above = ORDER[effective.level.rank + 1 :]
    following = above[0] if above else None
    verdict: Ready | NotYet = NotYet(because="nothing lies above")
    if following is not None:
        rules = rules_for(following)
        verdict = decide_widening(record, effective, rules, tx.now, to=following)
    confidence = rules_for(following or Level.EXPANDED).confidence
    return Rung(
        grant=grant,
        level=effective.level,
        record=record,
        agreement=agreement(record, confidence=confidence) if record.judged else None,
        next=following,
        ready=isinstance(verdict, Ready),
        because=verdict.because,
    )


def _rank(level: Level) -> int:
    return level.rank
