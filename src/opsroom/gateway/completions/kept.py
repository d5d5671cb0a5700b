"""Answers that are given again, for routes and callers that agreed to it. In memory only.

What is kept belongs to who asked: a project, an agent or program, one version of a route and the
very same request. It is gone with the process, and after the time that was agreed on.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass

from .asking import Whole
from .preparing import Call

MOST_BYTES = 64 * 2**20
AROUND = 2_000  # bytes, about, that keeping an answer takes besides its body
LONGEST = 86_400.0


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Whole
    until: float


class Answers:
    """Safe from any thread. Times are seconds of a clock that only runs forward."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: str, now: float) -> Whole | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            if found.until <= now:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return found.answer

    def keep(self, key: str, answer: Whole, until: float) -> None:
        """Keep an answer; the longest unused make room."""
        if _size(answer) > self._most // 8:
            return
        with self._lock:
            self._drop(key)
            self._kept[key] = _Kept(answer, until)
            self._size += _size(answer)
            while self._size > self._most:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        if (found := self._kept.pop(key, None)) is not None:
            self._size -= _size(found.answer)


def _size(answer: Whole) -> int:
    """Its body, what was read of it, and the rest."""
    text = len(answer.facts.text) if answer.facts is not None else 0
    return len(answer.body) + text + AROUND


def agreed(call: Call) -> float:
    """For how many seconds an answer may be given again: as the request says, or its route. Streams
    and calls by which a provider acts are always made.
    """
    if call.asked.stream or call.asked.acts:
        return 0.0
    wanted = call.asked.extra.cache
    return min(call.spec.cache if wanted is None else wanted, LONGEST)


def key_of(call: Call) -> str:
    told = [
        call.actor.project,
        call.actor.name,
        call.spender.agent,
        call.asked.extra.subject,
        call.digest,
        call.asked.path,
        json.dumps(call.asked.body, sort_keys=True),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
