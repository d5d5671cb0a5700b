"""Receiving what a channel of opsroom sends."""

from collections.abc import Mapping
from datetime import UTC, datetime

from opsroom.kit.webhooks import verify


def verify_webhook(
    key: str, headers: Mapping[str, str], body: bytes, *, now: datetime | None = None
) -> str:
    """The id of a webhook that opsroom sent within the last five minutes. `body` is the body as
    it arrived, `key` what the channel's secret holds. Do nothing where you have seen the id
    before: deliveries may be repeated. Raises `opsroom.kit.webhooks.BadSignature`.
    """
    return verify(key, headers, body, now=now or datetime.now(UTC))
