"""The documentation, as it lies beside the code or in the installed package: Markdown pages.

It is the same text that people read in the repository, so there is one version of the truth.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from opsroom.kit.wire import Wire

from .errors import DocumentNotFound

INDEX = "llms.txt"
MOST_FOUND = 10
EXCERPT = 400
LISTS = "reference/"  # every code, route and option: what explains them comes first
_HEADING = re.compile(r"^#{1,4} (.+)$", re.MULTILINE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(Wire):
    """A part of a page below a heading. `page` is its address below /docs/."""

    page: str
    heading: str
    excerpt: str


@cache
def _folder() -> Path:
    """Where the pages are: in the package, or in the working copy it is run from."""
    package = Path(__file__).parents[1]
    inside = package / "docs"
    return inside if inside.is_dir() else package.parents[1] / "docs"


@cache
def _pages() -> dict[str, str]:
    """Every page by its address."""
    there = _folder()
    found = sorted((*there.rglob("*.md"), *there.glob(INDEX)))
    return {
        path.relative_to(there).as_posix(): path.read_text(encoding="utf-8") for path in found
    }


def page(name: str) -> str:
    """A page as Markdown. Raises `DocumentNotFound`."""
    try:
        return _pages()[name]
    except KeyError:
        raise DocumentNotFound(name[:200]) from None


def search(words: str) -> list[Section]:
    """Sections that have most of these words, those that have them in their heading first."""
    wanted = {word.lower() for word in _WORD.findall(words)}
    if not wanted:
        return []
    rated = [
        (
            _rate(wanted, heading, text) / (2 if name.startswith(LISTS) else 1),
            Section(page=name, heading=heading, excerpt=text[:EXCERPT]),
        )
        for name, heading, text in _sections()
    ]
    best = sorted((one for one in rated if one[0] > 0), key=lambda one: -one[0])
    return [section for _, section in best[:MOST_FOUND]]


@cache
def _sections() -> tuple[tuple[str, str, str], ...]:
    found: list[tuple[str, str, str]] = []
    for name, text in _pages().items():
        if name == INDEX:
            continue
        pieces = _HEADING.split(text)
        found += [
            (name, heading.strip(), body.strip())
            for heading, body in zip(pieces[1::2], pieces[2::2], strict=True)
        ]
    return tuple(found)


def _rate(wanted: set[str], heading: str, text: str) -> float:
    above, below = heading.lower(), text.lower()
    points = sum(
        3.0 * (word in above) + (word in below) + min(below.count(word), 10) / 10
        for word in wanted
    )
    return points / len(wanted) if any(word in above or word in below for word in wanted) else 0
