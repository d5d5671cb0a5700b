"""What runs beside the requests: durable loops, and handing the journal's news to slices.

Each starts in a thread of its own, so that requests are answered while they come up. What may
take seconds has another each, so that nothing waits for it: reading what agents hear and say,
looks at alert rules, for drift and for other models, at calendars and levels, judging, removing
what is old, and metrics on their way to a collector.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from opsroom.access import glass
from opsroom.access.uses import Uses
from opsroom.actions import executing as actions
from opsroom.actions import workflow as action_workflow
from opsroom.alerts import looking
from opsroom.alerts import queries as alert_queries
from opsroom.budgets import commands as budget_commands
from opsroom.budgets import queries as budget_queries
from opsroom.cadence import planning as cadence
from opsroom.channels.sending import Sender
from opsroom.drift import looking as drift
from opsroom.feedback import joining as feedback
from opsroom.inbox import commands as inbox_commands
from opsroom.inbox import queries as inbox_queries
from opsroom.journal import outbox, queries, witnessing
from opsroom.journal.checkpoints import Notary
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.redaction import Redactor
from opsroom.maturity import keeping as maturity
from opsroom.models import Models
from opsroom.redactions import Tally
from opsroom.reports import sending as reports
from opsroom.retention import rounds as retention
from opsroom.retraining import commands as retraining_commands
from opsroom.retraining import looking as retraining_looking
from opsroom.retraining import queries as retraining_queries
from opsroom.scoring import judging as scoring
from opsroom.security.watching import Watcher, canaries_of
from opsroom.sunset import looking as zombies
from opsroom.traces.keepers import Keepers
from opsroom.traces.telemetry import Traces

from .acting import executors
from .models import ConfiguredModels
from .probing import prober
from .runtime import SYSTEM, Runtime

if TYPE_CHECKING:
    from opsroom.kit.durable import Durable
    from opsroom.metrics.collecting import Metrics
    from opsroom.metrics.sending import Sender as Collector

log = logging.getLogger(__name__)
LOOK_EVERY = 0.1
TICK_EVERY = 10  # looks
WATCH_EVERY = 0.5
REST_AFTER_FAILURE = 2.0
SEND_METRICS_EVERY = 60.0
LOOK_AT_RULES_EVERY = 1.0
LOOK_AT_CALENDARS_EVERY = 1.0
REMOVE_EVERY = 1.0
SCORE_EVERY = 20.0
LOOK_AT_AGENTS_EVERY = 30.0
KEEP_USES_EVERY = 1.0
EVERYWHERE = Actor("system:clock", "", human=False)
# What the clock alone changes, in every project: whether anything is due, and doing it.
CLOCKS: tuple[tuple[Callable[[Tx], bool], Callable[[Tx], int]], ...] = (
    (glass.overdue, glass.expire),
    (inbox_queries.overdue, inbox_commands.expire),
    (action_workflow.overdue, actions.expire),
    (budget_queries.overdue, budget_commands.expire),
    (retraining_queries.overdue, retraining_commands.tick),
)


class Background:
    """The work of one server process that nobody waits for.

    It looks for new journal entries ten times a second, which is one indexed read and finds
    what other processes wrote as well. What fails is tried again from where it was after a
    rest; nothing is skipped. Without `telemetry`, which one process has open at a time, it
    does not look at what agents do.
    """

    def __init__(
        self,
        runtime: Runtime,
        models: Models,
        telemetry: Traces | None = None,
        metrics: "Metrics | None" = None,
        uses: Uses | None = None,
        redactions: Tally | None = None,
    ) -> None:
        self._uses = uses or Uses()
        self._redactions = redactions or Tally()
        self._runtime = runtime
        self._models = models
        self._traces = telemetry
        self._watcher = Watcher(runtime.db, canaries_of(os.environ))
        self._metrics = _collector(runtime, metrics)
        self._witness = witnessing.Witness(
            runtime.db,
            Notary(runtime.settings.data),
            url=runtime.settings.checkpoint_url,
            allow=runtime.settings.allowed_hosts,
        )
        self._stop = threading.Event()
        beside = (
            ("security", WATCH_EVERY, self._watch),
            ("uses", KEEP_USES_EVERY, self._keep_uses),
            (
                "sunset",
                LOOK_AT_AGENTS_EVERY,
                self._when(zombies.overdue, self._look_for_zombies),
            ),
            ("alerts", LOOK_AT_RULES_EVERY, self._look_at_rules),
            ("drift", LOOK_AT_AGENTS_EVERY, self._with_telemetry(drift.overdue, drift.look)),
            (
                "retraining",
                LOOK_AT_AGENTS_EVERY,
                self._with_telemetry(retraining_looking.overdue, retraining_looking.look),
            ),
            ("scoring", SCORE_EVERY, self._with_telemetry(scoring.overdue, self._score)),
            ("feedback", feedback.EVERY, self._join_feedback),
            ("checkpoints", witnessing.EVERY, self._sign),
            ("cadence", LOOK_AT_CALENDARS_EVERY, self._when(cadence.overdue, cadence.look)),
            ("maturity", LOOK_AT_AGENTS_EVERY, self._when(maturity.overdue, maturity.look)),
            ("retention", REMOVE_EVERY, self._remove),
            ("reports", LOOK_AT_AGENTS_EVERY, self._when(reports.overdue, self._send_reports)),
            ("metrics", SEND_METRICS_EVERY, self._send_metrics),
        )
        self._threads = (
            threading.Thread(target=self._run, name="opsroom-background", daemon=True),
            *(
                threading.Thread(
                    target=self._repeat, args=one, name=f"opsroom-{one[0]}", daemon=True
                )
                for one in beside
            ),
        )

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the hand-over that is going on, stop the loops where they are, and end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        with suppress(OpsroomError):  # a database that is away takes the last notes with it
            self._uses.keep(self._runtime.db)
            self._redactions.keep(self._runtime.db)

    def _run(self) -> None:
        # Loading the engine of durable work takes a while that no request should wait for.
        from opsroom.alerts import reactions as alerts  # noqa: PLC0415
        from opsroom.autonomy import reactions as autonomy  # noqa: PLC0415
        from opsroom.cadence import reactions as reviews  # noqa: PLC0415
        from opsroom.channels import workflow as channels  # noqa: PLC0415
        from opsroom.corrections import reactions as corrections  # noqa: PLC0415
        from opsroom.evals import regressing  # noqa: PLC0415
        from opsroom.feedback.reactions import reactions as joins  # noqa: PLC0415
        from opsroom.improvement import running as improvement  # noqa: PLC0415
        from opsroom.inbox import linking  # noqa: PLC0415
        from opsroom.integrations import workflow as integrations  # noqa: PLC0415
        from opsroom.kit.durable import Durable  # noqa: PLC0415
        from opsroom.memory import reactions as memory  # noqa: PLC0415
        from opsroom.releases import workflow as releases  # noqa: PLC0415
        from opsroom.retraining import reactions as retraining  # noqa: PLC0415
        from opsroom.retraining import workflow as retraining_gate  # noqa: PLC0415
        from opsroom.sunset import workflow as sunset  # noqa: PLC0415
        from opsroom.thresholds import reactions as thresholds  # noqa: PLC0415

        db, settings = self._runtime.db, self._runtime.settings
        vault = self._runtime.vault
        driver = action_workflow.Driver(db, executors(settings, vault))
        loops = {
            releases.LOOP: releases.Driver(db, self._models).look,
            action_workflow.LOOP: driver.look,
            action_workflow.LOOKUPS: driver.look_up,
            channels.LOOP: channels.Driver(
                db, Sender(site=settings.site, allow=settings.allowed_hosts, secrets=vault)
            ).look,
            integrations.LOOP: integrations.Driver(db, prober(settings, vault)).look,
            improvement.LOOP: improvement.Driver(db, self._models, self._runtime.kinds).look,
            retraining_gate.LOOP: retraining_gate.Driver(db, self._models).look,
            sunset.LOOP: sunset.Driver(db, self._telemetry, self._runtime.kinds).look,
        }
        durable = Durable(settings.database, loops=loops, executor=settings.executor)
        if self._launched(durable):
            try:
                self._pump(
                    (
                        *releases.reactions(durable),
                        *action_workflow.reactions(durable),
                        *integrations.reactions(durable),
                        *channels.reactions(
                            durable, redactor=_redactor(), page_for=linking.page_for
                        ),
                        *improvement.reactions(durable),
                        *autonomy.reactions(),
                        *memory.REACTIONS,
                        *corrections.reactions(self._runtime.kinds),
                        *regressing.reactions(),
                        *joins(),
                        *alerts.REACTIONS,
                        *thresholds.REACTIONS,
                        *retraining.reactions(self._runtime.kinds),
                        *retraining_gate.reactions(durable),
                        *sunset.reactions(durable),
                        *reviews.reactions(),
                    )
                )
            finally:
                durable.close()

    def _repeat(self, what: str, every: float, do: Callable[[], bool]) -> None:
        """Do something again and again: at once while it says that there is more, and after a
        rest where it failed.
        """
        wait = every
        while not self._stop.wait(wait):
            try:
                wait = 0.0 if do() else every
            except OpsroomError as error:
                log.warning("%s: %s; it will be tried again", what, error)
                wait = max(every, REST_AFTER_FAILURE)
            except Exception:
                log.exception("%s failed; it will be tried again", what)
                wait = max(every, REST_AFTER_FAILURE)

    @property
    def _telemetry(self) -> Traces | None:
        """The telemetry that somebody sent or read here; opening it would be for nothing."""
        return self._traces.used if self._traces else None

    def _watch(self) -> bool:
        """Look at what agents hear and say."""
        return self._watcher.look() > 0

    def _keep_uses(self) -> bool:
        """Write down who was seen calling which agent, and how much was redacted."""
        self._uses.keep(self._runtime.db)
        self._redactions.keep(self._runtime.db)
        return False

    def _when(
        self, overdue: Callable[[Database], bool], look: Callable[[Database], object]
    ) -> Callable[[], bool]:
        """Look at one project or agent that is due, and then for more of them."""

        def do() -> bool:
            if not overdue(self._runtime.db):
                return False
            look(self._runtime.db)
            return True

        return do

    def _with_telemetry(
        self, overdue: Callable[[Database], bool], look: Callable[[Database, Traces], object]
    ) -> Callable[[], bool]:
        """The same, where telemetry is at work here."""

        def do() -> bool:
            telemetry = self._telemetry
            if telemetry is None or not overdue(self._runtime.db):
                return False
            look(self._runtime.db, telemetry)
            return True

        return do

    def _look_for_zombies(self, db: Database) -> None:
        """Look for agents that linger. Without telemetry what they cost is not looked at."""
        zombies.look(db, self._telemetry)

    def _look_at_rules(self) -> bool:
        with self._runtime.db.read(EVERYWHERE) as tx:
            anything = alert_queries.overdue(tx)
        if anything:
            looking.look(self._runtime.db, self._telemetry)
        return False

    def _score(self, db: Database, telemetry: Traces) -> None:
        """Judge agents while they work."""
        scoring.look(db, telemetry, self._models)

    def _join_feedback(self) -> bool:
        """Find the work of what was said before it was there."""
        feedback.join(self._runtime.db, self._telemetry)
        return False

    def _remove(self) -> bool:
        """Remove what was kept long enough, a little at a time, so that others may write."""
        if retention.overdue(self._runtime.db):
            retention.look(self._runtime.db)
        return False

    def _send_reports(self, db: Database) -> None:
        """Send the reports that are due."""
        reports.look(db, self._traces)

    def _sign(self) -> bool:
        """Sign what the journal is."""
        self._witness.look()
        return False

    def _send_metrics(self) -> bool:
        """Send metrics to the collector that is set, if one is; it tells itself what fails."""
        if self._metrics is not None and self._traces is not None:
            self._metrics.send(self._traces)
        return False

    def _launched(self, durable: "Durable") -> bool:
        """Start the loops, as often as it takes; False when we are told to stop before."""
        while not self._stop.is_set():
            try:
                durable.launch()
            except Exception:
                log.exception("durable work could not be started; it will be tried again")
                self._stop.wait(REST_AFTER_FAILURE)
            else:
                return True
        return False

    def _pump(self, reactions: Sequence[Reaction]) -> None:
        db = self._runtime.db
        seen = -1
        looks = 0
        wait = 0.0
        while not self._stop.wait(wait):
            wait = LOOK_EVERY
            looks += 1
            try:
                if looks % TICK_EVERY == 0:
                    self._tick()
                with db.read(SYSTEM) as tx:
                    head = queries.head(tx).seq
                if head != seen:
                    outbox.pump(db, reactions)
                    seen = head
            except OpsroomError as error:
                log.warning("the journal was not handed over: %s", error)
                wait = REST_AFTER_FAILURE
            except Exception:
                log.exception("a reaction to the journal failed; it will be tried again")
                wait = REST_AFTER_FAILURE

    def _tick(self) -> None:
        """Let what has run out of time do so. Several processes may: it is safe to repeat."""
        db = self._runtime.db
        for due, act in CLOCKS:
            try:
                with db.read(EVERYWHERE) as tx:
                    anything = due(tx)
                if anything:
                    with db.write(EVERYWHERE) as tx:
                        act(tx)
            except Exception:
                log.exception("%s failed; it will be tried again", act.__module__)


def _redactor() -> Callable[[Tx], Redactor]:
    """What each project takes out of what leaves it."""
    keepers = Keepers()
    return lambda tx: keepers.of(tx).redactor


def _collector(runtime: Runtime, metrics: "Metrics | None") -> "Collector | None":
    """What sends metrics to a collector, if one is set."""
    settings = runtime.settings
    if not settings.otlp_metrics_url:
        return None
    from opsroom.metrics.sending import Sender as Collector  # noqa: PLC0415  # only where it is used

    return Collector(
        runtime.db,
        settings.otlp_metrics_url,
        metrics=metrics,
        header=settings.otlp_metrics_header,
        allow=settings.allowed_hosts,
        instance=settings.executor,
    )


@contextmanager
def at_work(runtime: Runtime) -> Iterator[None]:
    """An installation whose background work is done in this process, without a port."""
    work = Background(runtime, ConfiguredModels(runtime.settings))
    work.start()
    try:
        yield
    finally:
        work.stop()
