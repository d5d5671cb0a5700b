"""Reviewing access: who has which role or token here, and taking away what nobody confirms."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from opsroom.access import MayNot, services
from opsroom.access import commands as access
from opsroom.access import queries as access_queries
from opsroom.access.errors import NoSuchService
from opsroom.journal import queries as journal
from opsroom.kit.db import Tx

from . import records
from .errors import OwnAccess, StillHeld
from .model import Answer, Exhibit, Verdict

PERMISSION = "administer"
MOST_IDENTITIES = 400  # in one occasion; the rest comes up as its next part
MOST_PARTS = 100
REST = "access/rest"
LOOKED_THROUGH = 5_000  # entries of the journal, for when somebody last did something


def check_may(tx: Tx) -> None:
    """Raises `MayNot` for those who could not take away what they do not confirm."""
    if PERMISSION not in tx.actor.may:
        raise MayNot(tx.actor.name, PERMISSION)


def identities(tx: Tx, *, asked: Collection[str] = ()) -> tuple[Exhibit, ...]:
    """Everybody with a role here, every open service and every living token, with what they may
    do and when they last did something on record; without those who were `asked` for. Beyond
    four hundred, the rest is counted.
    """
    found = [one for one in _identities(tx) if one.about not in asked]
    left = found[MOST_IDENTITIES:]
    if left:
        said = f"{len(left)} more are asked for in the next part of this review"
        rest = [one.record for one in left]
        found[MOST_IDENTITIES:] = [records.exhibit(REST, rest, said)]
    return tuple(found)


def goes_on(evidence: Sequence[Exhibit]) -> bool:
    """Whether there are more than one occasion asks for."""
    return any(one.record == REST for one in evidence)


def _identities(tx: Tx) -> Iterator[Exhibit]:
    used = _last_used(tx)
    for user in access_queries.people(tx):
        if user.held:
            above = [f"{role} by the organisation" for role in user.by_organisation]
            said = f"{', '.join((*user.roles, *above))}; {used(user.name)}"
            name = f"user/{user.name}"
            yield records.exhibit(name, user, said, about=name, page="/people")
    for service in access_queries.services(tx):
        if service.closed_at is None:
            held = f"{', '.join(service.roles) or 'no role'}; {service.owner} answers for it"
            name = f"service/{service.name}"
            said = f"{held}; {used(f'service:{service.name}')}"
            yield records.exhibit(name, service, said, about=name, page="/access")
    for token in access_queries.tokens(tx):
        if token.alive(tx.now):
            ends = f"ends {token.expires_at:%Y-%m-%d}" if token.expires_at else "never ends"
            made = f"made by {token.created_by} on {token.created_at:%Y-%m-%d}, {ends}"
            held = f"as service/{token.service}" if token.service else ", ".join(token.roles)
            said = f"{token.name}: {held}; {made}; {used(token.actor)}"
            name = f"token/{token.id}"
            yield records.exhibit(name, token, said, about=name, page="/people")


def carry_out(tx: Tx, answers: Mapping[str, Answer]) -> None:
    """Take away what was not confirmed: every role of a person here, a service, or a token.

    Raises `OwnAccess` for those who would shut themselves out, and `StillHeld` where roles
    remain that no review of a project takes away.
    """
    for question, answer in answers.items():
        noun, _, name = question.partition("/")
        if answer.verdict is not Verdict.ACT:
            continue
        if noun == "user":
            if name == tx.actor.name:
                raise OwnAccess(name)
            if access_queries.roles_of(tx, name):
                access.set_roles(tx, name, ())
            if left := access_queries.roles_of(tx, name):
                raise StillHeld(name, ", ".join(left))
        elif noun == "service":
            _close(tx, name, answer.because)
        elif noun == "token":
            access.revoke_token(tx, name)


def _close(tx: Tx, service: str, because: str) -> None:
    try:
        services.close_service(tx, service, reason=because)
    except NoSuchService:  # somebody was quicker, which is what was asked for
        return


def _last_used(tx: Tx) -> Callable[[str], str]:
    """When somebody last did something on record, as far back as was looked."""
    entries = [one for one, _ in journal.entries(tx, limit=LOOKED_THROUGH)]
    last = {one.actor: one.at for one in reversed(entries)}
    since = f"since {entries[-1].at:%Y-%m-%d}" if len(entries) == LOOKED_THROUGH else "ever"

    def used(actor: str) -> str:
        at = last.get(actor)
        return f"last on record {at:%Y-%m-%d}" if at else f"nothing on record {since}"

    return used
