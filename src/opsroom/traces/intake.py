"""Many requests, one insert: telemetry on its way into the store.

Whoever hands a request in waits until it is durable. Requests that come while an insert is
going on make the next one, so that a busy store gets large inserts and a quiet one answers at
once. What waits is bounded by its size; beyond that we say so, and exporters send it again a
second later. The same request sent again is answered from memory, or waits for the first.
"""

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from opsroom.kit.clock import Clock
from opsroom.kit.faults import boundary

from . import wire
from .errors import Overloaded, TelemetryRefused, TelemetryUnavailable
from .frames import LARGEST_RAW, DeadLetter
from .ports import Telemetry
from .pricing import Pricing
from .retention import Keeps
from .wire import Stamp

log = logging.getLogger(__name__)
MEGABYTE = 1024 * 1024
REMEMBERED = 100_000
SECOND, MINUTE = 1.0, 60.0
RECENT = timedelta(minutes=15)
SETTINGS = {
    "format_schema_source": "string",
    "format_schema": wire.SCHEMA,
    "format_schema_message_name": wire.MESSAGE,
    "input_format_protobuf_oneof_presence": "1",
    # A statement is analysed for every insert; these cost more than they bring.
    "query_plan_enable_optimizations": "0",
    "compile_expressions": "0",
    "optimize_on_insert": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may wait, and how much goes into one insert, in bytes.

    Inserts begin `pace` seconds of the machine apart, unless `enough` is waiting: each of them
    has a price of its own, whatever its size, and whoever comes after a pause does not wait.
    """

    waiting: int = 64 * MEGABYTE
    batch: int = 24 * MEGABYTE
    enough: int = 12 * MEGABYTE
    pace: float = 0.25


@dataclass(slots=True, eq=False)
class _Waiting:
    row: bytes
    stamp: Stamp
    dead: Sequence[DeadLetter]
    done: "Future[None]" = field(default_factory=Future["None"])


class Intake:
    """One queue and one thread that empties it into a store, which is opened with the first."""

    def __init__(
        self,
        opened: Callable[[], "Opened"],
        clock: Clock,
        bounds: Bounds | None = None,
    ) -> None:
        self._opened = opened
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._lock = threading.Condition()
        self._queue: list[_Waiting] = []
        self._bytes = 0
        self._known: OrderedDict[tuple[str, int], Future[None]] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._began = -60.0

    def submit(self, body: bytes, stamp: Stamp, dead: Sequence[DeadLetter]) -> "Future[None]":
        """Hand in what was checked; the future is done when all of it is durable.

        Raises `Overloaded` where too much is waiting already. The future fails with
        `TelemetryUnavailable` when it could not be stored; then nothing of it counts as
        stored, and it may be sent again.
        """
        made = _Waiting(wire.item(body, stamp) if body else b"", stamp, dead)
        key = (stamp.project, stamp.digest)
        with self._lock:
            if self._stopping:
                raise Overloaded
            if (known := self._known.get(key)) is not None:
                return known
            if self._bytes and self._bytes + len(made.row) > self._bounds.waiting:
                raise Overloaded
            self._known[key] = made.done
            if len(self._known) > REMEMBERED:
                self._forget()
            self._queue.append(made)
            self._bytes += len(made.row)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
                self._thread.start()
            self._lock.notify()
        return made.done

    def _forget(self) -> None:
        """Let go of the oldest that are done."""
        oldest = list(self._known.items())[: REMEMBERED // 10]
        for key, done in oldest:
            if done.done():
                del self._known[key]

    def close(self) -> None:
        """Store what is waiting, and end."""
        with self._lock:
            self._stopping = True
            self._lock.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        opened: Opened | None = None
        while batch := self._next():
            try:
                if opened is None:
                    opened = self._opened()
                    self._remember(opened)
                self._store(opened, batch)
            except Exception as error:
                if not isinstance(error, TelemetryUnavailable):
                    log.exception("telemetry could not be stored")
                self._fail(batch, error)
                continue
            for one in batch:
                one.done.set_result(None)
            self._look_after(opened)

    def _look_after(self, opened: "Opened") -> None:
        """What is stored is stored; should this fail, it is tried again with the next."""
        try:
            opened.after(self._clock.now(), busy=bool(self._queue))
        except Exception:
            log.exception("the store of telemetry could not be looked after")

    def _next(self) -> list[_Waiting]:
        """What goes into the next insert; nothing when there will be no more."""
        with self._lock:
            while not self._queue and not self._stopping:
                self._lock.wait()
            while (
                not self._stopping
                and self._bytes < self._bounds.enough
                and (rest := self._began + self._bounds.pace - time.monotonic()) > 0
            ):
                self._lock.wait(rest)
            self._began = time.monotonic()
            batch: list[_Waiting] = []
            size = 0
            for one in self._queue:
                if batch and size + len(one.row) > self._bounds.batch:
                    break
                batch.append(one)
                size += len(one.row)
            del self._queue[: len(batch)]
            self._bytes -= size
            return batch

    def _store(self, opened: "Opened", batch: Sequence[_Waiting]) -> None:
        boundary("telemetry.before_insert")
        try:
            self._insert(opened, batch)
        except TelemetryRefused:
            # One of them is not what we took it for. Find it, and keep the others.
            if len(batch) == 1:
                self._bury(opened, batch[0])
            else:
                half = len(batch) // 2
                self._store(opened, batch[:half])
                self._store(opened, batch[half:])
        boundary("telemetry.after_insert")

    def _insert(self, opened: "Opened", batch: Sequence[_Waiting]) -> None:
        if rows := b"".join(one.row for one in batch):
            opened.store.insert(opened.inbox, rows, form=wire.FORMAT, settings=SETTINGS)
        self._insert_dead(opened, [(one.stamp, dead) for one in batch for dead in one.dead])

    def _bury(self, opened: "Opened", one: _Waiting) -> None:
        log.error("the store refused a request that had been checked")
        raw = one.row[:LARGEST_RAW].decode("utf-8", "replace") if one.stamp.capture else ""
        dead = DeadLetter(reason="the store refused it", raw=raw, size=len(one.row))
        self._insert_dead(
            opened, [(one.stamp, dead), *((one.stamp, other) for other in one.dead)]
        )

    def _insert_dead(
        self, opened: "Opened", letters: Sequence[tuple[Stamp, DeadLetter]]
    ) -> None:
        if not letters:
            return
        rows = [
            {
                "project": stamp.project,
                "received": stamp.received // 1_000_000 / 1000,
                "sender": stamp.sender,
                "reason": dead.reason,
                "trace_id": dead.trace_id,
                "span_id": dead.span_id,
                "name": dead.name,
                "size": dead.size,
                "raw": dead.raw if stamp.capture else "",
                "digest": (stamp.digest + number) % 2**64,
            }
            for number, (stamp, dead) in enumerate(letters)
        ]
        data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        opened.store.insert("dead_letters", data, form="JSONEachRow", settings={})

    def _remember(self, opened: "Opened") -> None:
        """Know again what was stored before this process began and perhaps never answered."""
        since = self._clock.now() - RECENT
        done: Future[None] = Future()
        done.set_result(None)
        found = opened.store.rows(
            "SELECT DISTINCT project, digest FROM spans WHERE received > {since:DateTime64(3)} "
            "AND toYYYYMMDD(received) >= toYYYYMMDD({since:DateTime64(3)})",
            {"since": since},
        )
        with self._lock:
            for row in found:
                self._known.setdefault((row["project"], row["digest"]), done)

    def _fail(self, batch: Sequence[_Waiting], error: Exception) -> None:
        with self._lock:
            for one in batch:
                self._known.pop((one.stamp.project, one.stamp.digest), None)
        for one in batch:
            one.done.set_exception(error)


@dataclass(slots=True, kw_only=True)
class Opened:
    """A store that is ready, the table that requests are put into, and who keeps its prices."""

    store: Telemetry
    inbox: str
    pricing: Pricing
    keeps: Keeps
    settled: float = -3600.0
    looked: float = -3600.0

    def after(self, now: datetime, *, busy: bool) -> None:
        """What is to be done once something new is stored: at once where nothing else waits,
        or else once a second; some of it once a minute.
        """
        if busy and time.monotonic() - self.settled < SECOND:
            return
        self.settled = time.monotonic()
        self.pricing.settle(now)
        if time.monotonic() - self.looked >= MINUTE:
            self.looked = time.monotonic()
            self.pricing.refresh(now)
            self.keeps.look()


def now_nano(clock: Clock) -> int:
    moment = clock.now().astimezone(UTC)
    return int(moment.timestamp() * 1_000_000) * 1_000
