"""An entry in one hand: found, locked, changed and put on record, for commands and steps alike."""

from dataclasses import replace
from typing import Any

from opsroom.kit.db import Tx

from . import store
from .errors import EntryNotFound
from .model import Entry, State, Watch, short

SYSTEM = "system:retraining"


def hold(tx: Tx, entry_id: str) -> tuple[Entry, Watch]:
    """An entry that nobody else can change until the transaction ends. What is known of the
    agent is locked first, always, so that two never wait for each other.
    """
    found = store.entry(tx, entry_id)
    if found is None:
        raise EntryNotFound(entry_id)
    watch = store.locked_watch(tx, found.agent)
    entry = store.entry(tx, entry_id, lock=True)
    assert entry is not None, "entries are never deleted"
    return entry, watch


def of(tx: Tx, agent: str) -> Entry | None:
    """The open entry of an agent, held."""
    return _still_open(tx, store.open_of(tx, agent))


def open_with(tx: Tx, **about: str) -> Entry | None:
    """The open entry that rests on a search, a proposal or a release, held."""
    return _still_open(tx, store.open_with(tx, **about))


def moved(tx: Tx, entry: Entry) -> Entry:
    """Write what an entry has become."""
    return store.save(tx, replace(entry, changed_at=tx.now))


def waiting(tx: Tx, entry: Entry, because: str) -> Entry:
    """Write what an entry waits for."""
    waits = "" if entry.over else short(because)
    return entry if entry.waits == waits else store.save(tx, replace(entry, waits=waits))


def close(tx: Tx, entry: Entry, state: State, note: str) -> Entry:
    """End an entry, saying why. What has spoken for it may speak for the next one."""
    watch = store.locked_watch(tx, entry.agent)
    if watch.noted:
        store.save_watch(tx, replace(watch, noted=False))
    now = moved(
        tx,
        replace(entry, state=state, closed_by=tx.actor.name, note=short(note), waits=""),
    )
    tx.record(f"retraining.{state.value}", now.subject, **facts(now), because=now.note)
    return now


def _still_open(tx: Tx, found: Entry | None) -> Entry | None:
    """An entry that was found open, locked, unless it was closed until it was."""
    if found is None:
        return None
    entry, _ = hold(tx, found.id)
    return None if entry.over else entry


def facts(entry: Entry) -> dict[str, Any]:
    """What every event of an entry says of it."""
    return {"agent": entry.agent, "prompt": entry.prompt}
