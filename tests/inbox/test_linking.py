"""A link in a message leads one person to one request, once, and decides nothing."""

from datetime import timedelta
from typing import Any

import pytest
from tests.api import Api
from tests.channels.world import deliveries, store
from tests.inbox.world import BEN, CAT, asked, look, person, say

from opsroom.channels import commands as channels
from opsroom.channels.model import TELLABLE
from opsroom.inbox import Request, Say, State, commands, forgetting, linking
from opsroom.inbox.errors import LinkRefused
from opsroom.journal import outbox
from opsroom.journal import queries as journal
from opsroom.journal.outbox import Reaction
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.redaction import Redactor

ANNOUNCE = Reaction(
    name="channels.announce",
    events=TELLABLE,
    react=lambda tx, entry: channels.announce(
        tx, entry, redactor=lambda _: Redactor(), page_for=linking.page_for
    ),
)
HOOK = {
    "to": {"kind": "webhook", "url": "https://chat.example/h", "secret": "OPSROOM_SECRET_X"}
}


def told(db: Database, person: str = "ben") -> tuple[Request, str]:
    """A request, and the code of the link that a person was sent."""
    store(db, "bens", {**HOOK, "events": ["inbox.asked"], "person": person})
    request = asked(db)
    outbox.pump(db, (ANNOUNCE,))
    (one,) = deliveries(db, "bens")
    return request, one.notice.page.removeprefix(linking.PATH)


def follow(db: Database, code: str, who: Actor = BEN) -> str:
    with db.write(who) as tx:
        return linking.follow(tx, code).id


def refused(db: Database, code: str, who: Actor = BEN) -> str:
    with pytest.raises(LinkRefused) as found, db.write(who) as tx:
        linking.follow(tx, code)
    return found.value.why


def events(db: Database, event: str) -> list[dict[str, Any]]:
    with db.read(BEN) as tx:
        return [
            dict(one.facts) for one, _ in journal.entries(tx, limit=100) if one.event == event
        ]


def test_it_works_once_and_for_one_person(db: Database) -> None:
    request, code = told(db)
    assert len(code) == 48
    stranger = person("ben", "reviewer", project="other")
    program = Actor("ben", "default", BEN.may, BEN.roles, human=False)
    for who in (CAT, stranger, program):
        assert "somebody else" in refused(db, code, who)
    assert "somebody else" in refused(db, "0" * 48)
    assert follow(db, code) == request.id
    assert refused(db, code) == "it was used"
    assert look(db, request).state is State.PENDING
    assert [one["person"] for one in events(db, "inbox.link_issued")] == ["ben"]
    assert len(events(db, "inbox.link_followed")) == 1
    with db.read(BEN) as tx:
        assert code not in str([one.facts for one, _ in journal.entries(tx, limit=100)])


def test_it_ends_with_time_and_with_what_it_was_about(db: Database, clock: ManualClock) -> None:
    request, code = told(db)
    say(db, CAT, request, Say.APPROVE)
    with db.write(CAT) as tx:
        commands.undo(tx, request.id)
    assert refused(db, code) == "what was asked is no longer the same"
    clock.move(linking.LASTS + timedelta(seconds=1))
    assert refused(db, code) == "it has ended"


def test_a_channel_of_nobody_leads_to_the_inbox(db: Database) -> None:
    request, page = told(db, person="")
    assert page == f"/inbox?request={request.id}"
    assert events(db, "inbox.link_issued") == []


def test_a_request_that_was_removed_holds_no_news_up(db: Database) -> None:
    request, code = told(db)
    with db.write(BEN) as tx:
        forgetting.remove(tx, [request.subject])
    assert "somebody else" in refused(db, code)
    late = asked(db)
    with db.write(BEN) as tx:
        forgetting.remove(tx, [late.subject])
    outbox.pump(db, (ANNOUNCE,))
    pages = [one.notice.page for one in deliveries(db, "bens")]
    assert len(pages) == 2
    assert linking.PATH not in pages[0]


def test_looking_at_it_uses_nothing_up(sqlite_api: Api) -> None:
    request, code = told(sqlite_api.db)
    address = f"{linking.PATH}{code}"
    html = {"Accept": "text/html"}
    away = sqlite_api.nobody.send("GET", address, headers=html, follow_redirects=False)
    assert away.headers["Location"] == f"/login?next=%2Finbox%2Flinks%2F{code}"
    ben = sqlite_api.person("reviewer", name="ben")
    cat = sqlite_api.person("operator", name="cat")
    for _ in range(2):
        page = ben.send("GET", address, headers=html)
        assert page.status_code == 200
        assert "Post an invoice" in page.text
    assert cat.refused("POST", address).code == "inbox_link_refused"
    there = ben.send("POST", address, follow_redirects=False)
    assert (there.status_code, there.headers["Location"]) == (
        303,
        f"/inbox?request={request.id}",
    )
    assert ben.refused("POST", address).code == "inbox_link_refused"
    assert look(sqlite_api.db, request).state is State.PENDING
