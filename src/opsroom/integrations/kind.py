"""What the registry needs to know about integrations."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import yaml

from opsroom.contracts.checking import checker
from opsroom.kit.addresses import PrivateAddress, check_url
from opsroom.kit.wire import plain
from opsroom.registry import Finding, Kind, Lookup, Severity
from opsroom.vault import is_reference

from .errors import BrokenIntegration, UnsafeTest
from .model import LATEST, SAFE, SOONEST, IntegrationSpec, McpServer, OpenApi, Undescribed

CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


def pin(spec: IntegrationSpec, _lookup: Lookup) -> IntegrationSpec:
    """Refuse what could not be checked, or should not be: addresses that are none, secrets in
    the open, tests that may change something, schemas that are none.
    """
    for url in addresses(spec):
        _readable(url)
    if spec.auth is not None and not is_reference(spec.auth.secret):
        raise BrokenIntegration("it cites its secret as secret:NAME or OPSROOM_SECRET_…")
    if not SOONEST <= spec.every <= LATEST:
        raise BrokenIntegration(
            "it is checked every minute at most, and every 30 days at least"
        )
    names = [one.name for one in spec.tests]
    if len(set(names)) < len(names) or "" in names:
        raise BrokenIntegration("every contract test needs a name of its own")
    for test in spec.tests:
        if test.method not in SAFE and not test.unsafe:
            raise UnsafeTest(test.name, test.method)
        if "://" in test.path or test.path.startswith("//"):
            raise BrokenIntegration(f"the path of {test.name!r} leads to another server")
        if named := CREDENTIALS & {header.lower() for header in test.headers}:
            raise BrokenIntegration(f"{test.name!r} sends {min(named)}: name a secret instead")
        if test.schema is not None:
            checker(test.schema, tool=test.name, place="schema")
    return spec


def addresses(spec: IntegrationSpec) -> list[str]:
    """Every address that a check calls."""
    match spec.source:
        case OpenApi(url=url) | McpServer(url=url):
            return [spec.endpoint, url]
        case Undescribed():
            return [spec.endpoint]


def lint(
    spec: IntegrationSpec, before: IntegrationSpec | None, _lookup: Lookup
) -> Sequence[Finding]:
    return [*_private(spec), *_covering(spec), *_unsafe(spec), *_moving(spec, before)]


def text(spec: IntegrationSpec) -> str:
    """The integration as YAML, one setting a line."""
    return yaml.safe_dump(plain(spec), sort_keys=False, allow_unicode=True, width=88)


def _readable(url: str) -> None:
    """Raise `BadAddress` for what is no address of a server at all. Whether it may be called
    is looked at whenever it is: that depends on where opsroom runs.
    """
    try:
        check_url(url)
    except PrivateAddress:
        return


def _private(spec: IntegrationSpec) -> Iterator[Finding]:
    for url in addresses(spec):
        try:
            check_url(url)
        except PrivateAddress as error:
            yield Finding(
                code="address_not_public",
                severity=Severity.WARNING,
                message=str(error),
                place="endpoint" if url == spec.endpoint else "source.url",
                hint="it is refused unless OPSROOM_ALLOWED_HOSTS names it",
            )


def _covering(spec: IntegrationSpec) -> Iterator[Finding]:
    if isinstance(spec.source, Undescribed) and not spec.tests:
        yield Finding(
            code="nothing_checked",
            severity=Severity.WARNING,
            message="it neither describes itself nor has a contract test: nothing is checked",
            place="source",
            hint="name its OpenAPI document or its MCP server, or record an answer",
        )
    if spec.derive and not isinstance(spec.source, OpenApi):
        yield Finding(
            code="nothing_to_derive",
            severity=Severity.WARNING,
            message="tests can only be derived from an OpenAPI document",
            place="derive",
        )
    for number, test in enumerate(spec.tests):
        if test.schema is None and test.recorded is None:
            yield Finding(
                code="status_only",
                severity=Severity.INFO,
                message=f"{test.name!r} looks at the status alone",
                place=f"tests.{number}",
                hint="add a schema, or the answer as it was recorded",
            )


def _unsafe(spec: IntegrationSpec) -> Iterator[Finding]:
    for number, test in enumerate(spec.tests):
        if test.method not in SAFE:
            yield Finding(
                code="unsafe_test",
                severity=Severity.WARNING,
                message=f"{test.name!r} sends {test.method} at every check",
                place=f"tests.{number}.unsafe",
                hint="point it at something that may be changed every day",
            )


def _moving(spec: IntegrationSpec, before: IntegrationSpec | None) -> Iterator[Finding]:
    """A secret does not follow an endpoint that moves, unless its owner says so again."""
    if before is None or spec.auth is None or before.auth is None:
        return
    was, now = _server(before.endpoint), _server(spec.endpoint)
    if was != now and spec.auth.secret == before.auth.secret:
        yield Finding(
            code="secret_moves",
            severity=Severity.ERROR,
            message=f"the secret {spec.auth.secret} would go to {now}, and went to {was}",
            place="auth.secret",
            hint="use another name for the secret of another server",
        )


def _server(url: str) -> str:
    return urlsplit(url).netloc.lower()


KIND = Kind(
    name="integration",
    shape=IntegrationSpec,
    text=text,
    pin=pin,
    lint=lint,
    newest_counts="unlabelled",
)
