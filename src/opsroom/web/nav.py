"""Where one can go: groups of places, and which of them a page belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """One place. `go` is the letter that follows `g` on the keyboard."""

    key: str
    title: str
    href: str
    go: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NavGroup:
    title: str
    items: tuple[NavItem, ...]


def active_key(nav: Sequence[NavGroup], path: str) -> str:
    """The key of the place whose address is the longest beginning of `path`, or nothing."""
    fitting = [
        item
        for group in nav
        for item in group.items
        if path == item.href or path.startswith(item.href.rstrip("/") + "/")
    ]
    # The root fits every path; it is only meant when asked for itself.
    fitting = [item for item in fitting if item.href != "/" or path == "/"]
    return max(fitting, key=lambda item: len(item.href)).key if fitting else ""
