"""Views of the list of traces that a project keeps by name: what is asked, not what was found."""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from opsroom.kit.db import Tx

from . import store
from .asked import All
from .errors import BrokenView, ViewNotFound
from .model import WORDS, Filter, View, ViewDraft
from .parsing import parse

MOST, LONGEST, LONGEST_WORD, MOST_HOURS = 50, 60, 200, 24 * 400
# It stands in an address, so a slash would end it there.
_NAME = re.compile(rf"(?=[^/]*\w)[^\s/\x00-\x1f\x7f][^/\x00-\x1f\x7f]{{0,{LONGEST - 1}}}")


def save(tx: Tx, draft: ViewDraft) -> View:
    """Keep the view for everybody in the project, in place of one of that name.

    Safe to repeat. Raises `BrokenView`, and `BadTraceFilter` where `q` cannot be read.
    """
    draft = _checked(draft)
    was = store.view(tx, draft.name)
    made = View(**asdict(draft), by=tx.actor.name, at=tx.now)
    if was is not None and was.given == made.given:
        return was
    if was is None and store.count_views(tx) >= MOST:
        raise BrokenView(f"a project keeps at most {MOST}")
    store.save_view(tx, made, was=was)
    before = None if was is None else was.given
    tx.record(
        "traces.view_saved", "traces/views", name=made.name, asked=made.given, before=before
    )
    return made


def remove(tx: Tx, name: str) -> None:
    """Forget a view. Raises `ViewNotFound`."""
    was = view(tx, name)
    store.remove_view(tx, name)
    tx.record("traces.view_removed", "traces/views", name=name, asked=was.given)


def views(tx: Tx) -> list[View]:
    """Every view of the project, by name."""
    return store.views(tx)


def view(tx: Tx, name: str) -> View:
    found = store.view(tx, name)
    if found is None:
        raise ViewNotFound(name)
    return found


def through(kept: View, wanted: Filter, *, now: datetime) -> Filter:
    """What is asked of the traces in a view. A word or a time that is given goes before the
    view's own; both filters have to hold.
    """
    words: dict[str, Any] = {
        name: getattr(wanted, name) or value
        for name, value in kept.words.items()
        if name in WORDS
    }
    own = parse(kept.q)
    both = tuple(part for part in (own, wanted.where) if part is not None)
    since = now - timedelta(hours=kept.hours) if kept.hours else None
    return replace(
        wanted,
        **words,
        since=wanted.since or since,
        where=All(both) if len(both) > 1 else next(iter(both), None),
    )


def _checked(draft: ViewDraft) -> ViewDraft:
    name = draft.name.strip()
    if not _NAME.fullmatch(name):
        raise BrokenView(f"a name is 1 to {LONGEST} printable characters without a slash")
    words = {key: value.strip() for key, value in draft.words.items() if value.strip()}
    if unknown := words.keys() - set(WORDS):
        raise BrokenView(f"{min(unknown)!r} is none of {', '.join(WORDS)}")
    if max(map(len, words.values()), default=0) > LONGEST_WORD:
        raise BrokenView(f"a word has at most {LONGEST_WORD} characters")
    if not 0 <= draft.hours <= MOST_HOURS:
        raise BrokenView(f"hours lie between 0 and {MOST_HOURS}")
    parse(draft.q)
    checked = replace(draft, name=name, q=draft.q.strip(), words=words)
    if not (checked.q or words or checked.hours):
        raise BrokenView("it asks for nothing")
    return checked


def draft_of(name: str, given: Mapping[str, str]) -> ViewDraft:
    """A view of what an address asks; parameters that say only where one is are left out."""
    hours = given.get("hours", "0")
    return ViewDraft(
        name=name,
        q=given.get("q", ""),
        words={key: given[key] for key in WORDS if key in given},
        hours=int(hours) if hours.isascii() and hours.isdecimal() else 0,
    )
