"""Slipping in what watches over reviewers: known-bad requests, and second looks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from opsroom.kit.db import Tx

from . import keeping, rules, store, watch_store
from .errors import NoProbe
from .model import Request, RequestDraft, Said, Say, Settings, State
from .watching import Check

SECOND_LOOK = timedelta(days=1)


def set_settings(tx: Tx, settings: Settings) -> Settings:
    """Say how a project watches over its oversight."""
    rules.check_settings(settings)
    was = watch_store.load_settings(tx)
    watch_store.save_settings(tx, settings)
    tx.record(
        "inbox.settings_set",
        "oversight/settings",
        probe_share=settings.probe_share,
        second_share=settings.second_share,
        crowd=settings.crowd,
        grace=settings.grace,
        before=was.probe_share,
    )
    return settings


def keep_as_probe(tx: Tx, request_id: str) -> Request:
    """Note that anybody should refuse a request that a person has rejected; copies of it may
    be slipped in from now on. Doing it twice is doing it once.
    """
    request = keeping.get(tx, request_id)
    if watch_store.check(tx, request_id) is not None:
        raise NoProbe(request_id, "it is a copy")
    if request.state is not State.REJECTED:
        raise NoProbe(request_id, f"it is {request.state.value}")
    if request_id not in watch_store.known_bad(tx):
        watch_store.add_known_bad(tx, request_id)
        tx.record("inbox.probe_kept", f"oversight/{request_id}", request=request_id)
    return request


def perhaps_probe(tx: Tx, behind: Request) -> Request | None:
    """With the share that the project wants, put a known-bad request behind this one.

    Which one and when follows from a number nobody can foresee.
    """
    wanted = watch_store.load_settings(tx).probe_share
    if not wanted or rules.chance(tx.ids.new("die")) >= wanted:
        return None
    bank = watch_store.known_bad(tx)
    if not bank:
        return None
    drawn = bank[int(rules.chance(tx.ids.new("die")) * len(bank)) % len(bank)]
    bad = store.request(tx, drawn)
    if bad is None:
        return None
    barred = tuple(sorted({one.by for one in bad.answers}))
    check = Check(sort="probe", of=bad.id, expected=Say.REJECT, barred=barred)
    # It waits as long as the one it follows, so that its clock does not give it away.
    draft = replace(
        _copy(bad),
        due_at=tx.now + (behind.due_at - behind.asked_at),
        expires_at=tx.now + (behind.expires_at - behind.asked_at),
        escalate_to=(),
    )
    return keeping.file(tx, draft, check=check)


def perhaps_second(tx: Tx, answered: Request, said: Said) -> Request | None:
    """With the share that the project wants, ask a second person, who does not see the answer."""
    wanted = watch_store.load_settings(tx).second_share
    if not wanted or rules.chance(tx.ids.new("die")) >= wanted:
        return None
    barred = tuple(sorted({one.by for one in answered.answers} | {said.by}))
    check = Check(sort="second", of=answered.id, expected=said.say, barred=barred)
    draft = replace(
        _copy(answered),
        due_at=tx.now + SECOND_LOOK / 2,
        expires_at=tx.now + SECOND_LOOK,
        escalate_to=(),
    )
    return keeping.file(tx, draft, check=check)


def _copy(of: Request) -> RequestDraft:
    known: dict[str, Any] = {
        name: getattr(of, name) for name in RequestDraft.__dataclass_fields__
    }
    return replace(RequestDraft(**known), quorum=1)
