"""Chat, pagers and mail, through Apprise: one URL scheme for all of them.

Apprise calls by itself, past our own way out. So only services are taken that are at one
place of their own; a URL that names its server must name one that OPSROOM_ALLOWED_HOSTS has.
"""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from .errors import BrokenChannel
from .model import Answer, Notice

if TYPE_CHECKING:
    from apprise import Apprise

KINDS = {"bad": "failure", "warn": "warning", "good": "success"}
# Schemes whose server is fixed by the service, whatever the URL says.
FIXED = frozenset(
    {
        "discord",
        "gchat",
        "opsgenie",
        "pagerduty",
        "pover",
        "slack",
        "splunk",
        "tgram",
        "victorops",
        "webex",
        "workflows",
        "wxteams",
    }
)


def send(url: str, notice: Notice, *, link: str, allow: Iterable[str]) -> Answer:
    """Send a notice once. Raises `BrokenChannel` for a URL that is none, or may not be used."""
    check(url, allow=allow)
    here = _apprise()
    if not here.add(url):
        raise BrokenChannel(f"the Apprise URL {_scheme(url)}://… cannot be read")
    taken = here.notify(
        title=notice.title,
        body="\n".join(filter(None, (notice.note, link))) or notice.subject,
        notify_type=cast("Any", KINDS.get(notice.tone, "info")),
    )
    said = f"{_scheme(url)} took it" if taken else f"{_scheme(url)} did not take it"
    return Answer(taken=bool(taken), said=said)


def check(url: str, *, allow: Iterable[str]) -> None:
    """Raise `BrokenChannel` unless messages to `url` go where they may."""
    if _scheme(url) in FIXED:
        return
    try:
        parts = urlsplit(url)
        server = f"{parts.hostname or ''}:{parts.port or ''}".lower()
    except ValueError:
        server = ""
    if server not in {one.lower() for one in allow}:
        raise BrokenChannel(
            f"a {_scheme(url)}:// URL names its own server, which OPSROOM_ALLOWED_HOSTS does not"
            f" have as host:port; schemes without one are {', '.join(sorted(FIXED))}"
        )


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()[:20]


def _apprise() -> "Apprise":
    module = _loaded()
    asset = module.AppriseAsset(app_id="opsroom", app_desc="opsroom", secure_logging=True)
    return cast("Apprise", module.Apprise(asset=asset))


@cache
def _loaded() -> Any:
    import apprise  # noqa: PLC0415  # seldom needed, and slow to load

    return apprise
