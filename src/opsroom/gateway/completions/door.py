"""The OpenAI-compatible door: from a request to an answer, with everything around it.

What may be spent is held before a model is asked and settled before whoever asked sees the end of
the answer. The span, and what is noted of who served, come after: a process that dies takes those
of its last moment with it.
"""

import asyncio
import json
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from starlette.responses import Response, StreamingResponse

from opsroom.budgets import Unit
from opsroom.budgets import queries as budgets
from opsroom.kit import outbound
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import OpsroomError
from opsroom.models.route import Target, in_order
from opsroom.redactions import Tally
from opsroom.traces.checking import PROTOBUF, check
from opsroom.traces.frames import DeadLetter
from opsroom.traces.intake import now_nano
from opsroom.traces.keepers import Keeper, Keepers
from opsroom.traces.wire import Stamp
from opsroom.vault import Opened, Secrets, within

from . import faces, kept, spending
from .answers import Facts, check_whole
from .asking import Asking, Attempt, Streaming, Whole
from .breakers import Breakers, Line
from .errors import StreamBroke, in_their_shape
from .model import Asked, onward
from .ports import Broke, Providers, Sent
from .preparing import Call, Routes, prepare
from .telling import Ended, Trail, span_of, trail

log = logging.getLogger(__name__)
MOST_WAITING = 5_000  # calls that are still to be told of
MOST_SEEN = 10_000
ERROR_FROM = 400


