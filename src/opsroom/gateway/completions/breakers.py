"""Models that fail are left alone for a while. No I/O; every process counts for itself.

After enough failures within the window a model rests. When it has rested, one call tries it:
if that works it is asked again as ever, and if not it rests once more.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from opsroom.models.route import Breaker

MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What leads to one model: the project that asks, the endpoint, and the model's name there."""

    project: str
    endpoint: str
    model: str


@dataclass(slots=True)
class _State:
    failures: deque[float] = field(default_factory=deque[float])
    until: float | None = None  # it rests until then
    trying: bool = False


class Breakers:
    """Safe from any thread. Times are seconds of a clock that only runs forward."""

    def __init__(self) -> None:
        self._lines: OrderedDict[Line, _State] = OrderedDict()
        self._lock = threading.Lock()

    def admits(self, line: Line, now: float) -> bool:
        """Whether a model may be asked now; the one call that tries it again is let through."""
        with self._lock:
            state = self._lines.get(line)
            if state is None or state.until is None:
                return True
            if now < state.until or state.trying:
                return False
            state.trying = True
            return True

    def failed(self, line: Line, rule: Breaker, now: float) -> int:
        """Count a failure; how many there were, if the model rests from now on, or else 0."""
        with self._lock:
            state = self._state(line)
            again, state.trying = state.trying, False
            state.failures.append(now)
            while state.failures and state.failures[0] < now - rule.window:
                state.failures.popleft()
            while len(state.failures) > rule.failures:
                state.failures.popleft()
            if again or (state.until is None and len(state.failures) >= rule.failures):
                state.until = now + rule.cool_down
                return 0 if again else len(state.failures)
            return 0

    def worked(self, line: Line) -> bool:
        """Count a success; True where the model had rested."""
        with self._lock:
            state = self._lines.pop(line, None)
            return state is not None and state.until is not None

    def let_go(self, line: Line) -> None:
        """A call ended without saying anything about the model, so the next may try it."""
        with self._lock:
            if (state := self._lines.get(line)) is not None:
                state.trying = False

    def resting(self, project: str, now: float) -> list[tuple[Line, int, float]]:
        """The models of a project that rest: how often they failed, and for how many seconds."""
        with self._lock:
            return [
                (line, len(state.failures), max(0.0, state.until - now))
                for line, state in self._lines.items()
                if line.project == project and state.until is not None
            ]

    def _state(self, line: Line) -> _State:
        state = self._lines.pop(line, None) or _State()
        self._lines[line] = state
        while len(self._lines) > MOST:
            self._lines.popitem(last=False)
        return state
