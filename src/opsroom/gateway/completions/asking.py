"""Asking the models of a route until one answers.

Nobody is asked twice unless that is harmless: as long as nothing of an answer was handed on, and
the model was not reached, said 429 or 5xx, sent nothing in time, or sent what is no answer. Once
the first event of a stream is on its way to whoever asked, what breaks stays broken.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from opsroom.kit.errors import OpsroomError
from opsroom.models.route import RouteSpec, Target

from .answers import Events, Facts, is_event, says_error, whole
from .breakers import Breakers, Line
from .errors import ModelGarbage, ModelSlow, NoModelAnswered
from .model import Asked, Path
from .ports import Broke, Incoming, NotReached, Providers, Sent

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0  # seconds between two attempts at one model
MOST_PEEKED = 2**20
SHORTEST, MARK = 6, b"[redacted:secret]"
HANDED_ON = ("content-type", "retry-after", "x-request-id", "openai-processing-ms")
_BUSY = frozenset({408, 429})
_ELSEWHERE = frozenset({401, 403, 404, 410})  # this model cannot be asked; another one may


class Failing(StrEnum):
    """Why an attempt brought no answer to hand on."""

    UNREACHED = "unreached"
    SLOW = "slow"
    BUSY = "busy"
    FAILED = "failed"
    UNUSABLE = "unusable"
    GARBLED = "garbled"
    BROKEN = "broken"


AGAIN = frozenset({Failing.UNREACHED, Failing.BUSY, Failing.FAILED})  # at the same model
# Who sent nothing, or nothing that can be read, may still charge for it.
MAY_COST = frozenset({Failing.SLOW, Failing.BROKEN, Failing.GARBLED})
NEVER_BEGAN = frozenset({Failing.UNREACHED, Failing.BUSY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try that failed; `why` holds no contents."""

    model: str
    endpoint: str
    failing: Failing
    why: str

    @property
    def may_cost(self) -> bool:
        return self.failing in MAY_COST


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """An answer in one piece, also one that says no. `facts` is None where it is an error."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    target: Target
    facts: Facts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """A stream that has begun: `first` is what came of it, `incoming` brings the rest."""

    headers: Mapping[str, str]
    first: Sequence[bytes]
    events: Events
    rest: AsyncIterator[bytes]
    incoming: Incoming
    target: Target


Answer = Whole | Streaming


@dataclass(eq=False)
class _Failure(Exception):
    failing: Failing
    why: str
    wait: float = 0.0
    answer: Whole | None = None


@dataclass(slots=True, kw_only=True)
class Asking:
    """One call on its way through a route. `opened` gives a target's request, with its credential
    and its own name for the model; `rests` and `works` are told what breakers do.
    """

    route: str
    spec: RouteSpec
    order: Sequence[Target]
    asked: Asked
    project: str
    opened: Callable[[Target], Awaitable[Sent]]
    providers: Providers
    breakers: Breakers
    now: Callable[[], float]
    pause: Callable[[float], Awaitable[None]]
    rests: Callable[[Line, int], None]
    works: Callable[[Line], None]
    attempts: list[Attempt] = field(default_factory=list[Attempt])

    async def answer(self) -> Answer:
        """The first answer that can be handed on; what the last model said if none gave one.

        Raises `NoModelAnswered`, `ModelSlow` or `ModelGarbage` where nothing was said.
        """
        last: _Failure | None = None
        for target in self.order:
            line = self.line(target)
            if not self.breakers.admits(line, self.now()):
                continue
            try:
                answer = await self._one(target, line)
            except _Failure as failure:
                last = failure
                if self.asked.acts and failure.failing not in NEVER_BEGAN:
                    break
                continue
            except BaseException:
                self.breakers.let_go(line)
                raise
            return answer
        raise_or = _outcome(self.route, last)
        if isinstance(raise_or, OpsroomError):
            raise raise_or
        return raise_or

    def line(self, target: Target) -> Line:
        return Line(project=self.project, endpoint=target.endpoint, model=target.model)

    def broke(self, target: Target, why: str) -> None:
        """Count a stream that broke after it had begun."""
        self._count(target, _Failure(Failing.BROKEN, why))

    async def _one(self, target: Target, line: Line) -> Answer:
        for number in range(self.spec.repeats + 1):
            try:
                answer = await self._attempt(target)
            except _Failure as failure:
                self._count(target, failure)
                again = failure.failing in AGAIN and number < self.spec.repeats
                if self.asked.acts and failure.failing not in NEVER_BEGAN:
                    again = False
                wait = max(failure.wait, FIRST_PAUSE * 2**number)
                if not again or wait > LONGEST_PAUSE or not self._may_again(line):
                    raise
                await self.pause(wait)
                continue
            if self.breakers.worked(line):
                self.works(line)
            return answer
        raise AssertionError("unreachable: the last attempt answers or raises")

    def _may_again(self, line: Line) -> bool:
        return self.breakers.admits(line, self.now())

    def _count(self, target: Target, failure: _Failure) -> None:
        self.attempts.append(
            Attempt(
                model=target.model,
                endpoint=target.endpoint,
                failing=failure.failing,
                why=failure.why,
            )
        )
        line = self.line(target)
        if failure.failing is Failing.UNUSABLE:  # for this call; waiting would mend nothing
            self.breakers.let_go(line)
        elif failures := self.breakers.failed(line, self.spec.breaker, self.now()):
            self.rests(line, failures)

    async def _attempt(self, target: Target) -> Answer:
        incoming: Incoming | None = None
        try:
            sent = await self.opened(target)
            async with asyncio.timeout(self.spec.first_byte):
                incoming = await self.providers.send(sent)
                chunks = incoming.chunks()
                first = await anext(chunks, b"")
            rest = _unless_silent(chunks, self.spec.silence)
            return await self._read(sent, incoming, first, rest)
        except BaseException as error:
            if incoming is not None:
                await incoming.close()
            if (failure := _failure(error, self.spec.first_byte)) is None:
                raise
            raise failure from None

    async def _read(
        self, sent: Sent, incoming: Incoming, first: bytes, chunks: AsyncIterator[bytes]
    ) -> Answer:
        target = sent.target
        kind = incoming.headers.get("content-type", "")
        if incoming.status == 200 and self.asked.stream and "json" not in kind:
            return await self._begun(target, incoming, first, chunks)
        body = first + b"".join([chunk async for chunk in chunks])
        await incoming.close()
        if incoming.status != 200 and sent.secret and len(sent.secret.value) >= SHORTEST:
            body = body.replace(
                sent.secret.value.encode(), MARK
            )  # some say what they were sent
        return _judged(self.asked.path, target, incoming, body)

    async def _begun(
        self, target: Target, incoming: Incoming, first: bytes, chunks: AsyncIterator[bytes]
    ) -> Streaming:
        """A stream, once its first event is here and is no error."""
        hide = target.counts_streams and not self.asked.wants_usage
        events = Events(hide_usage=hide)
        if not is_event(first):
            raise _Failure(Failing.GARBLED, "it sent no stream of events")
        begun, seen, left = events.feed(first), len(first), first
        async with asyncio.timeout(self.spec.first_byte):
            while not begun and seen < MOST_PEEKED and (more := await anext(chunks, b"")):
                begun, seen, left = events.feed(more), seen + len(more), left + more
        if events.facts.error or says_error(left):
            raise _Failure(Failing.FAILED, "it answered 200 with an error")
        if not begun and seen < MOST_PEEKED and not (begun := [events.rest()])[0]:
            raise _Failure(Failing.BROKEN, "it closed the stream before anything came")
        return Streaming(
            headers=_headers(incoming),
            first=begun,
            events=events,
            rest=chunks,
            incoming=incoming,
            target=target,
        )


async def _unless_silent(chunks: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The chunks, as long as one comes every so many seconds. Raises `Broke`."""
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise Broke(f"nothing came for {seconds:g} s") from None
        if chunk is None:
            return
        yield chunk


