"""Where one value comes from: the look-ups behind `ground`, strongest first.

Untrusted text can never raise a value. All it can do is cast doubt on one, and name the one
address that a document holds to which the user pointed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from opsroom.contracts.model import ArgumentKind

from .model import Source
from .shapes import Shape, things, whole
from .tape import Place, Reading, Tape, key_of
from .words import name_parts, parts, telling

_ID_WORDS = ("id", "nr", "no", "number", "ref", "reference")
_SHORT_NUMBER = 5  # digits up to which a number is an id only where ids stand
_SHORTEST_DOMAIN = 4
_LINK_WORDS = telling(["link", "url", "website", "site", "webpage", "page", "article", "blog"])


@dataclass(frozen=True, slots=True)
class Found:
    """Where a value comes from. `anchors`: the user's words name it, or the record it stands
    in. `passed_over`: they name another one of the same list.
    """

    source: Source
    because: str
    anchors: bool = False
    passed_over: bool = False


def find(
    value: str, path: str, kind: ArgumentKind, tape: Tape, *, reads: bool = False
) -> Found:
    """Where the value at `path` comes from. `reads`: the call changes nothing."""
    key = key_of(value)
    if not key:
        return Found(Source.MODEL, f"{value!r} says nothing")
    if (by := _said(key, tape)) is not None:
        return Found(Source.USER, f"{value!r} stands in {by}", anchors=True)
    if kind is not ArgumentKind.SECRET and key not in tape.planted:
        found = (
            _recorded(value, key, path, tape)
            or _assembled(value, key, tape)
            or _pointed_at(value, key, tape, reads=reads)
        )
        if found is not None:
            return found
    return _elsewhere(value, key, tape)


def stray_links(text: str, tape: Tape) -> Iterator[str]:
    """Links in the text of a call that come from untrusted prose, and about which the user's
    words say next to nothing.
    """
    for thing in things(text):
        if thing.shape is not Shape.URL:
            continue
        found = find(thing.key, "", ArgumentKind.URL, tape)
        if found.source is Source.UNTRUSTED and not any(
            _worth_opening(thing.key, place, tape, overlap=2)
            for place in tape.written.get(thing.key, ())
        ):
            yield thing.key


def _said(key: str, tape: Tape) -> str | None:
    """Who said it, if it was said whole: no part of an address is an address."""
    for heard, who in (
        (tape.user, "the user's words"),
        (tape.deployer, "the agent's instructions"),
    ):
        if key in heard.things or (heard.says(key) and whole(key) is None):
            return who
    return None


def _recorded(value: str, key: str, path: str, tape: Tape) -> Found | None:
    """What the records say: those first that the user's words lead to."""
    places = [one for one in tape.names.get(key, ()) if _fits(key, path, one)]
    if not places:
        return None
    passed_over, led = False, None
    for place in places:
        reading = tape.readings[place.reading]
        named = reading.named(tape.user)
        if place.record in named:
            words = sorted(tape.user.stems & reading.stems.get(place.record, set()))
            said = ", ".join(words[:4])
            return Found(
                Source.FOLLOWED,
                f"{value!r} stands in a record of {reading.tool} that the user's words name ({said})",
                anchors=True,
            )
        if reading.pointed and not named:
            led = led or reading
        passed_over = passed_over or bool(named)
    tool = tape.readings[places[0].reading].tool
    if led is not None:
        return Found(
            Source.FOLLOWED,
            f"{value!r} stands in what {led.tool} returned for the user's words",
        )
    if _made_of_names(key, tape):
        return Found(
            Source.FOLLOWED,
            f"{value!r}, in a record of {tool}, is a name that was said",
            anchors=True,
        )
    if next(_mentions(key, path, tape), None) is not None:
        return Found(
            Source.UNTRUSTED,
            f"{value!r} stands in a record of {tool}, but a text asks for it, too",
        )
    return Found(
        Source.RECORD,
        f"{value!r} stands in a record of {tool}; the user's words do not lead there",
        passed_over=passed_over and not tape.user.asks.choice,
    )


def _fits(key: str, path: str, place: Place) -> bool:
    """A short number says nothing by itself: 7 is an id only where ids stand."""
    if not (key.isdigit() and len(key) <= _SHORT_NUMBER):
        return True
    theirs = {one for one in name_parts(place.field.rpartition("/")[2]) if one.isalpha()}
    return not theirs or not theirs.isdisjoint(name_parts(path))


