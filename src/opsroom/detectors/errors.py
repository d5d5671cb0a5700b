"""What can go wrong with detectors, on purpose."""

from dataclasses import dataclass

from opsroom.kit.errors import Invalid


@dataclass(eq=False)
class CanaryTooShort(Invalid):
    code = "canary_too_short"
    text = "a canary of {0.length} characters would be found where nobody put it"
    hint = "use at least {0.least} letters and digits that stand nowhere else"
    length: int
    least: int
