"""What the registry needs to know about routes."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import yaml

from opsroom.kit.addresses import PrivateAddress, check_url
from opsroom.kit.wire import plain
from opsroom.registry import Finding, Kind, Lookup, Severity
from opsroom.vault import is_reference

from .errors import BrokenRoute
from .route import (
    LONGEST_KEPT,
    LONGEST_SILENCE,
    LONGEST_WAIT,
    MOST_TARGETS,
    Api,
    RouteSpec,
    Target,
)

HEADERS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection"}
)


def pin(spec: RouteSpec, _lookup: Lookup) -> RouteSpec:
    """Refuse what could not be asked, or would send a key in the open."""
    if not spec.targets or len(spec.everybody) > MOST_TARGETS:
        raise BrokenRoute(f"it names 1 to {MOST_TARGETS} models")
    if not any(one.weight for one in spec.targets) or any(
        not 0 <= one.weight <= 1_000_000 for one in spec.everybody
    ):
        raise BrokenRoute("weights are whole numbers from 0 to a million, and not all are 0")
    for one in spec.everybody:
        _check(one)
    if not 0.1 <= spec.first_byte <= LONGEST_WAIT:
        raise BrokenRoute(f"`first_byte` lies between 0.1 and {LONGEST_WAIT:g} seconds")
    if not 0.1 <= spec.silence <= LONGEST_SILENCE:
        raise BrokenRoute(f"`silence` lies between 0.1 and {LONGEST_SILENCE:g} seconds")
    if not 0 <= spec.repeats <= 5:
        raise BrokenRoute("`repeats` lies between 0 and 5")
    if not 0 <= spec.cache <= LONGEST_KEPT:
        raise BrokenRoute(f"`cache` lies between 0 and {LONGEST_KEPT:g} seconds")
    breaker = spec.breaker
    if not (1 <= breaker.failures <= 1000 and breaker.window > 0 and breaker.cool_down > 0):
        raise BrokenRoute("a breaker counts at least one failure, and its times are positive")
    return spec


def _check(target: Target) -> None:
    if not target.model.strip():
        raise BrokenRoute("every target names its model")
    if target.api is not Api.OPENAI and not target.endpoint:
        raise BrokenRoute(f"a model that speaks {target.api} has an endpoint of its own")
    if target.secret and not is_reference(target.secret):
        raise BrokenRoute("it cites its secret as secret:NAME or OPSROOM_SECRET_…")
    if target.secret and not target.endpoint:
        raise BrokenRoute("a secret belongs to an endpoint; the installation's has its own key")
    header = target.header
    if (
        not header.isascii()
        or not header.replace("-", "").isalnum()
        or header.lower() in HEADERS
    ):
        raise BrokenRoute(f"the header {header!r} cannot carry a key")
    if not target.prefix.isascii() or not target.prefix.isprintable():
        raise BrokenRoute("what stands before a key is ASCII, on one line")
    if target.endpoint:
        parts = urlsplit(target.endpoint)
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise BrokenRoute("an endpoint is an address without query, fragment or password")
        with suppress(PrivateAddress):  # that depends on where opsroom runs
            check_url(target.endpoint)


def lint(spec: RouteSpec, before: RouteSpec | None, _lookup: Lookup) -> Sequence[Finding]:
    findings = [*_open(spec)]
    if before is not None:
        findings += [*_moving(spec, before), *_changed(spec, before)]
    if len(spec.everybody) == 1:
        findings.append(
            Finding(
                code="no_fallback",
                severity=Severity.INFO,
                message=f"nothing takes over when {spec.targets[0].model!r} does not answer",
                place="fallbacks",
            )
        )
    return findings


def _open(spec: RouteSpec) -> Iterator[Finding]:
    for one in spec.everybody:
        if not one.endpoint:
            continue
        try:
            check_url(one.endpoint)
        except PrivateAddress as error:
            yield Finding(
                code="address_not_public",
                severity=Severity.WARNING,
                message=str(error),
                place=one.endpoint,
                hint="it is refused unless OPSROOM_ALLOWED_HOSTS names it",
            )
        else:
            if urlsplit(one.endpoint).scheme != "https":
                yield Finding(
                    code="not_encrypted",
                    severity=Severity.WARNING,
                    message="whoever carries it can read what is asked and answered",
                    place=one.endpoint,
                    hint="use https",
                )


def _moving(spec: RouteSpec, before: RouteSpec) -> Iterator[Finding]:
    """A key does not follow a route to another server, unless its owner says so again."""
    was = {(one.secret, _host(one)) for one in before.everybody}
    known = {secret for secret, _ in was}
    for one in spec.everybody:
        if one.secret in known and one.secret and (one.secret, _host(one)) not in was:
            yield Finding(
                code="secret_moves",
                severity=Severity.ERROR,
                message=f"the key {one.secret} would go to {_host(one)}, where it never went",
                place="secret",
                hint="use another name for the key of another server",
            )


def _changed(spec: RouteSpec, before: RouteSpec) -> Iterator[Finding]:
    was, now = ([one.model for one in side.targets] for side in (before, spec))
    if was != now:
        yield Finding(
            code="model_changed",
            severity=Severity.WARNING,
            message=f"the model changes from {', '.join(was)} to {', '.join(now)}",
            place="targets",
            hint="agents cite exact versions: theirs stay as they are until they cite this one",
        )


def _host(target: Target) -> str:
    return urlsplit(target.endpoint).netloc.lower()


def text(spec: RouteSpec) -> str:
    """The route as YAML, one setting a line."""
    return yaml.safe_dump(plain(spec), sort_keys=False, allow_unicode=True, width=88)


KIND = Kind(name="route", shape=RouteSpec, text=text, pin=pin, lint=lint)
