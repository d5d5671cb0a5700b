"""What can go wrong with recordings, on purpose."""

from dataclasses import dataclass

from opsroom.kit.errors import Invalid


@dataclass(eq=False)
class NoRecordings(Invalid):
    code = "no_recordings"
    text = "there are no recorded runs at {0.path!r}"
    hint = "name the folder, or set OPSROOM_DATA to the one that holds the recorded data"
    path: str
