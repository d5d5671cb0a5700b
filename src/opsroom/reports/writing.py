"""Reports as files: a table for spreadsheets, line by line, and a page that stands by itself.

In a table a rate takes five columns (the share, hits, n, and both ends of its interval), a mean
four. What a spreadsheet would run as a formula is text to it.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from html import escape

from opsroom.kit.csvwriting import cell as guarded

from .model import Answer, Cell, Column, Mean, Rate, Row, Shape
from .words import period, said

PARTS = {Shape.RATE: ("hits", "n", "low", "high"), Shape.MEAN: ("n", "low", "high")}
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1d23;background:#fff}h1{margin-bottom:0}table{border-collapse:collapse;width:100%;"
    "margin:1rem 0}th,td{text-align:left;vertical-align:top;padding:.3rem .55rem;"
    "border-top:1px solid #cfd4dc;overflow-wrap:anywhere}thead th{border-top:0}"
    ".num{text-align:right;font-variant-numeric:tabular-nums}.note{color:#555c68}"
    "dl{display:flex;flex-wrap:wrap;gap:.5rem 2rem}dt{color:#555c68}dd{margin:0;font-weight:600}"
    "a{color:#2f5fc4}@page{size:A4 landscape;margin:12mm}"
    "@media print{body{margin:0;max-width:none;font-size:10pt}a{color:inherit;"
    "text-decoration:none}thead{display:table-header-group}tr{break-inside:avoid}}"
)


def lines(answers: Iterable[Answer], *, site: str) -> Iterator[str]:
    """A report as CSV (RFC 4180), page after page, each line with its end."""
    for place, answer in enumerate(answers):
        if place == 0:
            yield _line(_heads(answer.columns))
        for row in answer.rows:
            yield _line([*_values(answer.columns, row), _links(row, site)])


def page(answer: Answer, *, site: str, digest: str = "") -> str:
    """A report as one HTML file: no script, nothing fetched, made to be printed. `digest` is the
    one that it was sent with.
    """
    columns = answer.columns
    heads = "".join(f'<th scope="col"{_num(one)}>{escape(one.title)}</th>' for one in columns)
    rows = "".join(_row(columns, row, site) for row in answer.rows)
    facts = "".join(
        f"<div><dt>{escape(one.name)}</dt><dd>{escape(said(one.value, one.shape))}</dd></div>"
        for one in answer.facts
    )
    notes = "".join(f'<p class="note">{escape(one)}</p>' for one in answer.notes)
    about = f"{answer.project}{f', agent {answer.agent}' if answer.agent else ''}"
    title = escape(f"{answer.title}: {about}")
    more = '<p class="note">There are more rows; the table as CSV has them all.</p>'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f'<h1>{title}</h1><p>{escape(answer.question)}</p><p class="note">{period(answer)}, made '
        f"{answer.made_at:%Y-%m-%d %H:%M} UTC, digest {digest or answer.digest}</p><dl>{facts}</dl>"
        f"<table><thead><tr>{heads}<th scope='col'>Records</th></tr></thead><tbody>{rows}</tbody>"
        f"</table>{'' if answer.rows else '<p>Nothing to report.</p>'}"
        f"{more if answer.next else ''}{notes}</body></html>\n"
    )


def _heads(columns: Iterable[Column]) -> list[str]:
    heads: list[str] = []
    for one in columns:
        heads += [one.key, *(f"{one.key}_{part}" for part in PARTS.get(one.shape, ()))]
    return [*heads, "records"]


def _values(columns: Iterable[Column], row: Row) -> Iterator[str]:
    for column in columns:
        yield from _parts(row.cells.get(column.key), column.shape)


def _parts(cell: Cell, shape: Shape) -> tuple[str, ...]:
    match cell:
        case Rate():
            share = f"{cell.hits / cell.n:.6f}" if cell.n else ""
            return (share, str(cell.hits), str(cell.n), _end(cell.low), _end(cell.high))
        case Mean():
            return (f"{cell.mean:.6f}", str(cell.n), _end(cell.low), _end(cell.high))
        case None:
            return ("",) * (1 + len(PARTS.get(shape, ())))
        case str() if shape is not Shape.USD:
            return (guarded(" ".join(cell.split())),)  # a line stays a line
        case _:
            return (str(cell),)


def _end(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _links(row: Row, site: str) -> str:
    return " ".join(site.rstrip("/") + one.page for one in row.records)


def _line(cells: list[str]) -> str:
    told = io.StringIO()
    csv.writer(told).writerow(cells)
    return told.getvalue()


def _row(columns: Iterable[Column], row: Row, site: str) -> str:
    cells = "".join(
        f"<td{_num(one)}>{escape(said(row.cells.get(one.key), one.shape))}</td>"
        for one in columns
    )
    links = ", ".join(
        f'<a href="{escape(site.rstrip("/") + one.page, quote=True)}">{escape(one.name)}</a>'
        for one in row.records
    )
    return f"<tr>{cells}<td>{links}</td></tr>"


def _num(column: Column) -> str:
    return "" if column.shape in {Shape.TEXT, Shape.TIME} else ' class="num"'
