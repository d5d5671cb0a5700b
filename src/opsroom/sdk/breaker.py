"""When to stop asking a server that does not answer."""

import time

FIRST_REST = 1.0
LONGEST_REST = 30.0


class Breaker:
    """Open after a failure, for longer each time; closed again by the first success."""

    def __init__(self) -> None:
        self._rest = FIRST_REST
        self._until = 0.0

    @property
    def open(self) -> bool:
        return self._until > time.monotonic()

    def failed(self) -> None:
        if not self.open:
            self._until = time.monotonic() + self._rest
            self._rest = min(2 * self._rest, LONGEST_REST)

    def succeeded(self) -> None:
        self._rest = FIRST_REST
        self._until = 0.0
