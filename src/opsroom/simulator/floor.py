"""The whole floor at work: nine agents take tasks and end them, and now and then a system outside
changes. Every day is a Wednesday, of which three turns in a hundred are done, so that a laptop
keeps up with a fast clock.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from opsroom.actions import turning
from opsroom.actions.model import Final
from opsroom.actions.turning import Serve, TurnDraft
from opsroom.importing import Bundle
from opsroom.importing.model import NewVersion
from opsroom.inbox import OverrideDraft, overriding
from opsroom.kit.db import Database, Tx
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft

from .fleet import AGENTS, Agent, Event, series
from .people import AUTHOR, clerk

SHARE = 0.03
WEDNESDAY = datetime(2026, 11, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)
LASTS = timedelta(hours=3)


def bundle(others: frozenset[str]) -> Bundle:
    """The agents of the floor that nobody else brings."""
    mine = [agent for agent in AGENTS if agent.name not in others]
    return Bundle(
        format="simulator",
        artifacts=tuple(
            ArtifactDraft(
                kind="agent",
                name=agent.name,
                owner=AUTHOR.name,
                purpose=agent.purpose,
                criticality=Criticality.ASSISTIVE,
                tags=("freight",),
            )
            for agent in mine
        ),
        versions=tuple(
            NewVersion(kind="agent", name=one.name, draft=_draft(one)) for one in mine
        ),
    )


def incidents(opened: datetime) -> Iterator[Event]:
    """What goes wrong outside, again and again, one system after the other."""
    found = (
        Event(name="rate field renamed", at=opened, integration="carriers", failed=0.5),
        Event(name="terminal token expired", at=opened, integration="terminals", failed=0.8),
        Event(name="scan type removed", at=opened, integration="scans", failed=0.45),
    )
    midnight = opened.replace(hour=0, minute=0, second=0, microsecond=0)
    number = 0
    while True:
        day, second = divmod(number, 2)
        at = midnight + timedelta(days=day, hours=14 if second else 9)
        if at >= opened:
            yield replace(found[number % len(found)], at=at, lasts=LASTS)
        number += 1


class Floor:
    """Nine agents over one installation. Let them `work` again and again."""

    def __init__(self, db: Database, serve: Serve, *, seed: int) -> None:
        self._db = db
        self._serve = serve
        self._seed = seed
        self._until = db.clock.now()
        self._coming = incidents(self._until)
        self._event = next(self._coming)

    def work(self) -> None:
        """Let the time since the last call pass: an hour of it at most."""
        now = self._db.clock.now()
        since = max(self._until, now - HOUR)
        self._until = now
        if now >= self._event.at + self._event.lasts:
            self._event = next(self._coming)
        self._seed += 1
        for agent in AGENTS:
            self._shift(agent, since, now - since)

    def _shift(self, agent: Agent, since: datetime, span: timedelta) -> None:
        """What one agent does in a while; its day is the one that the fleet has."""
        quieter = replace(agent, busiest=agent.busiest * SHARE)
        today = WEDNESDAY + timedelta(hours=since.hour, minutes=since.minute)
        done = series(
            quieter,
            since=today,
            stretches=1,
            stretch=span,
            seed=self._seed,
            events=(replace(self._event, at=self._event.at - since + today),),
        )
        failed, escalated = int(done.failed[0]), int(done.escalated[0])
        finals = [Final.FAILED] * failed + [Final.ESCALATED] * escalated
        finals += [Final.DONE] * (int(done.turns[0]) - len(finals))
        if not finals:
            return
        with self._db.write(clerk(agent.name)) as tx:
            turns = [self._turn(tx, agent, final) for final in finals]
        well = turns[failed + escalated :]
        overridden = well[: int(done.overridden[0])]
        if overridden:
            with self._db.write(AUTHOR) as tx:
                for turn in overridden:
                    _override(tx, agent, turn)

    def _turn(self, tx: Tx, agent: Agent, final: Final) -> str:
        draft = TurnDraft(agent=agent.name, intent=agent.purpose, subject=tx.ids.new("shp"))
        turn = turning.begin_turn(tx, draft, serve=self._serve)
        said = {
            Final.FAILED: f"{agent.integration} did not answer as it should",
            Final.ESCALATED: "not sure enough; a person decides",
        }
        turning.end(tx, turn.id, final, said.get(final, "done"))
        return turn.id


def _override(tx: Tx, agent: Agent, turn: str) -> None:
    overriding.override(
        tx,
        OverrideDraft(
            subject=f"turn/{turn}",
            agent=agent.name,
            agent_decision="as proposed",
            human_decision="otherwise",
            reasoning="the customer had agreed something else",
        ),
    )


def _draft(agent: Agent) -> VersionDraft:
    manifest = {
        "description": agent.purpose,
        "model": {"model": agent.model, "parameters": {"temperature": 0}},
        "team": "floor",
    }
    return VersionDraft(
        spec=manifest, message="first version", author=AUTHOR.name, source="simulator:1"
    )
