"""Environments: where programs run, and what it takes to change what they run there.

A project has `production` from the start, and as many others as it sets. What no environment is
called stays a free label. Rollbacks are exempt from `movers` and `after`: they only go back to
what was there.
"""

from dataclasses import replace

from opsroom.access import queries as access
from opsroom.access import ruling
from opsroom.kit.db import Tx
from opsroom.kit.wire import plain

from . import environments_store, rules, store
from .errors import BadEnvironment, NoSuchEnvironment, NotBefore, NotMover, OtherEnvironment
from .model import LABEL, LATEST, PRODUCTION, Artifact, Criticality, Environment

MOST = 20
MOST_NOTE = 300
MOST_POSITION = 999
ALWAYS = Environment(name=PRODUCTION, position=100, reviewed=True)


def environments(tx: Tx) -> list[Environment]:
    """Those of this project in their order."""
    kept = environments_store.kept(tx)
    if all(one.name != PRODUCTION for one in kept):
        kept.append(ALWAYS)
    return sorted(kept, key=lambda one: (one.position, one.name))


def environment(tx: Tx, name: str) -> Environment:
    """Raises `NoSuchEnvironment`."""
    if (found := _known(tx, name)) is None:
        raise NoSuchEnvironment(name)
    return found


def set_environment(tx: Tx, new: Environment) -> Environment:
    """Make an environment, or let it be so from the next command on.

    Raises `BadEnvironment` for what cannot be a label, for production without review, and for an
    `after` that is not one that stands before it; `OnlyPeople` for a program while labels are
    protected.
    """
    there = environments(tx)
    if why := _why_not(tx, new, there):
        raise BadEnvironment(new.name, why)
    made = replace(new, note=new.note.strip(), changed_at=tx.now, changed_by=tx.actor.name)
    before = environments_store.one(tx, new.name)
    same = {"changed_at": tx.now, "changed_by": tx.actor.name}
    if before is not None and replace(before, **same) == made:  # type: ignore[arg-type]
        return before
    ruling.check_lifts(tx)
    environments_store.keep(tx, made)
    facts = {name: value for name, value in plain(made).items() if name not in {*same, "name"}}
    tx.record("environment.set", f"environment/{made.name}", **facts)
    return made


def remove_environment(tx: Tx, name: str) -> None:
    """Forget an environment; its label stays where it is, and is a free one from then on.

    Raises `NoSuchEnvironment`, and `BadEnvironment` for production and for one that others
    come after; `OnlyPeople` for a program while labels are protected.
    """
    if environments_store.one(tx, name) is None and name != PRODUCTION:
        raise NoSuchEnvironment(name)
    if name == PRODUCTION:
        raise BadEnvironment(name, "every project has it")
    if later := [one.name for one in environments(tx) if one.after == name]:
        raise BadEnvironment(name, f"{later[0]} comes after it")
    ruling.check_lifts(tx)
    environments_store.drop(tx, name)
    tx.record("environment.removed", f"environment/{name}")


def reviewed(tx: Tx, label: str) -> bool:
    """Whether a label moves by a proposal, a release or a rollback only."""
    found = _known(tx, label)
    return found is not None and found.reviewed


def at_least(tx: Tx, criticality: Criticality, label: str) -> Criticality:
    """How much proof a change takes there: what the artifact asks for, or the environment."""
    found = _known(tx, label)
    return criticality if found is None else rules.strictest(criticality, found.criticality)


def needs(
    tx: Tx,
    criticality: Criticality,
    label: str,
    *,
    first: bool = False,
    guarded: bool = False,
    listed: bool = False,
) -> rules.Needs:
    """What moving a label takes here, by the artifact's criticality and the environment's."""
    return rules.needs(
        criticality,
        label,
        first=first,
        guarded=guarded,
        listed=listed,
        environment=_known(tx, label),
    )


def check_move(tx: Tx, of: Artifact, label: str, number: int) -> None:
    """Raise `NotMover` or `NotBefore` where a version may not be brought there by whoever acts."""
    check_mover(tx, label)
    if lacking(tx, of, label, number):
        before = environment(tx, label).after
        raise NotBefore(f"{of.ref}@{number}", before, label)


def check_mover(tx: Tx, label: str) -> None:
    """Raise `NotMover` where whoever acts has none of the roles that move this label forward.

    What opsroom does for somebody is judged by the roles of that person today.
    """
    found = _known(tx, label)
    if found is None or not found.movers:
        return
    roles = tx.actor.roles
    if not roles:
        if not tx.actor.owner:
            return
        roles = access.roles_of(tx, tx.actor.owner) or ()
    if set(found.movers).isdisjoint(roles):
        raise NotMover(tx.actor.name, label, ", ".join(found.movers))


def lacking(tx: Tx, of: Artifact, label: str, number: int) -> str:
    """Where a version must have been first and was not, in words; empty where nothing lacks.

    One that was rolled back there counts as never having been there.
    """
    found = _known(tx, label)
    if found is None or not found.after:
        return ""
    was = store.had_label(tx, of, found.after, number)
    if was and store.left_by(tx, of, found.after, number) != "rollback":
        return ""
    return f"version {number} was not in {found.after} yet, or was rolled back there"


def check_within(tx: Tx, at: str) -> None:
    """Raise `OtherEnvironment` where a token for one environment asks for another, by its label
    or by `latest`. Exact versions are the same everywhere.
    """
    mine = tx.actor.environment
    if mine and at != mine and not at.isdigit():
        raise OtherEnvironment(at or LATEST, mine)


def _known(tx: Tx, name: str) -> Environment | None:
    found = environments_store.one(tx, name)
    return ALWAYS if found is None and name == PRODUCTION else found


def _why_not(tx: Tx, new: Environment, there: list[Environment]) -> str:
    roleless = [one for one in new.movers if not access.permissions(tx, (one,))]
    known = any(one.name == new.name for one in there)
    wrong = (
        (not LABEL.fullmatch(new.name) or new.name == LATEST, "its name is that of a label"),
        (len(new.note) > MOST_NOTE, f"a note has at most {MOST_NOTE} characters"),
        (not 0 <= new.position <= MOST_POSITION, f"a position is from 0 to {MOST_POSITION}"),
        (len(there) >= MOST and not known, f"there are {MOST} already"),
        (new.name == PRODUCTION and not new.reviewed, "production is always reviewed"),
        (bool(roleless), f"{roleless[:1]} is no role here"),
        (not _stands_right(new, there), "what it comes after has to stand before it"),
    )
    return next((why for so, why in wrong if so), "")


def _stands_right(new: Environment, there: list[Environment]) -> bool:
    """Whether every environment still comes after one that stands before it."""
    places = {one.name: one.position for one in (*there, new)}
    every = (*(one for one in there if one.name != new.name), new)
    return all(
        not one.after or places.get(one.after, one.position) < one.position for one in every
    )
