"""Remembering decisions, what came of them, and what people said against them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from opsroom.kit.db import Tx
from opsroom.kit.reasons import reason as reason_of

from . import store
from .errors import MemoryNotFound
from .model import CONTEXT_LIMIT, Memory


def remember(
    tx: Tx,
    *,
    action: str,
    agent: str,
    contract: str,
    context: str,
    alternatives: Sequence[Any] = (),
    chosen: Mapping[str, Any],
    manifest: str = "",
    source: str = "",
) -> None:
    """Keep what `agent` decided in `context`. It is recalled once it has an outcome.

    Safe to repeat: an action has one memory. It is part of the proposal of the action, whose
    journal row speaks for both.
    """
    memory = Memory(
        id=tx.ids.new("mem"),
        action=action,
        agent=agent,
        contract=contract,
        manifest=manifest,
        source=source,
        context=context.replace("\0", "")[:CONTEXT_LIMIT],
        alternatives=tuple(alternatives),
        chosen=chosen,
        decided_at=tx.now,
    )
    store.add(tx, memory)


def outcome(
    tx: Tx,
    action: str,
    *,
    outcome: str,
    verified: bool,
    correction: Mapping[str, Any] | None = None,
) -> None:
    """Say what came of an action. From now on it may be recalled: by default if `verified`,
    or if a person corrected it.

    Safe to repeat; the last word counts, and a correction stays until there is another. An
    action that is not remembered is none of our business, and nothing happens.
    """
    found = store.of_action(tx, action)
    if found is None or found[1].forgotten_at is not None:
        return
    seq, was = found
    now = replace(
        was,
        outcome=outcome,
        verified=verified,
        correction=was.correction if correction is None else correction,
        ended_at=tx.now,
    )
    store.save(tx, seq, now, was=was)


def correct(tx: Tx, action: str, correction: Mapping[str, Any]) -> bool:
    """Note that a person decided otherwise than the agent; False for what is not remembered."""
    found = store.of_action(tx, action)
    if found is None or found[1].forgotten_at is not None:
        return False
    seq, was = found
    now = replace(
        was,
        correction=correction,
        outcome=was.outcome or "corrected",
        ended_at=was.ended_at or tx.now,
    )
    store.save(tx, seq, now, was=was)
    return True


def forget(tx: Tx, memory_id: str, *, reason: str) -> None:
    """Take a memory out of use for good, because it is poisoned or may not be kept.

    Its texts are deleted; that there was a decision stays. Forgetting twice changes nothing.
    Raises `MemoryNotFound` or `ReasonMissing`.
    """
    reason = reason_of(reason, to="forget something")
    found = store.memory(tx, memory_id)
    if found is None:
        raise MemoryNotFound(memory_id)
    seq, was = found
    if was.forgotten_at is not None:
        return
    now = replace(
        was, context="", alternatives=(), chosen={}, correction=None, forgotten_at=tx.now
    )
    store.save(tx, seq, now, was=was)
    tx.record("memory.forgotten", f"memory/{was.id}", agent=was.agent, reason=reason.strip())
