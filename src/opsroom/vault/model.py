"""What a secret is, where it may go, and how it is cited. No I/O.

A secret is cited as `secret:NAME`, or as the name of a variable of the server's environment
(`OPSROOM_SECRET_…`). One of ours belongs to the places it was set for. The places are part of
its seal, so nobody moves it elsewhere without knowing its value.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from opsroom.kit import outbound
from opsroom.kit.wire import Wire

from .errors import BrokenSecret, SecretElsewhere, SecretMissing, SecretUnfit

PREFIX = "secret:"
WEB = {"http": 80, "https": 443}
LONGEST = 16_384  # characters; a private key with its chain fits
MOST_PLACES = 20
SHORTEST_SCRUBBED = 6  # what is shorter stands in ordinary words
MARK = "[redacted:secret]"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_REFERENCE = re.compile(rf"{PREFIX}[a-z][a-z0-9-]{{0,62}}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,19}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretDraft(Wire):
    """A value to keep, and the places it may go to: `https://api.example.com`, or `slack://`
    for the address of a chat or mail service.
    """

    value: str = field(repr=False)
    places: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation(Wire):
    """A new value for the same places."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret(Wire):
    """What may be known of a secret: everything but its value.

    `last_used_at` is when it last left for one of its places, to the minute.
    """

    name: str
    places: tuple[str, ...]
    description: str = ""
    set_by: str
    set_at: datetime
    created_at: datetime
    last_used_at: datetime | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Opened:
    """A secret at the moment of its use. `places` is None where the environment holds it, which
    binds it to nothing but the origin of each single request.
    """

    reference: str
    value: str = field(repr=False)
    places: frozenset[str] | None = None

    def at(
        self, url: str, *, header: str = "Authorization", prefix: str = "Bearer "
    ) -> outbound.Secret:
        """The secret for requests to the origin of `url`. Raises `SecretElsewhere`."""
        self._belongs(place_of(url))
        if not self.value.isascii() or _CONTROL.search(self.value):
            raise SecretUnfit(self.reference, "a header is one line of ASCII")
        return outbound.Secret(origin=url, value=self.value, header=header, prefix=prefix)

    def key(self, url: str) -> str:
        """The value, as a key that signs what goes to `url`. Raises `SecretElsewhere`."""
        self._belongs(place_of(url))
        return self.value

    def address(self) -> str:
        """The value, where it is itself the address of a service. Raises `SecretElsewhere`."""
        scheme = self.value.partition("://")[0].lower()
        if self.places is not None and f"{scheme}://" not in self.places:
            self._belongs(place_of(self.value))
        return self.value

    def scrub(self, text: str) -> str:
        """`text` without this secret: other sides like to repeat what they were sent."""
        if len(self.value) < SHORTEST_SCRUBBED:
            return text
        return text.replace(self.value, MARK)

    def _belongs(self, place: str) -> None:
        if self.places is not None and place not in self.places:
            raise SecretElsewhere(self.reference, place, ", ".join(sorted(self.places)))


# Opens what a reference cites. Raises `SecretMissing`, and what the seal raises.
Secrets = Callable[[str], Opened]


def from_environment(environment: Mapping[str, str] | None = None) -> Secrets:
    """Secrets that variables of the environment hold, and no others."""

    def opened(reference: str) -> Opened:
        held = os.environ if environment is None else environment
        value = held.get(reference, "") if reference.startswith(outbound.SECRETS) else ""
        if not value:
            raise SecretMissing(reference)
        return Opened(reference, value)

    return opened


def is_reference(text: str) -> bool:
    """Whether `text` cites a secret, as people write it."""
    return text.startswith(outbound.SECRETS) or _REFERENCE.fullmatch(text) is not None


def within(reference: str, project: str) -> str:
    """The reference as it is opened: one of ours says whose project it is of.

    Whatever is written in a version stays in its own project: what already looks like this form
    there cites nothing.
    """
    if _REFERENCE.fullmatch(reference) is not None:
        return f"{PREFIX}{project}/{reference.removeprefix(PREFIX)}"
    return reference if reference.startswith(outbound.SECRETS) else PREFIX


def parted(reference: str) -> tuple[str, str] | None:
    """Project and name of a reference of ours as it is opened; None for any other."""
    project, slash, name = reference.removeprefix(PREFIX).rpartition("/")
    if not reference.startswith(PREFIX) or not slash or not project:
        return None
    return project, name


def place_of(url: str) -> str:
    """Where `url` leads, as places are written: `https://host`, with a port that is not usual."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        port, host = parts.port, (parts.hostname or "").lower().rstrip(".")
    except ValueError as error:
        raise BrokenSecret("a place is written https://HOST") from error
    if ":" in host:
        host = f"[{host}]"
    usual = port is None or WEB.get(parts.scheme) == port
    return f"{parts.scheme}://{host}" + ("" if usual else f":{port}")


def checked(name: str, draft: SecretDraft) -> SecretDraft:
    """The draft with its places as they are compared. Raises `BrokenSecret`."""
    if _NAME.fullmatch(name) is None:
        raise BrokenSecret("a name has lower-case letters, digits and hyphens, 63 at most")
    check_value(draft.value)
    return SecretDraft(
        value=draft.value, places=_places(draft.places), description=draft.description[:500]
    )


def check_value(value: str) -> None:
    """Raise `BrokenSecret`, which does not repeat it, for a value that is none."""
    if not value.strip() or len(value) > LONGEST or "\x00" in value:
        raise BrokenSecret(f"a value has 1 to {LONGEST:,} characters")


def _places(given: Iterable[str]) -> tuple[str, ...]:
    found = {_place(one.strip()) for one in given if one.strip()}
    if not 1 <= len(found) <= MOST_PLACES:
        raise BrokenSecret(f"it says where it may go, in {MOST_PLACES} places at most")
    return tuple(sorted(found))


def _place(given: str) -> str:
    scheme, _, rest = given.partition("://")
    if rest == "" and given.endswith("://") and scheme not in WEB and _SCHEME.fullmatch(scheme):
        return f"{scheme}://"
    place = place_of(given)
    if "@" in given or place.endswith("://") or _SCHEME.fullmatch(place.split(":")[0]) is None:
        raise BrokenSecret("a place is written https://HOST, without name or password")
    return place
