"""What the registry needs to know about channels."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import yaml

from opsroom.kit.addresses import PrivateAddress, check_url
from opsroom.kit.wire import plain
from opsroom.registry import Finding, Kind, Lookup, Severity
from opsroom.vault import is_reference

from .errors import BrokenChannel
from .model import TELLABLE, ChannelSpec, Webhook


def pin(spec: ChannelSpec, _lookup: Lookup) -> ChannelSpec:
    """Refuse what could tell nobody, or would tell it in the open."""
    if not is_reference(spec.to.secret):
        raise BrokenChannel("it cites its secret as secret:NAME or OPSROOM_SECRET_…")
    if isinstance(spec.to, Webhook):
        with suppress(PrivateAddress):  # that depends on where opsroom runs
            check_url(spec.to.url)
    if unknown := set(spec.events) - TELLABLE:
        told = ", ".join(sorted(TELLABLE))
        raise BrokenChannel(f"{min(unknown)} is not told; these are: {told}")
    if not spec.events:
        raise BrokenChannel("it names no event to tell")
    return spec


def lint(spec: ChannelSpec, before: ChannelSpec | None, _lookup: Lookup) -> Sequence[Finding]:
    return [] if not isinstance(spec.to, Webhook) else [*_open(spec.to), *_moving(spec, before)]


def _open(to: Webhook) -> Iterator[Finding]:
    try:
        check_url(to.url)
    except PrivateAddress as error:
        yield Finding(
            code="address_not_public",
            severity=Severity.WARNING,
            message=str(error),
            place="to.url",
            hint="it is refused unless OPSROOM_ALLOWED_HOSTS names it",
        )
    if urlsplit(to.url).scheme != "https":
        yield Finding(
            code="not_encrypted",
            severity=Severity.WARNING,
            message="whoever carries it can read what is told",
            place="to.url",
            hint="use https",
        )


def _moving(spec: ChannelSpec, before: ChannelSpec | None) -> Iterator[Finding]:
    """A key does not follow a webhook to another server, unless its owner says so again."""
    if before is None or not isinstance(before.to, Webhook) or not isinstance(spec.to, Webhook):
        return
    was, now = urlsplit(before.to.url).netloc.lower(), urlsplit(spec.to.url).netloc.lower()
    if was != now and spec.to.secret == before.to.secret:
        yield Finding(
            code="secret_moves",
            severity=Severity.ERROR,
            message=f"the key {spec.to.secret} would sign for {now}, and signed for {was}",
            place="to.secret",
            hint="use another name for the key of another server",
        )


def text(spec: ChannelSpec) -> str:
    """The channel as YAML, one setting a line."""
    return yaml.safe_dump(plain(spec), sort_keys=False, allow_unicode=True, width=88)


KIND = Kind(name="channel", shape=ChannelSpec, text=text, pin=pin, lint=lint)
