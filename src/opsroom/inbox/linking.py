"""Links to a request that are sent to one person, as in a chat message.

A link decides nothing. It leads whom it was made for, once they are logged in, to the request
that they were told of, once, as long as the request is what it was then; they answer there like
everybody. Whoever else gets hold of it, or looks at it before them as chat programs do, can do
nothing with it.
"""

import secrets
from datetime import timedelta

from opsroom.access.model import fingerprint
from opsroom.journal import Entry
from opsroom.kit.db import Tx

from . import link_store, queries
from .errors import LinkRefused, RequestNotFound
from .model import Request, State

LASTS = timedelta(hours=8)
ASKED = "inbox.asked"
PATH = "/inbox/links/"


def issue(tx: Tx, request: Request, person: str) -> str:
    """The path of a new link that leads `person` to a request."""
    code = secrets.token_hex(24)
    link_store.add(
        tx,
        fingerprint(code),
        request_id=request.id,
        person=person,
        shown=request.shown,
        until=min(request.expires_at, tx.now + LASTS),
    )
    tx.record("inbox.link_issued", request.subject, request=request.id, person=person)
    return f"{PATH}{code}"


def page_for(tx: Tx, entry: Entry, person: str) -> str:
    """Where a message about an entry leads: to the request that was asked, by a link of their own
    where the channel is one person's. Empty for everything that is not asked in the inbox, and
    where the request was removed since.
    """
    if entry.event != ASKED:
        return ""
    try:
        request = queries.request(tx, str(entry.facts["request"]))
    except RequestNotFound:
        return ""
    if person and request.state is State.PENDING:
        return issue(tx, request, person)
    return f"/inbox?request={request.id}"


def check(tx: Tx, code: str) -> Request:
    """The request that a link leads whoever asks to. Raises `LinkRefused`."""
    found = link_store.one(tx, fingerprint(code))
    if found is None or not tx.actor.human or found["person"] != tx.actor.name:
        raise LinkRefused("it was made for somebody else, in another project, or never")
    if found["used_at"] is not None:
        raise LinkRefused("it was used")
    if tx.now >= found["expires_at"]:
        raise LinkRefused("it has ended")
    request = queries.request(tx, found["request_id"])
    if request.shown != found["shown"]:
        raise LinkRefused("what was asked is no longer the same")
    return request


def follow(tx: Tx, code: str) -> Request:
    """Use a link up. Raises `LinkRefused`."""
    request = check(tx, code)
    if not link_store.use(tx, fingerprint(code)):
        raise LinkRefused("it was used")
    tx.record("inbox.link_followed", request.subject, request=request.id)
    return request
