"""Reviewing access: who has which role or token here, and taking away what nobody confirms."""

from collections.abc import Callable, Mapping

from opsroom.access import MayNot
from opsroom.access import commands as access
from opsroom.access import queries as access_queries
from opsroom.journal import queries as journal
from opsroom.kit.db import Tx

from . import records
from .errors import OwnAccess
from .model import Answer, Exhibit, Verdict

PERMISSION = "administer"
MOST_IDENTITIES = 400
LOOKED_THROUGH = 5_000  # entries of the journal, for when somebody last did something


def check_may(tx: Tx) -> None:
    """Raises `MayNot` for those who could not take away what they do not confirm."""
    if PERMISSION not in tx.actor.may:
        raise MayNot(tx.actor.name, PERMISSION)


def identities(tx: Tx) -> tuple[Exhibit, ...]:
    """Everybody with a role here and every living token, with what they may do and when they
    last did something on record. Beyond four hundred, the rest is counted.
    """
    used = _last_used(tx)
    found: list[Exhibit] = []
    for user in access_queries.people(tx):
        if user.roles:
            said = f"{', '.join(user.roles)}; {used(user.name)}"
            name = f"user/{user.name}"
            found.append(records.exhibit(name, user, said, about=name, page="/people"))
    for token in access_queries.tokens(tx):
        if token.alive(tx.now):
            ends = f"ends {token.expires_at:%Y-%m-%d}" if token.expires_at else "never ends"
            made = f"made by {token.created_by} on {token.created_at:%Y-%m-%d}, {ends}"
            said = f"{token.name}: {', '.join(token.roles)}; {made}; {used(token.actor)}"
            name = f"token/{token.id}"
            found.append(records.exhibit(name, token, said, about=name, page="/people"))
    left = found[MOST_IDENTITIES:]
    if left:
        said = f"{len(left)} more are not part of this review; look at them on the page People"
        found[MOST_IDENTITIES:] = [
            records.exhibit("access/rest", [one.record for one in left], said)
        ]
    return tuple(found)


def carry_out(tx: Tx, answers: Mapping[str, Answer]) -> None:
    """Take away what was not confirmed: every role of a person here, or a token.

    Raises `OwnAccess` for those who would shut themselves out.
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
        elif noun == "token":
            access.revoke_token(tx, name)


def _last_used(tx: Tx) -> Callable[[str], str]:
    """When somebody last did something on record, as far back as was looked."""
    entries = [one for one, _ in journal.entries(tx, limit=LOOKED_THROUGH)]
    last = {one.actor: one.at for one in reversed(entries)}
    since = f"since {entries[-1].at:%Y-%m-%d}" if len(entries) == LOOKED_THROUGH else "ever"

    def used(actor: str) -> str:
        at = last.get(actor)
        return f"last on record {at:%Y-%m-%d}" if at else f"nothing on record {since}"

    return used
