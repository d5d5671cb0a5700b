"""What a detector says of a text. No I/O."""

from dataclasses import dataclass
from typing import Final

from opsroom.kit.wire import Wire

ALARM: Final = 0.5  # a score from here on is worth somebody's attention


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Wire):
    """One thing that was found: where (`start` to `end`, in characters of the text as given),
    how sure (`score`, 0 to 1) and why, in `words` for people that quote nothing of the text.
    """

    detector: str
    kind: str
    score: float
    start: int
    end: int
    words: str

    @property
    def alarming(self) -> bool:
        return self.score >= ALARM


MOST: Final = 20  # findings of one detector in one text: more say nothing new
