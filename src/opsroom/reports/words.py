"""Cells in words, for whoever reads: pages, files, terminals and notices say the same. Pure."""

from datetime import datetime
from decimal import Decimal

from .model import Answer, Cell, Mean, Rate, Shape

UNKNOWN = "–"
MOST_TOLD = 10  # rows of a notice
MOST_NOTICE = 3_000


def said(cell: Cell, shape: Shape = Shape.TEXT) -> str:
    """A cell as people read it; an interval stands beside every rate and mean."""
    if cell is None or cell == "":
        return UNKNOWN
    match cell:
        case Rate(n=0):
            return "none"
        case Rate():
            return f"{_share(cell.hits / cell.n)} {within(cell)} {cell.hits:,} of {cell.n:,}"
        case Mean():
            return " ".join(filter(None, (_usd(str(cell.mean)), within(cell), f"n {cell.n:,}")))
        case int():
            return f"{cell:,}".replace("-", "−")
        case str():
            return _text(cell, shape)


def brief(cell: Cell, shape: Shape = Shape.TEXT) -> tuple[str, str]:
    """A cell as one number, and what has to stand beside it."""
    match cell:
        case Rate(n=n) if n:
            return _share(cell.hits / n), f"{within(cell)} {cell.hits:,} of {n:,}"
        case _:
            return said(cell, shape), ""


def within(cell: Rate | Mean) -> str:
    """The interval, or nothing where there is none."""
    if cell.low is None or cell.high is None:
        return ""
    if isinstance(cell, Mean):
        return f"[{_usd(str(cell.low))}, {_usd(str(cell.high))}]"
    return f"[{_share(cell.low)}, {_share(cell.high)}]"


def period(answer: Answer) -> str:
    return f"{answer.since:%Y-%m-%d %H:%M} to {answer.until:%Y-%m-%d %H:%M} UTC"


def in_short(answer: Answer) -> str:
    """What a notice says of a report: its facts and its first rows."""
    lines = [f"{one.name}: {said(one.value, one.shape)}" for one in answer.facts]
    for row in answer.rows[:MOST_TOLD]:
        cells = (
            f"{column.title}: {said(row.cells.get(column.key), column.shape)}"
            for column in answer.columns
        )
        lines.append("- " + "; ".join(cells))
    if len(answer.rows) > MOST_TOLD or answer.next:
        lines.append("- and more")
    text = "\n".join(lines) or "nothing to report"
    return text if len(text) <= MOST_NOTICE else text[: MOST_NOTICE - 1] + "…"


def _text(cell: str, shape: Shape) -> str:
    if shape is Shape.USD:
        return _usd(cell)
    if shape is Shape.TIME:
        return f"{datetime.fromisoformat(cell):%Y-%m-%d %H:%M} UTC"
    return cell


def _share(value: float) -> str:
    return f"{value * 100:.1f} %"


def _usd(text: str) -> str:
    value = Decimal(text)
    digits = 2 if not value or abs(value) >= Decimal("0.1") else 4
    return f"{'−' if value < 0 else ''}${abs(value):,.{digits}f}"
