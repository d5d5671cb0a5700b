"""Looking at what agents' confidence is worth."""

from dataclasses import dataclass

from opsroom.autonomy import queries as grants
from opsroom.autonomy.model import Grant
from opsroom.evidence.calibration import Calibration, calibrate
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.registry import queries as registry

from . import reading, store
from .commands import standing_of, tier_of
from .errors import CutoffNotFound
from .model import (
    PRODUCTION,
    Decision,
    Examination,
    Holds,
    Lost,
    Meaning,
    Settings,
    Source,
    meaning,
)
from .store import Of

PAGE = 50
MOST_CONTRACTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated(Wire):
    """A contract under which an agent said how sure it was: how many decisions on manifests
    with its present model, how many of them people answered, and the last examination of one
    of these manifests.
    """

    contract: str
    decisions: int
    labelled: int
    grant: Grant
    last: Examination | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence(Wire):
    """What an agent's confidence is worth, contract by contract, in one environment."""

    agent: str
    environment: str
    manifest: str
    contracts: tuple[Rated, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Wire):
    """How the newest decisions of an agent under one contract stand now.

    `calibration` is of the labelled ones and holds nothing that is kept or decided by: look as
    often as you like. `alone` ran without a person, `found_wrong` of them turned out wrong.
    """

    agent: str
    environment: str
    contract: str
    decisions: int
    labelled: int
    spots: int
    alone: int
    found_wrong: int
    calibration: Calibration | None
    meaning: Meaning | None
    watch: Holds | Lost | None
    grant: Grant


def confidence(tx: Tx, agent: str, *, environment: str = PRODUCTION) -> Confidence:
    """Every contract under which an agent said how sure it was, the most labelled first."""
    registry.artifact(tx, "agent", agent)
    manifests = reading.lineage(tx, agent, environment)
    counted = store.contracts(tx, agent, environment, manifests, limit=MOST_CONTRACTS)
    last: dict[str, Examination] = {}
    for one in store.page(tx, agent=agent, environment=environment, limit=4 * PAGE):
        if one.manifest in manifests:
            last.setdefault(one.contract, one)
    return Confidence(
        agent=agent,
        environment=environment,
        manifest=manifests[0] if manifests else "",
        contracts=tuple(
            Rated(
                contract=one.contract,
                decisions=one.decisions,
                labelled=one.labelled,
                grant=grants.granted(
                    tx, agent, f"contract/{one.contract}", environment=environment
                ),
                last=last.get(one.contract),
            )
            for one in counted
        ),
    )


def standing(tx: Tx, agent: str, contract: str, *, environment: str = PRODUCTION) -> Standing:
    """How an agent stands under one contract, from its newest 5,000 decisions."""
    registry.artifact(tx, "agent", agent)
    of = Of(agent, contract.removeprefix("contract/"), environment)
    found = store.newest(tx, of, reading.lineage(tx, agent, environment))
    labels = [(one.confidence, one.wrong) for one in found if one.wrong is not None]
    outcomes = frozenset(store.load_settings(tx).wrong_outcomes)
    alone = [one for one in found if one.source is Source.ALONE]
    made = calibrate([one for one, _ in labels], [was for _, was in labels]) if labels else None
    grant = grants.granted(tx, agent, f"contract/{of.contract}", environment=environment)
    return Standing(
        agent=agent,
        environment=environment,
        contract=of.contract,
        decisions=len(found),
        labelled=len(labels),
        spots=sum(one.source is Source.SPOT for one in found),
        alone=len(alone),
        found_wrong=sum(one.known_wrong(outcomes) for one in alone),
        calibration=made,
        meaning=None if made is None else meaning(made),
        watch=standing_of(tx, of, grant),
        grant=grant,
    )


def labelled(
    tx: Tx, agent: str, contract: str, *, environment: str = PRODUCTION
) -> list[Decision]:
    """The newest decisions that people answered, on manifests with the model that serves now,
    newest first. Nothing is kept: what is read off them certifies nothing.
    """
    registry.artifact(tx, "agent", agent)
    of = Of(agent, contract.removeprefix("contract/"), environment)
    found = store.newest(tx, of, reading.lineage(tx, agent, environment))
    return [one for one in found if one.wrong is not None]


def target(tx: Tx, one: Decision) -> float:
    """The share of errors that a cut-off has to stay under for decisions like this one."""
    return store.load_settings(tx).target(tier_of(tx, one.reference))


def examination(tx: Tx, examination_id: str) -> Examination:
    """Raises `CutoffNotFound`."""
    found = store.examination(tx, examination_id)
    if found is None:
        raise CutoffNotFound(examination_id)
    return found


def examinations(
    tx: Tx,
    *,
    agent: str | None = None,
    contract: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Examination]:
    """What was found, newest first."""
    return store.page(tx, agent=agent, contract=contract, before=before, limit=limit)


def settings(tx: Tx) -> Settings:
    return store.load_settings(tx)
