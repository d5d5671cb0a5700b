"""Beginning an occasion over what takes its time: telemetry is read, an integration is visited,
a judge is put to its labels, all before the transaction and outside of it.
"""

from dataclasses import dataclass

from opsroom.evals.calibrating import Calibrating, calibrate
from opsroom.integrations import checking as integrations
from opsroom.integrations.probing import Prober
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import OpsroomError
from opsroom.models import Models
from opsroom.registry import Kinds
from opsroom.traces.queries import Reads

from . import collecting, commands, records
from .commands import Search
from .looking import Work, look
from .model import Exhibit, Kind, Occasion


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an occasion is begun with on this server."""

    db: Database
    telemetry: Reads
    prober: Prober
    models: Models
    kinds: Kinds

    def begin(
        self, actor: Actor, occasion_id: str, *, search: Search | None = None
    ) -> Occasion:
        """Begin an occasion with all of its evidence. Raises as `commands.start` does; what
        could not be read, visited or asked is part of the evidence.

        It is claimed first: of two who begin it at once, one visits and pays.
        """
        with self.db.write(actor) as tx:
            claimed = commands.claim(tx, occasion_id)
        try:
            work, beside = self._looked(actor, claimed)
            with self.db.write(actor) as tx:
                return commands.start(
                    tx,
                    occasion_id,
                    kinds=self.kinds,
                    work=work,
                    search=search,
                    beside=beside,
                    claimed=claimed,
                )
        except BaseException:
            with self.db.write(actor) as tx:
                commands.release(tx, claimed)
            raise

    def _looked(
        self, actor: Actor, one: Occasion
    ) -> tuple[tuple[Work, ...] | None, tuple[Exhibit, ...]]:
        with self.db.read(actor) as tx:
            agents = collecting.agents_of(tx, one, kinds=self.kinds)
            labels = collecting.labels_of(tx, one)
        try:
            if one.kind is Kind.PROMPT_AUDIT:
                now = self.db.clock.now()
                return look(self.telemetry, actor.project, agents, now=now), ()
            if one.kind is Kind.CONTRACT_TESTS:
                integrations.check(self.db, actor, one.about, prober=self.prober)
            elif labels:
                wanted = Calibrating(evaluator=one.about, dataset=labels)
                calibrate(self.db, actor, wanted, models=self.models)
        except OpsroomError as error:
            said = f"not everything could be looked at now: {error}"
            return None, (records.exhibit(one.subject, None, said),)
        return None, ()