def _made_of_names(key: str, tape: Tape) -> bool:
    """Whether an address is made of nothing but names that were said: ada.lovelace@…"""
    local, at, _ = key.partition("@")
    names = telling(one for one in parts(local) if one.isalpha())
    said = names & (tape.user.stems | tape.deployer.stems)
    return bool(at) and bool(names) and names == said and not any(map(str.isdigit, local))


def _assembled(value: str, key: str, tape: Tape) -> Found | None:
    """An address made of nothing but names that were said, before the @ and after it."""
    domain = key.partition("@")[2].rpartition(".")[0]
    if len(domain) < _SHORTEST_DOMAIN or not _made_of_names(key, tape):
        return None
    if domain not in (tape.user.text + tape.deployer.text).replace(" ", ""):
        return None
    return Found(Source.FOLLOWED, f"{value!r} is made of names that were said", anchors=True)


def _mentions(key: str, path: str, tape: Tape) -> Iterator[int]:
    """The answers in whose prose a value is spoken of; a short number, as an id."""
    for place in tape.written.get(key, ()):
        yield place.reading
    short = key.isdigit() and len(key) <= _SHORT_NUMBER
    names = {*name_parts(path), *_ID_WORDS} if short else set[str]()
    for number in tape.quoted(key):
        words = tape.readings[number].words
        if not short or any(f" {name} {key} " in words for name in names):
            yield number


def _pointed_at(value: str, key: str, tape: Tape, *, reads: bool) -> Found | None:
    """The one address or account in a text to which the user pointed, where it is labelled or
    bears a name that the user said; or, only to be read, the one link of a message there.

    Where a text holds two, nobody can say which is meant, and a person chooses.
    """
    thing = whole(key)
    if thing is None:
        return None
    for place in tape.written.get(key, ()):
        reading = tape.readings[place.reading]
        if not reading.pointed:
            continue
        if thing.shape is Shape.URL:
            if reads and reading.structured and _worth_opening(key, place, tape, overlap=1):
                return Found(
                    Source.FOLLOWED,
                    f"{value!r} is the one link in a message that {reading.tool} returned "
                    "for the user's words",
                )
            continue
        named = reading.named(tape.user)
        if reading.structured and named and place.record not in named:
            continue
        rivals = _rivals(thing.shape, place, reading, tape)
        bearing = {one for one in rivals if _bears_name(one, tape)}
        if bearing == {key} or (rivals == {key} and key in reading.labelled):
            return Found(
                Source.FOLLOWED,
                f"{value!r} is the one {thing.shape} in what {reading.tool} returned for the "
                "user's words",
                anchors=True,
            )
    return None


def _rivals(shape: Shape, place: Place, reading: Reading, tape: Tape) -> set[str]:
    return {
        one.key
        for one in reading.written.get(place.record, ())
        if one.shape is shape and one.key not in tape.user.things
    }


def _worth_opening(key: str, place: Place, tape: Tape, *, overlap: int) -> bool:
    """Whether a link is the only one of its message, and the words beside it speak of what the
    user asked about. A link with a query may have been made for this reader alone.
    """
    reading = tape.readings[place.reading]
    if not reading.pointed or not reading.structured or not set("?#@").isdisjoint(key):
        return False
    if _rivals(Shape.URL, place, reading, tape) != {key}:
        return False
    beside = reading.beside.get((place.record, key), set())
    return not _LINK_WORDS.isdisjoint(tape.user.stems) or (
        len(beside & tape.user.stems) >= overlap
    )


def _bears_name(key: str, tape: Tape) -> bool:
    local, at, _ = key.partition("@")
    names = telling(one for one in parts(local) if one.isalpha())
    return bool(at) and not names.isdisjoint(tape.user.stems)


def _elsewhere(value: str, key: str, tape: Tape) -> Found:
    places = tape.written.get(key)
    reading = places[0].reading if places else next(tape.quoted(key), None)
    if reading is not None:
        tool = tape.readings[reading].tool
        return Found(Source.UNTRUSTED, f"{value!r} stands only in text that {tool} returned")
    if key in tape.planted:
        return Found(
            Source.MODEL, f"{value!r} came into the records by a call of the agent itself"
        )
    return Found(Source.MODEL, f"{value!r} stands nowhere; it is the model's own")
