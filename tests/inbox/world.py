"""People, and what an agent asks them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from opsroom.access.model import permissions_of
from opsroom.inbox import Request, RequestDraft, Risk, Say, commands
from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor, Database

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SCHEMA = {
    "type": "object",
    "properties": {
        "supplier": {"type": "string"},
        "amount": {"type": "number"},
        "note": {"type": "string"},
    },
    "required": ["supplier", "amount"],
    "additionalProperties": False,
}
ARGUMENTS = {"supplier": "Hapag Logistik GmbH", "amount": 3120}


def person(name: str, *roles: str, project: str = "default") -> Actor:
    return Actor(name, project, permissions_of(roles), roles)


ADA = person("ada", "author", "operator")  # the agent acts for her
BEN = person("ben", "reviewer")
CAT = person("cat", "operator")
RIA = person("ria", "risk")
EVE = person("eve", "viewer")
AGENT = Actor(
    "agent:clerk", "default", permissions_of(("agent",)), ("agent",), human=False, agent="clerk"
)


def draft(now: datetime = NOW, **given: Any) -> RequestDraft:
    arguments = given.pop("arguments", ARGUMENTS)
    made = RequestDraft(
        subject="action/act_1",
        agent="clerk",
        requester="ada",
        tool="post_invoice",
        title="Post an invoice",
        why="the amount is over 2,500",
        risk=Risk.LOW,
        arguments=arguments,
        schema=SCHEMA,
        binding=digest({"tool": "post_invoice", "arguments": dict(arguments)}),
        due_at=now + timedelta(hours=1),
        expires_at=now + timedelta(hours=8),
    )
    return replace(made, **given)


def asked(db: Database, **given: Any) -> Request:
    with db.write(AGENT) as tx:
        return commands.ask(tx, draft(now=tx.now, **given))


def say(
    db: Database, who: Actor, request: Request, what: Say = Say.APPROVE, **rest: Any
) -> Request:
    rest.setdefault("binding", request.shown)
    with db.write(who) as tx:
        return commands.answer(tx, request.id, what, **rest)


def use(db: Database, request: Request, **rest: Any) -> Any:
    rest.setdefault("binding", request.binding)
    with db.write(AGENT) as tx:
        return commands.consume(tx, request.id, **rest)


def look(db: Database, request: Request, who: Actor = BEN) -> Request:
    from opsroom.inbox import queries

    with db.read(who) as tx:
        return queries.request(tx, request.id)
