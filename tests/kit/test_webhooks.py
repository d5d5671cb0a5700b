"""Signatures of webhooks: only what was sent, by who has the key, and not long ago (S3)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import opsroom
from opsroom.kit.webhooks import TOLERANCE, BadSignature, sign, verify

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BODY = b'{"a": 1}'


def test_signed_as_the_standard_says() -> None:
    """The vector that implementations of Standard Webhooks share."""
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=at,
        body=b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(body=st.binary(max_size=200), key=st.text(min_size=1, max_size=40))
def test_what_was_signed_is_verified(body: bytes, key: str) -> None:
    key = f"k{key}"
    headers = sign(key, message_id="dlv_1", at=NOW, body=body)
    titled = {name.title(): value for name, value in headers.items()}
    assert verify(key, titled, body, now=NOW + TOLERANCE) == "dlv_1"
    with pytest.raises(BadSignature):
        verify(key, headers, body + b" ", now=NOW)
    with pytest.raises(BadSignature):
        verify(f"{key}x", headers, body, now=NOW)


@pytest.mark.parametrize("late", [TOLERANCE + timedelta(seconds=1), timedelta(minutes=-6)])
def test_what_was_signed_long_ago_is_refused(late: timedelta) -> None:
    headers = sign("key", message_id="dlv_1", at=NOW, body=BODY)
    with pytest.raises(BadSignature, match="five minutes"):
        verify("key", headers, BODY, now=NOW + late)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "dlv_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 40},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,grün"},
    ],
)
def test_headers_that_were_changed_are_refused(changed: dict[str, str]) -> None:
    headers = sign("key", message_id="dlv_1", at=NOW, body=BODY)
    with pytest.raises(BadSignature):
        verify("key", {**headers, **changed}, BODY, now=NOW)


def test_one_good_signature_among_several_is_enough() -> None:
    """While a key is changed, a sender may sign with both."""
    headers = sign("new", message_id="dlv_1", at=NOW, body=BODY)
    old = sign("old", message_id="dlv_1", at=NOW, body=BODY)["webhook-signature"]
    headers["webhook-signature"] = f"{old} {headers['webhook-signature']}"
    assert verify("new", headers, BODY, now=NOW) == "dlv_1"


@pytest.mark.parametrize("key", ["", "whsec_%%%"])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(BadSignature):
        sign(key, message_id="dlv_1", at=NOW, body=BODY)


def test_programs_verify_with_the_clock_of_their_own() -> None:
    headers = sign("key", message_id="dlv_1", at=datetime.now(UTC), body=BODY)
    assert opsroom.verify_webhook("key", headers, BODY) == "dlv_1"
