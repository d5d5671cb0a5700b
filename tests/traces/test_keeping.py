"""What a project decides about its telemetry, and how long it is kept."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.telemetry import KEEP, MOST, QUICK, Room, no_own_price, shared
from tests.traces.otlp import request

from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.redaction import DEFAULTS, BrokenRule, Redactor, iban, luhn
from opsroom.traces import keeping, retention
from opsroom.traces.errors import BrokenKeeping
from opsroom.traces.intake import now_nano
from opsroom.traces.model import OwnPrice, OwnRule
from opsroom.traces.telemetry import Traces

OWN = OwnPrice(model="house-1", input=Decimal(2), output=Decimal(10))


def test_a_decision_is_kept_and_on_record(db: Database, admin: Actor) -> None:
    with db.write(admin) as tx:
        was = keeping.current(tx)
        now = keeping.decide(tx, replace(was, contents=False, prices=(OWN,)))
        assert [event.name for event in tx.events] == ["traces.keeping_decided"]
    with db.write(admin) as tx:
        assert keeping.current(tx) == now
        assert keeping.decide(tx, now) == now
        assert tx.events == []
        assert keeping.decide(tx, replace(now, contents=True)).revision == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"rules": (OwnRule(name="a", pattern="x"), OwnRule(name="a", pattern="y"))},
        {"rules": (OwnRule(name="card", pattern="x"),)},
        {"rules": (OwnRule(name="a", pattern="x*"),)},
        {"shipped": ("nothing-of-ours",)},
        {"prices": (replace(OWN, input=Decimal(-1)),)},
        {"prices": (replace(OWN, model=" "),)},
    ],
)
def test_what_cannot_be_decided(
    sqlite_db: Database, admin: Actor, broken: dict[str, object]
) -> None:
    with sqlite_db.write(admin) as tx, pytest.raises((BrokenKeeping, BrokenRule)):
        keeping.decide(tx, replace(keeping.current(tx), **broken))  # type: ignore[arg-type]  # tried here


def test_an_own_price_goes_before_the_list_and_may_come_later(clock: ManualClock) -> None:
    own: list[OwnPrice] = []

    def prices(project: str, provider: str, model: str) -> object:
        return keeping.own_price(
            replace(keeping.NEVER_DECIDED, prices=tuple(own)), provider, model
        )

    traces = Traces(shared, clock=clock, own=prices, keep=KEEP, most=MOST, bounds=QUICK)  # type: ignore[arg-type]  # its own type
    room = Room(traces, clock)
    told = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "house-1",
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}  # fmt: skip
    room.send(request(told))
    assert room.spans()[0]["cost"] is None
    own.append(OWN)
    traces.opened().pricing.refresh(clock.now())
    (row,) = room.spans()
    assert (row["cost"], row["basis"]) == (Decimal("0.003"), "the project's own price")
    room.send(request({"id": "0c" * 8, **told}))
    assert [row["cost"] for row in room.spans()] == [Decimal("0.003")] * 2
    traces.close()


def test_the_oldest_days_go_when_there_is_too_much(clock: ManualClock) -> None:
    """On a store of its own day: days that nothing else in this process uses."""
    traces = Traces(shared, clock=clock, own=no_own_price, keep=KEEP, most=MOST, bounds=QUICK)
    room = Room(traces, clock)
    clock.move(timedelta(days=-3000))
    for day in range(3):
        start = now_nano(clock)
        room.send(request({"id": f"{day + 1:016x}", "start": start, "end": start}))
        clock.move(timedelta(days=1))
    store = traces.opened().store

    def days() -> list[int]:
        return [
            row["day"]
            for row in room.rows(
                "SELECT DISTINCT toYYYYMMDD(received) AS day FROM spans "
                "WHERE project = {project:String} ORDER BY day"
            )
        ]

    there = days()
    sizes = store.rows(
        "SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active "
        "AND table IN ('spans', 'traces', 'dead_letters')"
    )
    assert retention.make_room(store, most=sizes[0]["bytes"]) == ()
    assert retention.make_room(store, most=sizes[0]["bytes"] - 1) == (str(there[0]),)
    assert days() == there[1:]
    traces.close()


CARD = st.lists(st.integers(0, 9), min_size=14, max_size=14).map(
    lambda rest: "4" + "".join(map(str, rest))
)


@given(CARD)
def test_one_digit_in_ten_makes_a_card(start: str) -> None:
    numbers = [start + str(last) for last in range(10)]
    valid = [number for number in numbers if luhn(number)]
    assert len(valid) == (0 if len(set(start)) == 1 and luhn(start + start[0]) else 1)
    redactor = Redactor()
    for number in numbers:
        assert (redactor.clean(f"x {number} y") == "x [redacted:card] y") == (number in valid)


@pytest.mark.parametrize(
    ("text", "holds"),
    [("DE89370400440532013000", True), ("GB82 WEST 1234 5698 7654 32", True),
     ("DE88370400440532013000", False), ("DE89", False)],
)  # fmt: skip
def test_iban(text: str, holds: bool) -> None:
    assert iban(text) is holds


@given(st.text(max_size=300))
def test_what_has_nothing_is_the_same_and_cleaning_twice_is_cleaning_once(text: str) -> None:
    redactor = Redactor()
    clean = redactor.clean(text)
    assert redactor.clean(clean) == clean
    if clean != text:
        assert redactor.suspects(text.encode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        ("sk-ant-" + "api03-" + "aB3_" * 8, "key"),
        ("AKIA" + "ABCDEFGH12345678", "key"),
        ("ghp_" + "a1" * 20, "key"),
        ("eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.c2ln", "jwt"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "private-key"),
        ("ada.lovelace+x@mail.example.co.uk", "email"),
        ("+49 (0)30 9018-20", "phone"),
        ("(030) 9018 2045", "phone"),
    ],
)
def test_each_kind_is_found_in_running_text(secret: str, kind: str) -> None:
    assert (
        Redactor().clean(f'{{"a": "so {secret}, and"}}')
        == f'{{"a": "so [redacted:{kind}], and"}}'
    )


@pytest.mark.parametrize(
    "text",
    ["2026-11-27T13:00:00.123456Z", "1795787590391000000", "550e8400-e29b-41d4-a716-446655440000",
     "trace 5b8efff798038103d269b633813fc60c", "v1.2.3-rc.4", "10.0.0.1:8400", "@opsroom", "12,345,678.90"],
)  # fmt: skip
def test_what_looks_like_it_and_is_not_stays(text: str) -> None:
    assert Redactor().clean(text) == text


def test_there_is_a_rule_for_every_kind() -> None:
    assert [rule.name for rule in DEFAULTS] == [
        "private-key", "jwt", "key", "bearer", "connection", "email", "iban", "card", "phone",
    ]  # fmt: skip


def test_half_a_pair_hides_nothing_and_is_left_for_others_to_refuse() -> None:
    half, key = "to \ud800 ship", "AKIA" + "Q" * 16
    assert Redactor().clean(half) is half
    assert key not in Redactor().clean(f"{half} {key}")
    assert [name for name, _ in Redactor().spotted(f"{half} {key}")] == ["key"]