# Hands a checked span in, to be stored.
Submit = Callable[[bytes, Stamp, Sequence[DeadLetter]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the door is given: where spans go, how secrets open, who serves, the installation's own
    endpoint and its key.
    """

    db: Database
    submit: Submit
    keepers: Keepers
    tally: Tally
    secrets: Secrets
    serve: Callable[..., Any]
    providers: Providers
    endpoint: str = ""
    key: str = field(default="", repr=False)
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    pace: float = 0.1  # seconds that what nobody waits for may wait, to be done together
    now: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A call of `size` bytes that may be made, what is held for it (nothing where no budget counts
    it), and where it stands. `found` is an answer that was kept; a new one is kept under `key`
    for so many seconds, where that was agreed to.
    """

    call: Call
    keeper: Keeper
    trail: Trail
    began: datetime
    started: float
    size: int
    held: Mapping[Unit, Decimal]
    key: str
    keep_for: float
    found: Whole | None


class ModelDoor:
    """One for a process. It closes with the application."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._routes = Routes()
        self._answers = kept.Answers()
        self._seen: set[tuple[Line, str, str]] = set()
        self._after = ThreadPoolExecutor(1, thread_name_prefix="gateway")
        self._left: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._telling = False
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self.breakers = Breakers()

    async def close(self) -> None:
        """Tell of what is still to be told, and let go of the connections."""
        self._closing.set()
        await self._around.providers.close()
        await asyncio.to_thread(self._after.shutdown)

    def resting(self, project: str) -> list[tuple[Line, int, float]]:
        """Models that this process leaves alone now; see `Breakers.resting`."""
        return self.breakers.resting(project, self._around.now())

    async def answer(
        self,
        asked: Asked,
        actor: Actor,
        *,
        size: int,
        traceparent: str,
        seen: Callable[[Tx, str], None],
    ) -> Response:
        """The answer to a request of `size` bytes. Raises errors of ours for every refusal."""
        started = self._around.now()
        ready = await asyncio.to_thread(
            self._prepared, asked, actor, size, traceparent, seen, started
        )
        if ready.found is not None:
            return self._again(ready, ready.found)
        asking = self._asking(ready)
        try:
            answer = await asking.answer()
        except BaseException as error:
            await self._failed(ready, asking, error)
            raise
        if isinstance(answer, Streaming):
            return self._streamed(ready, asking, answer)
        await self._whole(ready, asking, answer)
        if ready.key and answer.facts is not None:
            self._answers.keep(ready.key, answer, self._around.now() + ready.keep_for)
        return Response(answer.body, answer.status, self._headers(ready, answer, asking))

    # before

    def _prepared(
        self,
        asked: Asked,
        actor: Actor,
        size: int,
        traceparent: str,
        seen: Callable[[Tx, str], None],
        started: float,
    ) -> _Ready:
        around = self._around
        with around.db.read(actor) as tx:
            anything = budgets.anything(tx)
            call = prepare(
                tx,
                asked,
                counted=anything,
                routes=self._routes,
                serve=around.serve,
                endpoint=around.endpoint,
                seen=seen,
            )
            keeper = around.keepers.of(tx)
            units = budgets.counted(tx, call.spender) if anything else frozenset[Unit]()
            began = tx.now
        keep_for = kept.agreed(call)
        key = kept.key_of(call) if keep_for else ""
        found = self._answers.find(key, started) if key else None
        held: dict[Unit, Decimal] = {}
        if units and found is None:
            held = spending.expected(call, size, keeper.keeping, at=began, units=units)
            spending.hold(around.db, call, held)
        return _Ready(
            call=call,
            keeper=keeper,
            trail=trail(traceparent),
            began=began,
            started=started,
            size=size,
            held=held,
            key=key,
            keep_for=keep_for,
            found=found,
        )

    def _asking(self, ready: _Ready) -> Asking:
        call, around = ready.call, self._around
        return Asking(
            route=call.route,
            spec=call.spec,
            order=tuple(in_order(call.spec, call.share)),
            asked=call.asked,
            project=call.actor.project,
            opened=lambda target: self._opened(call, target),
            providers=around.providers,
            breakers=self.breakers,
            now=around.now,
            pause=around.pause,
            rests=lambda line, failures: self._later(self._tell_resting, call, line, failures),
            works=lambda line: self._later(self._tell_working, call, line),
        )

    async def _opened(self, call: Call, target: Target) -> Sent:
        secret: outbound.Secret | None = None
        if target.secret:
            reference = within(target.secret, call.actor.project)
            found: Opened = await asyncio.to_thread(self._around.secrets, reference)
            secret = found.at(target.endpoint, header=target.header, prefix=target.prefix)
        elif target.endpoint == self._around.endpoint and self._around.key:
            secret = outbound.Secret(origin=target.endpoint, value=self._around.key)
        asked = call.asked
        body = onward(asked.body, asked.path, target.model, count=target.counts_streams)
        return Sent(
            target=target, path=asked.path, body=body, secret=secret, stream=asked.stream
        )

    # after

    def _again(self, ready: _Ready, found: Whole) -> Response:
        """An answer that was kept."""
        self._tell(ready, found.target, found.facts, status=found.status, cached=True)
        headers = {**self._headers(ready, found, None), "opsroom-cache": "hit"}
        return Response(found.body, found.status, headers)

    async def _failed(self, ready: _Ready, asking: Asking, error: BaseException) -> None:
        """Nobody answered, or nobody waits for the answer any more."""
        code = error.code if isinstance(error, OpsroomError) else "cancelled"
        took = spending.REFUSED if isinstance(error, OpsroomError) else {}
        await asyncio.shield(self._settle(ready, took, asking.attempts))
        status = error.status if isinstance(error, OpsroomError) else 0
        self._tell(ready, None, None, status=status, error=code, attempts=asking.attempts)

    async def _whole(self, ready: _Ready, asking: Asking, answer: Whole) -> None:
        took = (
            spending.REFUSED
            if answer.facts is None
            else self._took(ready, answer.facts, answer.target)
        )
        await self._settle(ready, took, asking.attempts)
        self._tell(
            ready,
            answer.target,
            answer.facts,
            status=answer.status,
            error=str(answer.status) if answer.status >= ERROR_FROM else "",
            attempts=asking.attempts,
        )

    def _streamed(self, ready: _Ready, asking: Asking, answer: Streaming) -> Response:
        headers = self._headers(ready, answer, asking)
        return StreamingResponse(
            self._events(ready, asking, answer), headers=headers, media_type=None
        )

    async def _events(
        self, ready: _Ready, asking: Asking, answer: Streaming
    ) -> AsyncIterator[bytes]:
        """The events as they come. One that breaks ends with an error that says so, and without
        the mark by which a whole one ends.
        """
        error, events, first = "cancelled", answer.events, self._seconds(ready)
        before = tuple(asking.attempts)  # without this stream, which may break
        try:
            try:
                for event in answer.first:
                    yield event
                async for chunk in answer.rest:
                    if found := b"".join(events.feed(chunk)):
                        yield found
                if left := events.rest():
                    yield left
                check_whole(ready.call.asked.path, events.facts)
                error = "provider_error" if events.facts.error else ""
            except (Broke, ValueError) as broken:
                said = StreamBroke(ready.call.route, str(broken))
                error = said.code
                asking.broke(answer.target, str(broken))
                yield b"data: " + _json(in_their_shape(said)) + b"\n\n"
        finally:
            await asyncio.shield(
                self._stream_ended(ready, asking, answer, error, first, before)
            )

    async def _stream_ended(
        self,
        ready: _Ready,
        asking: Asking,
        answer: Streaming,
        error: str,
        first: float,
        before: Sequence[Attempt],
    ) -> None:
        await answer.incoming.close()
        facts = answer.events.facts
        await self._settle(ready, self._took(ready, facts, answer.target), before)
        self._tell(
            ready,
            answer.target,
            facts,
            status=200,
            error=error,
            attempts=asking.attempts,
            first=first,
        )

    async def _settle(
        self, ready: _Ready, took: Mapping[Unit, Decimal], attempts: Sequence[Attempt]
    ) -> None:
        """Book what the answer took (of a unit that is not named, what was held), and what the
        attempts before it may have.
        """
        if not ready.held:
            return
        call, keeping = ready.call, ready.keeper.keeping
        lost = spending.lost(call, ready.size, attempts, keeping, at=ready.began)
        amounts = {**ready.held, **took}
        amounts |= {unit: amounts[unit] + more for unit, more in lost.items()}
        amounts[Unit.SECONDS] = Decimal(f"{max(self._seconds(ready), 0.0):.3f}")
        await asyncio.to_thread(spending.settle, self._around.db, call.actor, call.id, amounts)

    def _took(self, ready: _Ready, facts: Facts, target: Target) -> dict[Unit, Decimal]:
        return spending.took(facts, target, ready.keeper.keeping, at=ready.began)

    def _seconds(self, ready: _Ready) -> float:
        return self._around.now() - ready.started

    def _headers(
        self, ready: _Ready, answer: Whole | Streaming, asking: Asking | None
    ) -> dict[str, str]:
        facts = answer.facts if isinstance(answer, Whole) else answer.events.facts
        told = {
            "call": ready.call.id,
            "trace": ready.trail.trace_id,
            "requested-model": answer.target.model,
            "served-model": facts.served if facts is not None else "",
            "failed-attempts": str(len(asking.attempts)) if asking and asking.attempts else "",
            **ready.call.facts,
        }
        return {
            **answer.headers,
            "content-type": _kind(answer),
            **{f"opsroom-{name}": _plain(value) for name, value in told.items() if value},
        }

    # beside

    def _tell(
        self,
        ready: _Ready,
        target: Target | None,
        facts: Facts | None,
        *,
        status: int,
        error: str = "",
        cached: bool = False,
        attempts: list[Attempt] | None = None,
        first: float | None = None,
    ) -> None:
        ended = Ended(
            call=ready.call,
            trail=ready.trail,
            began=ready.began,
            ended=self._around.db.clock.now(),
            first=first,
            target=target,
            facts=facts,
            status=status,
            error=error,
            cached=cached,
            attempts=tuple(attempts or ()),
        )
        self._later(self._told, ready, ended)

    def _later(self, work: Callable[..., None], *given: Any) -> None:
        """Do something that nobody waits for, together with what comes soon after: a thread that
        worked at once would take the time of those who wait for answers. Where too much waits
        already, it is left out.
        """
        with self._lock:
            if len(self._left) >= MOST_WAITING:
                log.warning("a call through the gateway is not told of: too many wait")
                return
            self._left.append((work, given))
            if self._telling:
                return
            self._telling = True
        try:
            self._after.submit(self._catch_up)
        except RuntimeError:  # the door is closed
            self._catch_up()

    def _catch_up(self) -> None:
        self._closing.wait(self._around.pace)
        while True:
            with self._lock:
                if not self._left:
                    self._telling = False
                    return
                work, given = self._left.popleft()
            try:
                work(*given)
            except Exception:
                log.exception("what a call through the gateway left to tell could not be told")

    def _told(self, ready: _Ready, ended: Ended) -> None:
        around, actor, keeper = self._around, ready.call.actor, ready.keeper
        if ended.facts is not None and ended.target is not None and not ended.cached:
            self._note_face(ready.call, ended.target, ended.facts)
        body = span_of(ended, contents=keeper.keeping.contents)
        now = now_nano(around.db.clock)
        checked = check(body, form=PROTOBUF, redactor=keeper.redactor, now=now)
        around.tally.note(actor.project, "gateway", checked.redacted)
        stamp = Stamp(
            project=actor.project,
            sender=actor.name,
            capture=keeper.keeping.contents,
            received=now,
            digest=checked.digest,
        )
        around.submit(checked.body, stamp, checked.dead)

    def _note_face(self, call: Call, target: Target, facts: Facts) -> None:
        if not facts.served and not facts.fingerprint:
            return
        line = Line(project=call.actor.project, endpoint=target.endpoint, model=target.model)
        seen = (line, facts.served, facts.fingerprint)
        if seen in self._seen:
            return
        with self._around.db.write(call.actor) as tx:
            faces.note(tx, line, facts.served, facts.fingerprint, route=call.route)
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()  # noting it again changes nothing
        self._seen.add(seen)

    def _tell_resting(self, call: Call, line: Line, failures: int) -> None:
        with self._around.db.write(call.actor) as tx:
            tx.record(
                "gateway.model_rests",
                call.route,
                model=line.model,
                endpoint=line.endpoint,
                failures=failures,
                seconds=call.spec.breaker.cool_down,
            )

    def _tell_working(self, call: Call, line: Line) -> None:
        with self._around.db.write(call.actor) as tx:
            tx.record(
                "gateway.model_works", call.route, model=line.model, endpoint=line.endpoint
            )


def _kind(answer: Whole | Streaming) -> str:
    """What an answer is told to be: never a page, whatever its provider says."""
    if isinstance(answer, Streaming):
        return "text/event-stream; charset=utf-8"
    said = answer.headers.get("content-type", "application/json")
    return "application/json" if "json" in said else "text/plain; charset=utf-8"


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _plain(value: str) -> str:
    """A value that can stand in a header."""
    return "".join(
        char if char.isascii() and char.isprintable() else "?" for char in value[:200]
    )
