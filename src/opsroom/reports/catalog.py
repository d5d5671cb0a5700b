"""Every report there is: its columns, and what answers it."""

from collections.abc import Callable
from dataclasses import dataclass

from opsroom.kit.db import Tx
from opsroom.traces.queries import Reads

from . import changes, cost, coverage, exposure, failing, satisfaction
from .errors import NoReport
from .model import NAMES, Ask, Column, Found

Look = Callable[[Tx, Ask, Reads | None], Found]


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its columns, and a look at the records within one transaction."""

    name: str
    columns: tuple[Column, ...]
    look: Look

    @property
    def title(self) -> str:
        return NAMES[self.name][0]

    @property
    def question(self) -> str:
        return NAMES[self.name][1]


REPORTS = {
    name: Report(name, columns, look)
    for name, columns, look in (
        ("prompts", coverage.COLUMNS, coverage.look),
        ("failing-prompts", failing.COLUMNS, failing.look),
        ("satisfaction", satisfaction.COLUMNS, satisfaction.look),
        ("changes", changes.COLUMNS, changes.look),
        ("exposure", exposure.COLUMNS, exposure.look),
        ("cost", cost.COLUMNS, cost.look),
    )
}


def report(name: str) -> Report:
    """Raises `NoReport`."""
    if name not in REPORTS:
        raise NoReport(name, ", ".join(REPORTS))
    return REPORTS[name]
