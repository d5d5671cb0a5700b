from dataclasses import dataclass

from opsroom.kit.errors import NotFound


@dataclass(eq=False)
class NothingAssessed(NotFound):
    code = "nothing_assessed"
    text = "there is no {0.subject!r} to assess in this project"
    hint = "see what there is with `opsroom report maturity`"
    subject: str
