"""The parts of an operation: parameters, bodies, answers and their headers. No I/O."""

from collections.abc import Iterator

from .changes import Change, Level, Move, Seen, Side
from .keywords import at_level, seen
from .schemas import Comparison
from .shapes import Json, listing, mapping, resolved

Placed = tuple[str, Seen]

DEMANDED = "is required now"
OWN_HEADERS = {"accept", "authorization", "content-type"}
STYLE = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}


def said(place: str, one: Seen, operation: str, side: Side) -> Change:
    """A change in its place, as people and programs read it."""
    where = f"{place} {'/'.join(('', *one.steps))}" if one.steps else place
    subject = next((word for word in ("parameter", "header") if f" {word} " in place), "body")
    if one.steps:
        subject = "property" if subject == "body" else f"{subject}_property"
    return Change(
        id=".".join((side.value, *_about(subject, one.about), one.what)),
        level=one.level,
        operation=operation,
        path=where,
        words=f"{where}: {one.words}",
    )


def _about(subject: str, about: str) -> tuple[str, ...]:
    """What the change is about: the whole parameter, header or answer, or a word about it."""
    return (about,) if about in {subject, "status"} else (subject, about)


def _at(place: str, found: tuple[Seen, ...]) -> Iterator[Placed]:
    yield from ((place, one) for one in found)


def parameters(
    comparison: Comparison,
    was: tuple[str, Json, Json],
    now: tuple[str, Json, Json],
    side: Side,
) -> Iterator[Placed]:
    """Parameters by place and name; those of the path by their position in it."""
    had, has = _parameters(was, comparison.before), _parameters(now, comparison.after)
    for key in sorted({*had, *has}):
        old, new = had.get(key), has.get(key)
        shown = new or old or {}
        place = f"request parameter {shown.get('name')} ({key[0]})"
        if new is None:
            says = "is gone"
            yield place, at_level(Level.WARNING, "parameter", "removed", side, says)
        elif old is None:
            must = new.get("required") is True
            level = Level.BREAKING if must and side is Side.REQUEST else Level.COMPATIBLE
            says = "is new and required" if must else "is new"
            yield place, at_level(level, "parameter", "added", side, says)
        else:
            yield from _parameter(comparison, place, old, new, side)


def _parameters(operation: tuple[str, Json, Json], root: Json) -> dict[tuple[str, str], Json]:
    path, item, own = operation
    order = [step.strip("{}") for step in path.split("/") if step.startswith("{")]
    found = dict[tuple[str, str], Json]()
    for value in (*listing(item.get("parameters")), *listing(own.get("parameters"))):
        one, _ = resolved(value, root)
        place, name = str(one.get("in")), str(one.get("name"))
        if place == "header":
            if name.lower() in OWN_HEADERS:
                continue
            name = name.lower()
        elif place == "path" and name in order:
            name = f"{order.index(name):03}"
        found[place, name] = one
    return found


def _parameter(
    comparison: Comparison, place: str, old: Json, new: Json, side: Side
) -> Iterator[Placed]:
    must, must_now = old.get("required") is True, new.get("required") is True
    where = str(new.get("in"))
    if must != must_now and where != "path":
        move = Move.NARROWED if must_now else Move.WIDENED
        says = DEMANDED if must_now else "may be left out now"
        what = "added" if must_now else "dropped"
        yield place, seen("required", move, side, says, what=what)
    if new.get("deprecated") is True and old.get("deprecated") is not True:
        yield (
            place,
            at_level(Level.WARNING, "deprecated", "announced", side, "is deprecated now"),
        )
    style = STYLE.get(where)
    for word, usual in (("style", style), ("explode", style == "form")):
        if old.get(word, usual) != new.get(word, usual):
            says = f"is written in another way ({word} {new.get(word, usual)})"
            yield place, seen("style", Move.CHANGED, side, says)
    if "content" in old or "content" in new:
        yield from _content(comparison, place, old, new, side)
        return
    for one in comparison.schemas(
        old.get("schema", True), new.get("schema", True), side, loose=True
    ):
        yield place, _of_parameter(one, side)


def _of_parameter(one: Seen, side: Side) -> Seen:
    """Parameters are left out all the time, so another default is another call."""
    if one.about != "default" or one.steps or one.level is not Level.WARNING:
        return one
    says = one.words.split(";", maxsplit=1)[0]
    level = Level.BREAKING if side is Side.REQUEST else Level.COMPATIBLE
    return Seen(
        about=one.about,
        what=one.what,
        level=level,
        words=f"{says}; callers that leave it out get something else",
    )