def _judged(path: Path, target: Target, incoming: Incoming, body: bytes) -> Whole:
    """An answer in one piece, if it is one. Raises `_Failure`."""
    status = incoming.status
    facts = whole(path, body) if 200 <= status < 300 else None
    answer = Whole(
        status=status, headers=_headers(incoming), body=body, target=target, facts=facts
    )
    if facts is not None and not facts.error:
        return answer
    if 200 <= status < 300:
        if facts is None:
            raise _Failure(Failing.GARBLED, "it sent no such answer")
        said = Whole(status=502, headers=answer.headers, body=body, target=target, facts=None)
        raise _Failure(Failing.FAILED, "it answered 200 with an error", answer=said)
    wait = _pause(incoming.headers.get("retry-after", ""))
    if status in _BUSY:
        raise _Failure(Failing.BUSY, f"it answered {status}", wait, answer)
    if status >= 500:
        raise _Failure(Failing.FAILED, f"it answered {status}", wait, answer)
    if status in _ELSEWHERE:
        raise _Failure(Failing.UNUSABLE, f"it answered {status}", wait, answer)
    if status < 400:
        raise _Failure(Failing.GARBLED, f"it answered {status}")
    return answer


def _failure(error: BaseException, first_byte: float) -> _Failure | None:
    match error:
        case _Failure():
            found = error
        case TimeoutError():
            found = _Failure(Failing.SLOW, f"nothing came within {first_byte:g} s")
        case NotReached():
            found = _Failure(Failing.UNREACHED, str(error))
        case Broke():
            found = _Failure(Failing.BROKEN, str(error))
        case ValueError():
            found = _Failure(Failing.GARBLED, str(error))
        case OpsroomError():
            found = _Failure(Failing.UNUSABLE, error.code)
        case _:
            return None
    return found


def _outcome(route: str, last: _Failure | None) -> Whole | OpsroomError:
    """What is said when nobody answered: the words of the last one, or an error of ours."""
    if last is None:
        return NoModelAnswered(route, "every one of them rests after failures")
    if last.answer is not None:
        return last.answer
    match last.failing:
        case Failing.SLOW:
            return ModelSlow(route, last.why)
        case Failing.GARBLED | Failing.BROKEN | Failing.FAILED:
            return ModelGarbage(route, last.why)
        case _:
            return NoModelAnswered(route, last.why)


def _headers(incoming: Incoming) -> dict[str, str]:
    return {name: incoming.headers[name] for name in HANDED_ON if name in incoming.headers}


def _pause(told: str) -> float:
    return float(told) if told.isascii() and told.isdecimal() and len(told) < 7 else 0.0
