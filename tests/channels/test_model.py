"""What a channel wants to hear, and what becomes of a delivery."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.channels.model import (
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    Answer,
    ChannelSpec,
    Delivery,
    Notice,
    State,
    Webhook,
    after,
    pause,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TO = Webhook(url="https://example.org", secret="OPSROOM_SECRET_X")
NOTICE = Notice(
    event="alert.opened", at=NOW, project="default", actor="a", subject="alert/alt_1",
    title="t", note="", tone="bad", page="", seq=1, facts={},
)  # fmt: skip
DELIVERY = Delivery(
    id="dlv_1", channel="c", ref="channel/c@1", digest="d", notice=NOTICE, next_at=NOW,
    created_at=NOW, attempts=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "event", "facts", "wanted"),
    [
        ({}, "alert.opened", {}, True),
        ({}, "release.promoted", {}, False),
        ({"events": ("release.promoted",)}, "release.promoted", {}, True),
        ({"enabled": False}, "alert.opened", {}, False),
        ({}, "alert.opened", {"muted": True}, False),
        ({"urgencies": ("critical",)}, "alert.opened", {"urgency": "critical"}, True),
        ({"urgencies": ("critical",)}, "alert.opened", {"urgency": "info"}, False),
        ({"agents": ("clerk",)}, "alert.opened", {"agent": "desk"}, False),
        ({"agents": ("clerk",)}, "alert.opened", {"agent": ""}, True),  # about all of them
    ],
)
def test_what_is_told(
    spec: dict[str, Any], event: str, facts: dict[str, Any], wanted: bool
) -> None:
    assert ChannelSpec(to=TO, **spec).wants(event, facts) is wanted


@given(attempts=st.integers(1, 200), wait=st.floats(0, 1e12))
def test_pauses_grow_up_to_an_hour(attempts: int, wait: float) -> None:
    now = pause(attempts, wait)
    assert timedelta(seconds=10) <= now <= timedelta(seconds=LONGEST_PAUSE)
    assert now <= pause(attempts + 1, wait)


def test_all_pauses_together_are_most_of_a_day() -> None:
    hours = sum((pause(n) for n in range(1, MOST_ATTEMPTS)), timedelta()) / timedelta(hours=1)
    assert 20 < hours < 24


@given(
    attempts=st.integers(1, MOST_ATTEMPTS),
    taken=st.booleans(),
    gone=st.booleans(),
)
def test_a_delivery_ends_once(attempts: int, taken: bool, gone: bool) -> None:
    was = Delivery(**{**_fields(DELIVERY), "attempts": attempts})
    now = after(was, Answer(taken=taken, said="x" * 999, gone=gone), now=NOW)
    last = attempts == MOST_ATTEMPTS
    expected = State.DELIVERED if taken else State.ABANDONED if gone or last else State.PENDING
    assert now.state is expected
    assert (now.settled_at is None) is (expected is State.PENDING)
    assert now.state is not State.PENDING or now.next_at > NOW
    assert len(now.said) <= 300


def _fields(one: Delivery) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Delivery.__dataclass_fields__}
