"""What happened is told where people are: signed, at least once, and nowhere else (S1–S4)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.channels.world import (
    KEY,
    LOOP,
    SECRET,
    Receiver,
    deliveries,
    happens,
    receiver,
    send,
    sender,
    store,
    webhook,
)

from opsroom.channels import commands
from opsroom.channels import store as table
from opsroom.channels.model import LEASE, MOST_ATTEMPTS, Answer, State
from opsroom.channels.workflow import Driver
from opsroom.journal import queries as journal
from opsroom.kit import faults
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.kit.outbound import Limits
from opsroom.kit.webhooks import verify


def events(db: Database, event: str) -> list[dict[str, Any]]:
    with db.read(LOOP) as tx:
        return [entry.facts for entry, _ in journal.entries(tx, event=event)]


def test_an_alert_arrives_in_words_and_signed(
    db: Database, clock: ManualClock, here: Receiver
) -> None:
    store(db, "on-call", webhook(here, urgencies=["critical"]))
    happens(db)
    happens(db, urgency="info")
    happens(db, event="release.promoted")
    assert send(db, sender(allow=(here.host,))) == 1
    ((headers, body),) = here.seen
    (one,) = deliveries(db)
    assert verify(SECRET, headers, body, now=clock.now()) == one.id
    told = json.loads(body)
    assert told["id"] == one.id
    assert told["title"] == "errors-high, critical: 12 of 40 failed"
    assert told["link"] == "https://ops.example.org/alerts/alt_1"
    assert (told["event"], told["facts"]["agent"]) == ("alert.opened", "clerk")
    assert (one.state, one.attempts, one.ref) == (State.DELIVERED, 1, "channel/on-call@1")
    (recorded,) = events(db, "channel.delivered")
    assert (recorded["delivery"], recorded["digest"]) == (one.id, one.digest)
    assert SECRET not in json.dumps(recorded)
    assert send(db, sender(allow=(here.host,))) == 0


def test_only_what_production_names_is_told(db: Database, here: Receiver) -> None:
    store(db, "drafted", webhook(here), serves=False)
    happens(db)
    assert deliveries(db, "drafted") == []


def test_what_is_not_taken_is_tried_again_under_the_same_id(
    db: Database, clock: ManualClock, here: Receiver
) -> None:
    store(db, "on-call", webhook(here))
    happens(db)
    by = sender(allow=(here.host,))
    here.next(503, b"busy", Retry_After="90")
    here.next(500)
    assert send(db, by) == 1
    (one,) = deliveries(db)
    assert (one.state, one.said) == (State.PENDING, f"{here.host} answered 503: busy")
    clock.move(timedelta(seconds=89))
    assert send(db, by) == 0
    clock.move(timedelta(seconds=1))
    assert send(db, by) == 1
    clock.move(timedelta(seconds=20))
    assert send(db, by) == 1
    ids = {headers["webhook-id"] for headers, _ in here.seen}
    assert (len(here.seen), ids) == (3, {one.id})
    (one,) = deliveries(db)
    assert (one.state, one.attempts) == (State.DELIVERED, 3)


def test_nobody_takes_it_for_a_day(db: Database, clock: ManualClock, here: Receiver) -> None:
    store(db, "on-call", webhook(here))
    happens(db)
    driver = Driver(db, sender())  # this machine may not be called
    for _ in range(MOST_ATTEMPTS):
        driver.look("default/on-call")
        clock.move(timedelta(hours=1))
    (one,) = deliveries(db)
    assert (one.state, one.attempts) == (State.ABANDONED, MOST_ATTEMPTS)
    assert "127.0.0.1" in one.said
    assert here.seen == []
    (recorded,) = events(db, "channel.abandoned")
    assert recorded["attempts"] == MOST_ATTEMPTS
    with db.write(LOOP) as tx:
        commands.repeat(tx, "on-call", one.id)
    assert send(db, sender(allow=(here.host,))) == 1
    assert [two.state for two in deliveries(db)] == [State.DELIVERED]


def test_who_is_gone_is_not_asked_again(db: Database, here: Receiver) -> None:
    store(db, "on-call", webhook(here))
    happens(db)
    here.next(410)
    send(db, sender(allow=(here.host,)))
    assert [one.state for one in deliveries(db)] == [State.ABANDONED]


def test_a_redirect_is_not_followed(db: Database, here: Receiver) -> None:
    with receiver() as elsewhere:
        store(db, "on-call", webhook(here))
        happens(db)
        here.next(307, Location=f"{elsewhere.url}/stolen")
        send(db, sender(allow=(here.host, elsewhere.host)))
        assert elsewhere.seen == []
    (one,) = deliveries(db)
    assert one.state is State.PENDING
    assert "not followed" in one.said


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
    ],
)
def test_addresses_inside_are_never_called(sqlite_db: Database, url: str) -> None:
    spec = {"to": {"kind": "webhook", "url": url, "secret": KEY}}
    store(sqlite_db, "on-call", spec)
    happens(sqlite_db)
    send(sqlite_db, sender())
    (one,) = deliveries(sqlite_db)
    assert one.state is State.PENDING
    assert one.said.endswith("which is not a public address")


def test_an_answer_that_never_ends_is_cut_off(sqlite_db: Database, here: Receiver) -> None:
    store(sqlite_db, "on-call", webhook(here))
    happens(sqlite_db)
    here.next(200, b"x" * 2_000)
    by = sender(allow=(here.host,))
    by._answer = Limits(size=1_000, seconds=5)
    send(sqlite_db, by)
    (one,) = deliveries(sqlite_db)
    assert "more than 1000 bytes" in one.said


def test_a_key_that_is_not_set_is_named(sqlite_db: Database, here: Receiver) -> None:
    store(sqlite_db, "on-call", webhook(here))
    happens(sqlite_db)
    send(sqlite_db, sender(allow=(here.host,), secrets={KEY: ""}))
    (one,) = deliveries(sqlite_db)
    assert one.said == f"there is no secret {KEY!r} where opsroom runs"
    assert here.seen == []


def test_one_channel_does_not_hold_up_another(db: Database, here: Receiver) -> None:
    store(db, "on-call", webhook(here))
    dead = {"to": {"kind": "webhook", "url": "http://127.0.0.1:9/", "secret": KEY}}
    store(db, "dead", dead)
    happens(db)
    by = sender(allow=(here.host, "127.0.0.1:9"))
    assert (send(db, by, "dead"), send(db, by)) == (1, 1)
    assert [one.state for one in deliveries(db, "dead")] == [State.PENDING]
    assert [one.state for one in deliveries(db)] == [State.DELIVERED]


def test_a_channel_that_was_switched_off_sends_nothing_more(
    db: Database, here: Receiver
) -> None:
    store(db, "on-call", webhook(here))
    happens(db)
    store(db, "on-call", webhook(here, enabled=False))
    send(db, sender(allow=(here.host,)))
    (one,) = deliveries(db)
    assert (one.state, here.seen) == (State.ABANDONED, [])
    assert "switched off" in one.said


class Struck(BaseException):
    """What stands for a power cut in this process."""


def strike() -> None:
    raise Struck


@pytest.mark.parametrize("place", ["channel.before_send", "channel.after_send"])
def test_who_dies_over_it_lets_another_send_it(
    db: Database, clock: ManualClock, here: Receiver, place: str
) -> None:
    store(db, "on-call", webhook(here))
    happens(db)
    by = sender(allow=(here.host,))
    faults.arm(place, strike)
    try:
        with pytest.raises(Struck):
            send(db, by)
    finally:
        faults.disarm()
    assert send(db, by) == 0  # it may still be at it
    clock.move(LEASE)
    assert send(db, by) == 1
    (one,) = deliveries(db)
    assert (one.state, one.attempts) == (State.DELIVERED, 2)
    ids = [headers["webhook-id"] for headers, _ in here.seen]
    assert ids == [one.id] * (1 if place == "channel.before_send" else 2)


def test_an_attempt_that_took_too_long_changes_nothing(
    db: Database, clock: ManualClock, here: Receiver
) -> None:
    store(db, "on-call", webhook(here))
    happens(db)
    with db.write(LOOP) as tx:
        (slow,) = commands.claim(tx, "on-call")
        assert commands.claim(tx, "on-call") == []
    clock.move(LEASE)
    assert send(db, sender(allow=(here.host,))) == 1
    with db.write(LOOP) as tx:
        commands.settle(tx, slow, Answer(taken=False, said="too late", gone=True))
    assert [one.state for one in deliveries(db)] == [State.DELIVERED]
    assert events(db, "channel.abandoned") == []


def test_projects_do_not_hear_each_other(db: Database, here: Receiver) -> None:
    store(db, "on-call", webhook(here))
    elsewhere = type(LOOP)("system", "elsewhere", human=False)
    with db.write(elsewhere) as tx:
        tx.record("alert.opened", "alert/alt_9", rule="theirs", urgency="info", because="x")
    happens(db)
    assert [one.notice.project for one in deliveries(db)] == ["default"]
    with db.read(elsewhere) as tx:
        assert table.page(tx, "on-call", before=None, limit=9) == []


def test_a_service_of_its_own_server_is_told_where_that_is_allowed(
    sqlite_db: Database, here: Receiver
) -> None:
    """Apprise's JSON scheme stands for every service that names its server."""
    service = {"to": {"kind": "service", "secret": "OPSROOM_SECRET_CHAT"}}
    store(sqlite_db, "on-call", service)
    happens(sqlite_db)
    chat = f"json://{here.host}/room"
    send(sqlite_db, sender(secrets={"OPSROOM_SECRET_CHAT": chat}))
    (one,) = deliveries(sqlite_db)
    assert "names its own server" in one.said
    assert here.seen == []
    with sqlite_db.write(LOOP) as tx:
        table.save(tx, type(one)(**{**_fields(one), "next_at": tx.now}), was=one)
    send(sqlite_db, sender(allow=(here.host,), secrets={"OPSROOM_SECRET_CHAT": chat}))
    ((_, body),) = here.seen
    told = json.loads(body)
    assert told["title"] == "errors-high, critical: 12 of 40 failed"
    assert told["type"] == "failure"
    assert "https://ops.example.org/alerts/alt_1" in told["message"]
    assert [two.state for two in deliveries(sqlite_db)] == [State.DELIVERED]


@pytest.mark.parametrize("url", ["json://169.254.169.254/", "syslog://", "file:///etc/x", "x"])
def test_services_go_nowhere_else(sqlite_db: Database, url: str) -> None:
    store(sqlite_db, "on-call", {"to": {"kind": "service", "secret": KEY}})
    happens(sqlite_db)
    send(sqlite_db, sender(secrets={KEY: url}))
    (one,) = deliveries(sqlite_db)
    assert "names its own server" in one.said


def _fields(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def test_a_loop_says_when_it_wants_to_look_again(
    db: Database, clock: ManualClock, here: Receiver
) -> None:
    store(db, "on-call", webhook(here))
    driver = Driver(db, sender(allow=(here.host,)))
    assert driver.look("default/on-call") == 24 * 3600
    happens(db)
    here.next(500)
    assert driver.look("default/on-call") < 60  # at once, by a clock that stands still
