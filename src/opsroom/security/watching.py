"""Following what agents do, and writing down what is a security event.

Reading texts takes a while, so it is done outside any transaction and behind the gate, by the
journal: what is on record is looked at within a second, whatever happens to this process.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from opsroom.actions import queries as actions
from opsroom.actions.model import Turn
from opsroom.actions.queries import TurnRecord
from opsroom.detectors.canary import Canaries
from opsroom.detectors.looking import findings
from opsroom.detectors.model import Finding
from opsroom.journal import Entry, outbox
from opsroom.journal import queries as journal
from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import Conflict, NotFound
from opsroom.kit.faults import boundary
from opsroom.releases import commands as releases
from opsroom.releases.model import Arm

from .model import GRAVE, Read, Sighting, sightings, untrusted

READER = "security.watch"
SYSTEM = "system:security"
CANARY = "OPSROOM_SECRET_CANARY"
# After these a turn has heard or said something new.
TELLING = frozenset(
    {
        "action.awaiting_approval",
        "action.denied",
        "action.executing",
        "action.failed",
        "action.recommended",
        "action.succeeded",
        "turn.ended",
    }
)
MOST_KEPT = 4_096  # texts whose findings are kept: a turn is looked at again and again
MOST_OF_A_TURN = 20  # events
Findings = tuple[Finding, ...]


def canaries_of(environment: Mapping[str, str]) -> Canaries:
    """The canaries of this installation: the values of variables `OPSROOM_SECRET_CANARY…`.

    Raises `CanaryTooShort`.
    """
    return Canaries(
        value
        for name, value in sorted(environment.items())
        if name.startswith(CANARY) and value
    )


@dataclass(slots=True)
class Watcher:
    """Looks at turns of which there is news."""

    db: Database
    canaries: Canaries
    _known: "OrderedDict[str, Findings]" = field(default_factory=OrderedDict[str, Findings])

    def look(self) -> int:
        """Look at the next turns of which there is news; return how many entries that took.

        Several processes may: what another one has looked at meanwhile is left to it.
        """
        begun, entries = outbox.ahead(self.db, READER)
        if not entries:
            return 0
        seen = [self._look(project, turn) for project, turn in self._turns(entries)]
        boundary("security.before_note")
        with self.db.write(Actor(SYSTEM, "", human=False)) as tx:
            if outbox.take(tx, READER, since=begun, upto=entries[-1].seq):
                for project, turn, found in seen:
                    tx.actor = Actor(SYSTEM, project, human=False)
                    _note(tx, turn, found)
        return len(entries)

    def _turns(self, entries: Sequence[Entry]) -> list[tuple[str, str]]:
        """The turns that entries are about, each once, with their projects."""
        wanted: dict[tuple[str, str], None] = {}
        with self.db.read(Actor(SYSTEM, "", human=False)) as tx:
            for entry in entries:
                if entry.event in TELLING:
                    tx.actor = Actor(SYSTEM, entry.project, human=False)
                    if turn := _turn_of(tx, entry):
                        wanted[entry.project, turn] = None
        return list(wanted)

    def _look(self, project: str, turn: str) -> tuple[str, Turn, list[Sighting]]:
        """What is to be seen in a turn as it stands; its texts are let go of again."""
        with self.db.read(Actor(SYSTEM, project, human=False)) as tx:
            record = actions.turn(tx, turn)
        return project, record.turn, self._read(record)

    def _read(self, record: TurnRecord) -> list[Sighting]:
        heard = [self._seen(one.tool or "a tool", one.text) for one in untrusted(record.texts)]
        said = [
            self._seen(
                f"arguments of {one.tool}",
                json.dumps(one.arguments, ensure_ascii=False),
                action=one.id,
            )
            for one in record.actions
            if one.arguments
        ]
        if record.turn.result:
            said.append(self._seen("result", record.turn.result))
        found: dict[tuple[str, str], Sighting] = {}
        for one in sightings(record.turn, heard, said, record.actions):
            found.setdefault((one.event.value, one.about), one)
        return list(found.values())

    def _seen(self, where: str, text: str, *, action: str = "") -> Read:
        of = digest(text)
        known = self._known.pop(of, None)
        self._known[of] = findings(text, canaries=self.canaries) if known is None else known
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        return Read(where=where, findings=self._known[of], digest=of[:16], action=action)


def _turn_of(tx: Tx, entry: Entry) -> str:
    what, _, name = entry.subject.partition("/")
    if what == "turn":
        return name
    try:
        return actions.record(tx, name).action.turn
    except NotFound:
        return ""


def _note(tx: Tx, turn: Turn, found: Iterable[Sighting]) -> None:
    """Put what is new into the journal; what must not happen is reported to the release."""
    subject = f"turn/{turn.id}"
    before = journal.entries(tx, subject=subject, limit=500)
    known = {(entry.event, entry.facts.get("about")) for entry, _ in before}
    room = MOST_OF_A_TURN - sum(1 for event, _ in known if event.startswith("security."))
    for one in found:
        if (one.event.value, one.about) in known or room <= 0:
            continue
        room -= 1
        tx.record(
            one.event.value,
            subject,
            agent=turn.agent,
            version=turn.version,
            manifest=turn.manifest,
            release=turn.release or "",
            arm=turn.arm,
            action=one.action,
            where=one.where,
            words=one.words,
            score=one.score,
            about=one.about,
        )
        if one.event in GRAVE and turn.release and turn.arm == Arm.CHALLENGER.value:
            _report(tx, turn.release, one, turn.id)


def _report(tx: Tx, release: str, one: Sighting, turn: str) -> None:
    try:
        with tx.part():
            releases.report_security_event(
                tx, release, key=f"{turn}:{one.event.value}", what=f"{one.where}: {one.words}"
            )
    except Conflict:  # it is over already
        return