def bodies(comparison: Comparison, was: Json, now: Json, side: Side) -> Iterator[Placed]:
    """What is sent with a request."""
    old, _ = resolved(was.get("requestBody"), comparison.before)
    new, _ = resolved(now.get("requestBody"), comparison.after)
    place = "request body"
    must, must_now = old.get("required") is True, new.get("required") is True
    if old and not new:
        yield place, at_level(Level.WARNING, "presence", "removed", side, "is gone")
        return
    if must != must_now:
        move = Move.NARROWED if must_now else Move.WIDENED
        says = DEMANDED if must_now else "may be left out now"
        what = "added" if must_now else "dropped"
        yield place, seen("required", move, side, says, what=what)
    if not old:
        if new and not must_now:
            yield place, at_level(Level.COMPATIBLE, "presence", "added", side, "is new")
        return
    yield from _content(comparison, place, old, new, side)


def responses(comparison: Comparison, was: Json, now: Json, side: Side) -> Iterator[Placed]:
    """Answers by status, with their bodies and headers."""
    had, has = mapping(was.get("responses")), mapping(now.get("responses"))
    for status in sorted({*map(str, had), *map(str, has)}):
        place = f"response {status}"
        old, _ = resolved(_by_status(had, status), comparison.before)
        new, _ = resolved(_by_status(has, status), comparison.after)
        good = status.startswith(("2", "d"))
        if status not in map(str, has):
            level = Level.BREAKING if good else Level.WARNING
            yield (
                place,
                at_level(level, "status", "removed", side, "is never the answer any more"),
            )
        elif status not in map(str, had):
            level = Level.WARNING if good else Level.COMPATIBLE
            yield place, at_level(level, "status", "added", side, "may be the answer now")
        else:
            yield from _content(comparison, place, old, new, side)
            yield from _headers(comparison, place, old, new, side)


def _by_status(responses: Json, status: str) -> object:
    return next((one for key, one in responses.items() if str(key) == status), None)


def _headers(
    comparison: Comparison, place: str, old: Json, new: Json, side: Side
) -> Iterator[Placed]:
    had = {name.lower(): one for name, one in mapping(old.get("headers")).items()}
    has = {name.lower(): one for name, one in mapping(new.get("headers")).items()}
    for name in sorted({*had, *has}):
        was, _ = resolved(had.get(name), comparison.before)
        now, _ = resolved(has.get(name), comparison.after)
        must, must_now = was.get("required") is True, now.get("required") is True
        where = f"{place} header {name}"
        if name not in has:
            level = Level.BREAKING if must else Level.WARNING
            yield where, at_level(level, "header", "removed", side, "is gone")
        elif name not in had:
            yield where, at_level(Level.COMPATIBLE, "header", "added", side, "is new")
        else:
            if must and not must_now:
                says = "may be missing now"
                yield where, seen("required", Move.WIDENED, side, says, what="dropped")
            yield from _at(
                where,
                comparison.schemas(
                    was.get("schema", True), now.get("schema", True), side, loose=True
                ),
            )


def _content(
    comparison: Comparison, place: str, old: Json, new: Json, side: Side
) -> Iterator[Placed]:
    """Bodies by media type; parameters of a type (`; charset=…`) say nothing here."""
    had, has = _by_media_type(old), _by_media_type(new)
    for media in sorted({*had, *has}):
        if media not in has:
            verb = "accepted" if side is Side.REQUEST else "offered"
            says = f"`{media}` is no longer {verb}"
            yield place, at_level(Level.BREAKING, "media_type", "removed", side, says)
        elif media not in had:
            says = f"`{media}` is possible too"
            yield place, at_level(Level.COMPATIBLE, "media_type", "added", side, says)
        else:
            where = place if media == "application/json" else f"{place} {media}"
            yield from _at(
                where,
                comparison.schemas(
                    had[media].get("schema", True),
                    has[media].get("schema", True),
                    side,
                    loose="json" not in media,
                ),
            )


def _by_media_type(holder: Json) -> dict[str, Json]:
    return {
        name.split(";")[0].strip().lower(): mapping(one)
        for name, one in mapping(holder.get("content")).items()
    }
