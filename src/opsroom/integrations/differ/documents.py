"""Comparing two OpenAPI documents (3.0, 3.1), operation by operation. No I/O.

Whoever calls is hurt by requests that admit less, whoever reads by answers that admit more.
In webhooks and callbacks the system calls, so there the two change places.
"""

from collections.abc import Iterator

from .changes import Change, Level, Side, hurt
from .parts import bodies, parameters, responses, said
from .schemas import Comparison
from .shapes import Json, listing, mapping, resolved

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


def compare(before: Json, after: Json) -> tuple[Change, ...]:
    """Every change between two documents that somebody who uses the first may notice."""
    comparison = Comparison(before, after)
    found = [
        *_operations(comparison, "paths", swapped=False),
        *_operations(comparison, "webhooks", swapped=True),
        *_servers(before, after),
        *_schemes(before, after),
    ]
    if comparison.stopped:
        found.append(_unfinished())
    return tuple(found)


def operations(
    document: Json, part: str = "paths"
) -> dict[tuple[str, str], tuple[str, Json, Json]]:
    """Every operation by method and path, with parameters of the path written as `{}`."""
    found = dict[tuple[str, str], tuple[str, Json, Json]]()
    for path, value in mapping(document.get(part)).items():
        item, _ = resolved(value, document)
        for method in METHODS:
            if isinstance(item.get(method), dict):
                found[method.upper(), _shape_of(path)] = (path, item, mapping(item[method]))
    return found


def _shape_of(path: str) -> str:
    return "/".join("{}" if step.startswith("{") else step for step in path.split("/"))


def _operations(comparison: Comparison, part: str, *, swapped: bool) -> Iterator[Change]:
    was, now = operations(comparison.before, part), operations(comparison.after, part)
    noun = "webhook" if swapped else "operation"
    for key in sorted({*was, *now}):
        method, _ = key
        if key not in now:
            path, _, operation = was[key]
            name = f"{method} {path}"
            yield _gone(noun, name, operation)
        elif key not in was:
            name = f"{method} {now[key][0]}"
            yield _change(f"{noun}.added", Level.COMPATIBLE, name, "", f"{name} is new")
        else:
            name = f"{method} {now[key][0]}"
            yield from _inside(comparison, name, was[key], now[key], swapped=swapped)


def _gone(noun: str, name: str, operation: Json) -> Change:
    """A removed operation breaks its callers, however long ago it was announced."""
    told = ""
    if operation.get("deprecated") is True:
        sunset = operation.get("x-sunset")
        told = f", deprecated before with {sunset} as its end" if sunset else (
            ", deprecated before"
        )  # fmt: skip
    who = "whoever calls it gets an error" if noun == "operation" else (
        "whoever waits for it hears nothing any more"
    )  # fmt: skip
    return _change(f"{noun}.removed", Level.BREAKING, name, "", f"{name} is gone{told}; {who}")


def _inside(
    comparison: Comparison,
    name: str,
    was: tuple[str, Json, Json],
    now: tuple[str, Json, Json],
    *,
    swapped: bool,
) -> Iterator[Change]:
    request, response = Side.REQUEST, Side.RESPONSE
    if swapped:
        request, response = response, request
    yield from _standing(name, was[2], now[2])
    yield from _security(name, comparison, was[2], now[2])
    asked = (
        *parameters(comparison, was, now, request),
        *bodies(comparison, was[2], now[2], request),
    )
    answered = responses(comparison, was[2], now[2], response)
    yield from (said(place, one, name, request) for place, one in asked)
    yield from (said(place, one, name, response) for place, one in answered)
    yield from _callbacks(comparison, name, was[2], now[2])


def _callbacks(comparison: Comparison, name: str, was: Json, now: Json) -> Iterator[Change]:
    """What the system calls back, in the same way as its webhooks."""
    had, has = mapping(was.get("callbacks")), mapping(now.get("callbacks"))
    for callback in sorted({*had, *has}):
        old, _ = resolved(had.get(callback), comparison.before)
        new, _ = resolved(has.get(callback), comparison.after)
        inner = Comparison(
            {**comparison.before, "paths": old}, {**comparison.after, "paths": new}
        )
        for one in _operations(inner, "paths", swapped=True):
            yield _change(
                f"callback.{one.id}",
                one.level,
                name,
                f"callback {callback} {one.path}",
                one.words,
            )


