"""Carrying out actions over HTTP: one request, with the key that makes it happen once.

Where nothing was sent, nothing happened; where something was sent and no whole answer came
back, nobody knows. A refusal (4xx) states that the other side did nothing; its own failure
(5xx) states nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from opsroom.actions.model import Action
from opsroom.actions.ports import Effect
from opsroom.contracts.model import ContractSpec, Http
from opsroom.kit import outbound
from opsroom.kit.errors import OpsroomError
from opsroom.kit.texts import changed
from opsroom.vault import Opened, Secrets, from_environment

MOST = 2**20
MOST_WORDS = 500
IN_QUERY = frozenset({"GET", "DELETE"})
# The other side says of these that it may have begun.
UNSURE = frozenset({408, 409, 425, 429})
_FIELD = re.compile(r"\{([A-Za-z0-9_.-]+)\}")


class HttpExecutor:
    """Satisfies `opsroom.actions.ports.Executor`. `allow` names hosts of one's own; `secrets`
    opens what contracts cite.
    """

    def __init__(self, *, allow: Iterable[str] = (), secrets: Secrets | None = None) -> None:
        self._allow = tuple(allow)
        self._secrets = secrets or from_environment()

    def execute(self, spec: ContractSpec, action: Action, *, timeout: float) -> Effect:
        """Send the request of an action, once."""
        assert isinstance(spec.executor, Http), "this executor is for contracts over HTTP"
        cited = spec.executor.secret
        try:
            secret = self._secrets(cited) if cited else None
            request = _request(spec.executor, action, secret)
        except (ValueError, OpsroomError) as error:
            return Effect(state="not_happened", error=str(error))
        effect = self._sent(request, timeout)
        return effect if secret is None else without(secret, effect)

    def _sent(self, request: dict[str, Any], timeout: float) -> Effect:
        limits = outbound.Limits(size=MOST, seconds=timeout)
        try:
            with outbound.client(allow=self._allow, limits=limits) as client:
                response = client.request(**request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            said = f"no connection: {error}"[:MOST_WORDS]
            return Effect(state="not_happened", reached=False, error=said)
        except outbound.BadAddress as error:
            return Effect(state="not_happened", error=str(error))
        except (httpx2.HTTPError, OpsroomError) as error:
            return Effect(state="unknown", error=f"no answer: {error}"[:MOST_WORDS])
        return effect_of(response)


def without(secret: Opened, effect: Effect) -> Effect:
    """What came of an action, without the secret that went with it."""
    return replace(
        effect, result=changed(effect.result, secret.scrub), error=secret.scrub(effect.error)
    )


def effect_of(response: httpx2.Response) -> Effect:
    """What an answer says of the action."""
    status = response.status_code
    if 200 <= status < 300:
        return Effect(state="happened", result=_content(response))
    said = f"status {status}: {response.text[:MOST_WORDS]}"
    if 300 <= status < 500 and status not in UNSURE:
        return Effect(state="not_happened", error=said)
    return Effect(state="unknown", error=said)


def _request(executor: Http, action: Action, secret: Opened | None) -> dict[str, Any]:
    """Where an action goes and what it carries. Raises `ValueError` for what cannot be sent, and
    `SecretElsewhere` for a secret that may not go there.
    """
    url, left = _filled(executor.url, action.arguments)
    request: dict[str, Any] = {"method": executor.method, "url": url, "headers": {}}
    if executor.method in IN_QUERY:
        request["params"] = {
            name: value for name, value in left.items() if isinstance(value, str | int | float)
        }
    else:
        request["json"] = left
    if action.key and executor.key_header:
        request["headers"][executor.key_header] = action.key
    if secret is not None:
        request["auth"] = secret.at(url)
    return request


def _filled(template: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The address with the arguments it names, and the arguments that are left.

    An argument fills a piece of path or query and nothing else: it is percent-encoded whole,
    and cannot stand in the host or step out of its place.
    """
    parts = urlsplit(template)
    if _FIELD.search(parts.netloc) or _FIELD.search(parts.scheme):
        raise ValueError("an argument may not decide where a request goes")
    used: set[str] = set()

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        if not isinstance(arguments.get(name), str | int | float):
            raise ValueError(f"the address needs {name!r}, and the call does not give it")  # noqa: TRY004
        used.add(name)
        text = str(arguments[name])
        if text in {"", ".", ".."}:
            raise ValueError(f"{name!r} is {text!r}, which would lead elsewhere")
        return quote(text, safe="")

    url = _FIELD.sub(fill, template)
    return url, {name: value for name, value in arguments.items() if name not in used}


def _content(response: httpx2.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        return response.text
