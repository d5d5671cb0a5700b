"""Visiting a system: fetching what it says of itself, and sending the contract tests.

Every request goes through the one way out, so addresses, size and time are bounded, and the
secret stays with its own origin. Nothing is judged here and nothing is stored.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import httpx2

from opsroom.kit import outbound
from opsroom.kit.addresses import BadAddress, PrivateAddress
from opsroom.kit.errors import OpsroomError, Unavailable
from opsroom.kit.texts import changed
from opsroom.kit.wire import adapter, plain
from opsroom.vault import Secrets, from_environment, within

from .answers import against_recorded, against_schema, derived, placed
from .differ import Level, ToolFace
from .errors import BadDocument, NoDocument
from .model import (
    ContractTest,
    Fault,
    Found,
    IntegrationSpec,
    McpServer,
    OpenApi,
    TestResult,
    Undescribed,
)
from .reading import read_document

TOOLS = "tools"
MOST_WORDS = 300
DOCUMENT = outbound.Limits(size=16 * 2**20, seconds=30.0)
ANSWER = outbound.Limits(size=2**20, seconds=10.0)
# The first that fits: time-outs are errors of the network, too.
FAULTS: tuple[tuple[tuple[type[Exception], ...], Fault], ...] = (
    ((BadAddress, PrivateAddress), Fault.REFUSED),
    ((outbound.AnswerTooSlow, httpx2.TimeoutException), Fault.TIMEOUT),
    ((outbound.AnswerTooLarge,), Fault.TOO_LARGE),
    ((NoDocument,), Fault.STATUS),
    ((BadDocument,), Fault.SHAPE),
    ((httpx2.HTTPError, OSError, Unavailable), Fault.UNREACHABLE),
)

# What an MCP server at a URL offers, given the name of a secret.
ListTools = Callable[[str, str], Sequence[ToolFace]]


class Prober:
    """Visits integrations. `allow` names hosts of one's own; `tools` asks MCP servers, and
    `secrets` opens what integrations cite.
    """

    def __init__(
        self,
        *,
        tools: ListTools,
        allow: Iterable[str] = (),
        secrets: Secrets | None = None,
        answer: outbound.Limits = ANSWER,
    ) -> None:
        self._tools = tools
        self._allow = tuple(allow)
        self._secrets = secrets or from_environment()
        self._answer = answer

    def visit(self, spec: IntegrationSpec, *, project: str) -> Found:
        """Everything that a check wants to know. Never raises for what the system did."""
        if spec.auth is None:
            return self._found(spec)
        reference = within(spec.auth.secret, project)
        spec = replace(spec, auth=replace(spec.auth, secret=reference))
        found = self._found(spec)
        try:
            scrub = self._secrets(reference).scrub
        except OpsroomError:  # nothing was sent that could come back
            return found
        return adapter(Found).validate_python(changed(plain(found), scrub))

    def _found(self, spec: IntegrationSpec) -> Found:
        document, fault, words = None, None, ""
        try:
            document = self._described(spec)
        except (OpsroomError, httpx2.HTTPError, OSError) as error:
            fault, words = _fault(error), f"what it says of itself: {_said(error)}"
        tests = spec.tests
        if spec.derive and document is not None and isinstance(spec.source, OpenApi):
            tests += placed(derived(document), before="document: ")
        return Found(
            document=document,
            fault=fault,
            words=words,
            tests=tuple(self._tested(spec, one) for one in tests),
        )

    def _described(self, spec: IntegrationSpec) -> dict[str, Any] | None:
        match spec.source:
            case OpenApi(url=url):
                with outbound.client(
                    allow=self._allow, limits=DOCUMENT, follow_redirects=True
                ) as client:
                    response = client.get(url, **self._auth(spec, url))
                if response.status_code != 200:
                    raise NoDocument(url, response.status_code)
                return read_document(response.text)
            case McpServer(url=url):
                belongs = bool(self._auth(spec, url))
                secret = spec.auth.secret if spec.auth is not None and belongs else ""
                found = sorted(self._tools(url, secret), key=lambda one: one.name)
                return {TOOLS: [plain(one) for one in found]}
            case Undescribed():
                return None

    def _tested(self, spec: IntegrationSpec, test: ContractTest) -> TestResult:
        url = spec.endpoint.rstrip("/") + (f"/{test.path.lstrip('/')}" if test.path else "")
        began = time.monotonic()

        def result(*, passed: bool, **rest: Any) -> TestResult:
            seconds = round(time.monotonic() - began, 4)
            request = f"{test.method} {test.path or '/'}"
            return TestResult(
                name=test.name, request=request, passed=passed, seconds=seconds, **rest
            )

        try:
            with outbound.client(allow=self._allow, limits=self._answer) as client:
                response = client.request(
                    test.method,
                    url,
                    params=test.query or None,
                    headers=test.headers,
                    json=test.body,
                    **self._auth(spec, url),
                )
        except (OpsroomError, httpx2.HTTPError, OSError) as error:
            return result(passed=False, fault=_fault(error), words=_said(error))
        status = response.status_code
        if status not in test.status:
            wanted = " or ".join(map(str, test.status))
            words = (
                f"{test.method} {test.path or '/'} answered {status}, and {wanted} was promised"
            )
            return result(passed=False, status=status, fault=Fault.STATUS, words=words)
        return _looked_at(test, response, result)

    def _auth(self, spec: IntegrationSpec, url: str) -> dict[str, Any]:
        """The secret, if the request goes to where it belongs."""
        if spec.auth is None:
            return {}
        if httpx2.URL(spec.endpoint).origin != httpx2.URL(url).origin:
            return {}
        secret = self._secrets(spec.auth.secret)
        return {"auth": secret.at(url, header=spec.auth.header, prefix=spec.auth.prefix)}


def _looked_at(
    test: ContractTest, response: httpx2.Response, result: Callable[..., TestResult]
) -> TestResult:
    """Whether a body is what was promised."""
    status = response.status_code
    if test.schema is None and test.recorded is None:
        return result(passed=True, status=status)
    try:
        body = response.json()
    except ValueError:
        words = f"{test.method} {test.path or '/'} did not answer with JSON"
        return result(passed=False, status=status, fault=Fault.SHAPE, words=words)
    changes = () if test.recorded is None else against_recorded(test, body)
    broken = [one.words for one in changes if one.level is Level.BREAKING]
    words = against_schema(test, body) or next(iter(broken), "")
    if words:
        return result(
            passed=False, status=status, fault=Fault.SHAPE, words=words, changes=changes
        )
    return result(passed=True, status=status, changes=changes)


def _fault(error: Exception) -> Fault:
    return next((fault for kinds, fault in FAULTS if isinstance(error, kinds)), Fault.OTHER)


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:MOST_WORDS]