def _standing(name: str, was: Json, now: Json) -> Iterator[Change]:
    """Announcements: deprecation, its end, and an end that came nearer."""
    sunset, sunset_now = was.get("x-sunset"), now.get("x-sunset")
    if now.get("deprecated") is True and was.get("deprecated") is not True:
        until = f", and ends on {sunset_now}" if sunset_now else ""
        words = f"{name} is deprecated now{until}; callers should move away"
        yield _change("operation.deprecated", Level.WARNING, name, "", words)
    elif sunset != sunset_now:
        words = f"{name} ends on {sunset_now or 'an unknown day'} now, on {sunset or 'no day'} before"
        yield _change("operation.sunset_moved", Level.WARNING, name, "", words)


def _security(name: str, comparison: Comparison, was: Json, now: Json) -> Iterator[Change]:
    """Security is a choice between demands. Callers lose if theirs is no longer among them."""
    had = _choices(was.get("security", comparison.before.get("security")))
    has = _choices(now.get("security", comparison.after.get("security")))
    lost = [one for one in had if not any(_met(other, one) for other in has)]
    for one in lost:
        words = f"{_demand(one)} is no longer enough to call {name}; callers that have it are refused"
        yield _change("security.removed", Level.BREAKING, name, "security", words)
    for one in has:
        if one not in had and not lost:
            words = f"{_demand(one)} is enough to call {name} now; nobody has to change"
            yield _change("security.added", Level.COMPATIBLE, name, "security", words)


_Demand = tuple[tuple[str, frozenset[str]], ...]


def _choices(value: object) -> list[_Demand]:
    """The alternatives; nothing asked for is one alternative that asks for nothing."""
    found = [
        tuple(
            sorted(
                (
                    (scheme, frozenset(map(str, listing(scopes))))
                    for scheme, scopes in one.items()
                ),
                key=lambda each: each[0],
            )
        )
        for one in map(mapping, listing(value))
    ]
    return found or [()]


def _met(demand: _Demand, held: _Demand) -> bool:
    """Whether somebody who could satisfy `held` satisfies `demand`."""
    schemes = dict(held)
    return all(scheme in schemes and scopes <= schemes[scheme] for scheme, scopes in demand)


def _demand(one: _Demand) -> str:
    if not one:
        return "no credential"
    return " and ".join(
        f"`{scheme}`" + (f" with {', '.join(sorted(scopes))}" if scopes else "")
        for scheme, scopes in one
    )


def _servers(before: Json, after: Json) -> Iterator[Change]:
    was, now = (
        {str(mapping(one).get("url")) for one in listing(each.get("servers"))}
        for each in (before, after)
    )
    for url in sorted(was - now) if now else ():
        words = f"the server {url} is no longer named; callers that use it may have to move"
        yield _change("server.removed", Level.WARNING, "", "servers", words)


def _schemes(before: Json, after: Json) -> Iterator[Change]:
    """Ways to prove who calls, and what each of them means."""
    was, now = (
        mapping(mapping(each.get("components")).get("securitySchemes"))
        for each in (before, after)
    )
    for scheme in sorted({*was, *now}):
        path = f"security scheme {scheme}"
        if scheme not in now or scheme not in was:
            word = "added" if scheme in now else "removed"
            words = f"the security scheme `{scheme}` was {word}; operations say who needs it"
            yield _change(f"security_scheme.{word}", Level.COMPATIBLE, "", path, words)
            continue
        old, new = resolved(was[scheme], before)[0], resolved(now[scheme], after)[0]
        moved = [
            one for one in ("type", "scheme", "in", "name") if old.get(one) != new.get(one)
        ]
        for one in moved:
            words = (
                f"the security scheme `{scheme}` has {one} {new.get(one)!r} now, {old.get(one)!r}"
                f" before; {hurt(Level.BREAKING, Side.REQUEST)}"
            )
            yield _change("security_scheme.changed", Level.BREAKING, "", path, words)


def _change(name: str, level: Level, operation: str, path: str, words: str) -> Change:
    return Change(id=name, level=level, operation=operation, path=path, words=words)


def _unfinished() -> Change:
    words = "the documents are too large or too entangled to be compared to the end"
    return _change("document.unfinished", Level.WARNING, "", "", words)
