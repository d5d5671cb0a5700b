"""Breaking the glass: a person takes a role for a while in an emergency.

It takes a reason, is journalled, opens an alert by the shipped rule `glass-broken`, and ends by
itself. What was done meanwhile stands under the person's own name, so nobody approves their own
work that way.
"""

from datetime import timedelta

from opsroom.kit import choices
from opsroom.kit.db import Actor, Tx

from . import governing_store
from .errors import BadGlass, MayNot, NoSuchGlass, NotInAnEmergency, OnlyPeople
from .model import AccessSettings, Glass

MOST_REASON = 1000
AT_ONCE = 100
CLOCK = "system:access"


def take_role(tx: Tx, role: str, *, reason: str, minutes: int | None = None) -> Glass:
    """Take a role for so long (without: for as long as the project lets one), from the next
    request on.

    Raises `OnlyPeople`, `NotInAnEmergency` or `BadGlass`.
    """
    settings = choices.load(tx, governing_store.access_settings, AccessSettings)
    if not tx.actor.human:
        raise OnlyPeople(tx.actor.name)
    if role not in settings.glass_roles:
        raise NotInAnEmergency(role)
    lasts = settings.glass_minutes if minutes is None else minutes
    if not 1 <= lasts <= settings.glass_minutes:
        raise BadGlass(f"for {lasts} minutes, and {settings.glass_minutes} is the most")
    if not 10 <= len(reason.strip()) <= MOST_REASON:
        raise BadGlass("the reason is no sentence")
    if role in tx.actor.roles:
        raise BadGlass(f"{role!r} is yours already")
    glass = Glass(
        id=tx.ids.new("gls"),
        user=tx.actor.name,
        role=role,
        reason=reason.strip(),
        taken_at=tx.now,
        until=tx.now + tx.lasting(timedelta(minutes=lasts)),
    )
    governing_store.add_glass(tx, glass)
    tx.record(
        "access.glass_broken",
        f"user/{glass.user}",
        glass=glass.id,
        role=role,
        minutes=lasts,
        reason=glass.reason,
    )
    return glass


def give_back(tx: Tx, glass_id: str) -> Glass:
    """End it before its time: one's own, or anybody's by who administers.

    Safe to repeat. Raises `NoSuchGlass` or `MayNot`.
    """
    found = governing_store.glass(tx, glass_id)
    if found is None:
        raise NoSuchGlass(glass_id)
    if found.user != tx.actor.name and "administer" not in tx.actor.may:
        raise MayNot(tx.actor.name, "administer")
    if governing_store.end_glass(tx, glass_id, at=tx.now, by=tx.actor.name):
        _tell(tx, found)
    return governing_store.glass(tx, glass_id) or found


def overdue(tx: Tx) -> bool:
    """Whether anybody's time is over, in any project."""
    return bool(governing_store.run_out(tx, limit=1))


def expire(tx: Tx) -> int:
    """Put on record that somebody's time is over; the role was gone when it was. How many."""
    outside = tx.actor
    ended = 0
    for project, one in governing_store.run_out(tx, limit=AT_ONCE):
        tx.actor = Actor(CLOCK, project, human=False)
        if governing_store.end_glass(tx, one.id, at=one.until, by=CLOCK):
            _tell(tx, one)
            ended += 1
    tx.actor = outside
    return ended


def _tell(tx: Tx, glass: Glass) -> None:
    tx.record("access.glass_ended", f"user/{glass.user}", glass=glass.id, role=glass.role)
