from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound, Unavailable


@dataclass(eq=False)
class BadDocument(Invalid):
    code = "bad_document"
    text = "this is no OpenAPI document that we can compare: {0.why}"
    hint = "give an OpenAPI 3.0 or 3.1 document as JSON or YAML"
    why: str


@dataclass(eq=False)
class NoDocument(Unavailable):
    code = "no_document"
    text = "{0.url} answered with status {0.answered}"
    hint = "open the address yourself; it has to answer with an OpenAPI document"
    url: str
    answered: int


@dataclass(eq=False)
class UnsafeTest(Invalid):
    code = "unsafe_test"
    text = "the contract test {0.test!r} sends {0.method}, which may change something"
    hint = "use GET, HEAD or OPTIONS, or mark the test `unsafe: true` if it may run every day"
    test: str
    method: str


@dataclass(eq=False)
class BrokenIntegration(Invalid):
    code = "broken_integration"
    text = "this integration cannot be: {0.why}"
    hint = "see docs/how-to/integrations.md"
    why: str


@dataclass(eq=False)
class IntegrationNotFound(NotFound):
    code = "integration_not_found"
    text = "there is no integration {0.name!r} in this project"
    hint = "list what there is with `opsroom integration list`"
    name: str


@dataclass(eq=False)
class NothingToAccept(Conflict):
    code = "nothing_to_accept"
    text = "the integration {0.name!r} promises what it promised before"
    hint = "only changes that a check has found can be accepted"
    name: str


@dataclass(eq=False)
class ChangedAgain(Conflict):
    code = "changed_again"
    text = "the integration {0.name!r} has changed since you looked"
    hint = "look at its changes again, then accept them"
    name: str


@dataclass(eq=False)
class BeingChecked(Conflict):
    code = "being_checked"
    text = "somebody is checking the integration {0.name!r} right now"
    hint = "look at its last run in a few seconds"
    name: str
