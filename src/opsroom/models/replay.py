"""Recorded answers, given again.

The replay model answers from what was recorded and from nothing else: a question without a
recording is an error that names it, so that a gap in the data never turns into a result.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from opsroom.kit.wire import Wire

from .errors import NoRecording, RecordingConflict
from .model import ModelRequest, Output


class RecordingKey(NamedTuple):
    """Who answered (digest of the version), what (content hash), how, and the how-manieth time."""

    subject: str
    item: str
    variant: str = ""
    trial: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording(Wire):
    """One recorded answer."""

    subject: str
    item: str
    output: Output
    variant: str = ""
    trial: int = 0

    @property
    def key(self) -> RecordingKey:
        return RecordingKey(self.subject, self.item, self.variant, self.trial)


class ReplayModel:
    """A model that answers from `find`, which gives a recorded output or None."""

    def __init__(self, find: Callable[[RecordingKey], Output | None]) -> None:
        self._find = find

    async def complete(self, request: ModelRequest) -> Output:
        key = RecordingKey(request.subject, request.item, request.variant, request.trial)
        output = self._find(key)
        if output is None:
            raise NoRecording(*key)
        return output


def replay(recordings: Iterable[Recording]) -> ReplayModel:
    """A replay model over recordings held in memory.

    The same recording twice is one; two different outputs under one key raise
    `RecordingConflict`.
    """
    known: dict[RecordingKey, Output] = {}
    for recording in recordings:
        if known.setdefault(recording.key, recording.output) != recording.output:
            raise RecordingConflict(*recording.key)
    return ReplayModel(known.get)
