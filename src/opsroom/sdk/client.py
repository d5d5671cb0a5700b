"""The client: the API as method calls, wherever the server is.

Without a server it opens the installation's folder and asks the very same application in
this process, so that every command works before anything is started.
"""

import gzip
import hashlib
import json
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from . import places, sessions
from .errors import NotOpsroom, Unreachable, remote_error
from .uris import asked_for

if TYPE_CHECKING:
    import httpx2

    from .prompts import Prompt, Prompts
    from .reports import Reports
    from .resolving import Resolution, Resolver
    from .spans import Spans

TIMEOUT = 60.0
HERE = "http://localhost"
PACK_FROM = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that may be kept. `body` is None where what `etag` names is still current."""

    body: Any
    etag: str


class Opsroom:
    """A connection to one opsroom; opened by the first request, safe to share between threads.

    Where it leads: `url` or `OPSROOM_URL`; else the server that runs on `data_dir` (or
    `OPSROOM_HOME`, or `./.opsroom`); else that folder itself, opened in this process, and
    with `make` also where there is no installation in it yet. With `person`, whoever has
    logged in at this terminal asks, where a token was not given.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        *,
        timeout: float = TIMEOUT,
        make: bool = False,
        person: bool = False,
    ) -> None:
        self._where = (url, token, data_dir)
        self._make = make
        self._person = person
        self._timeout = timeout
        self._lock = threading.Lock()
        self._http: httpx2.Client | None = None
        self._place: places.Place | None = None
        self._reader: Prompts | None = None
        self._resolver: Resolver | None = None
        self._reports: Reports | None = None
        self._spans: Spans | None = None
        os.register_at_fork(after_in_child=_reset(self))

    @property
    def place(self) -> places.Place:
        """Where this client leads; settled once, at the first use."""
        if self._place is None:
            self._place = places.find(*self._where)
        return self._place

    def get(self, path: str, **query: Any) -> Any:
        """The answer to a question; parameters that are None are left out."""
        return self._ask("GET", path, query=query)

    def post(self, path: str, body: Any = None) -> Any:
        return self._ask("POST", path, body=body)

    def put(self, path: str, body: Any = None) -> Any:
        return self._ask("PUT", path, body=body)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        timeout: float | None = TIMEOUT,
    ) -> Any:
        """Any request, and how many seconds its answer may take (None: as long as it takes)."""
        return self._ask(method, path, query=query, body=body, timeout=timeout)

    def every(self, path: str, cursor: str, **query: Any) -> Iterator[Any]:
        """Every item of a paged list, page by page; `cursor` is the parameter that goes on."""
        while True:
            page = self.get(path, **query)
            yield from page["items"]
            if page["next"] is None:
                return
            query[cursor] = page["next"]

    def ask(self, path: str, query: dict[str, Any], *, etag: str, timeout: float) -> Answer:
        """The answer to a question, unless what `etag` names is still the answer."""
        headers = {"If-None-Match": etag} if etag else {}
        response = self._send("GET", path, query, headers=headers, timeout=timeout)
        if response.status_code == 304:
            return Answer(None, etag)
        return Answer(self._body(response), response.headers.get("ETag", ""))

    def lines(self, path: str) -> Iterator[str]:
        """The lines of a long answer, as they arrive."""
        import httpx2

        try:
            with self.http().stream("GET", path) as response:
                if response.status_code >= 400:
                    response.read()
                    self.refuse(response)
                yield from response.iter_lines()
        except httpx2.HTTPError as error:
            raise Unreachable(self.address, _why(error)) from error

    def http(self) -> "httpx2.Client":
        """The HTTP client underneath, for what has no method here."""
        with self._lock:
            if self._http is None:
                self._http = self._open()
            return self._http

    def prompt(
        self,
        name: str,
        label: str | None = None,
        version: int | None = None,
        fallback: "str | dict[str, Any] | None" = None,
    ) -> "Prompt":
        """A prompt to render; see `opsroom.sdk.prompts`. `name` may be a URI of MLflow."""
        name, label, version = asked_for(name, label, version)
        return self._prompts().prompt(name, label or places.environment(), version, fallback)

    def look(self) -> None:
        """Fetch what moved of the prompts in use now, not only within two seconds."""
        if self._reader is not None:
            self._reader.look()

    def resolve(
        self,
        agent: str,
        subject: str,
        *,
        kind: str = "agent",
        environment: str | None = None,
    ) -> "Resolution":
        """Which version serves `subject`; see `opsroom.sdk.resolving`."""
        environment = environment or places.environment()
        if self._resolver is None:
            from .resolving import Resolver
            from .snapshots import Snapshots, default_folder

            self._resolver = Resolver(self, Snapshots(default_folder()))
        return self._resolver.resolve(kind, agent, subject, environment)

    @property
    def reports(self) -> "Reports":
        """What has to reach the server although it is away; see `opsroom.sdk.reports`."""
        if self._reports is None:
            from .reports import Reports

            with self._lock:
                self._reports = self._reports or Reports(self)
        return self._reports

    @property
    def spans(self) -> "Spans":
        """What was done, on its way to the server; see `opsroom.sdk.spans`."""
        if self._spans is None:
            from .spans import Spans

            with self._lock:
                self._spans = self._spans or Spans(self)
        return self._spans

    def over(self, transport: "httpx2.BaseTransport", headers: dict[str, str]) -> "Opsroom":
        """Another client of the same place, which reaches it in another way or as another."""
        import httpx2

        made = Opsroom(*self._where, timeout=self._timeout)
        made._http = httpx2.Client(
            base_url=HERE,
            headers={**headers, "Accept-Encoding": "identity"},
            timeout=self._timeout,
            transport=transport,
        )
        return made

    def close(self) -> None:
        if self._spans is not None:
            self._spans.close()
            self._spans = None
        if self._reports is not None:
            self._reports.close()
            self._reports = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        with self._lock:
            if self._http is not None:
                self._http.close()
                self._http = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Where this client leads, in words."""
        match self.place:
            case places.Server(url=url):
                return url
            case places.Folder(data=data):
                return str(data)

    @property
    def scope(self) -> str:
        """Names whose answers these are, without giving the token away."""
        match self.place:
            case places.Server(token=str() as token):
                return hashlib.sha256(token.encode()).hexdigest()[:16]
            case _:
                return ""

    def forked(self) -> None:
        """Begin anew in a forked child: connections are the parent's, and threads are gone."""
        self._lock = threading.Lock()
        self._http = None
        if self._reader is not None:
            self._reader.forked()
        if self._reports is not None:
            self._reports.forked()
        if self._spans is not None:
            self._spans.forked()

    def _prompts(self) -> "Prompts":
        if self._reader is None:
            from .prompts import Prompts

            with self._lock:
                self._reader = self._reader or Prompts(self)
        return self._reader

    def _open(self) -> "httpx2.Client":
        import httpx2

        match self.place:
            case places.Server(url=url, token=token):
                return httpx2.Client(
                    base_url=url,
                    headers=self._credential(token, url),
                    timeout=self._timeout,
                    trust_env=False,
                )
            case places.Folder(data=data):
                if not self._make and not places.installed(data):
                    raise Unreachable(
                        str(data), "there is neither a server nor an installation"
                    )
                from .local import open_folder

                transport, token = open_folder(data)
                return httpx2.Client(
                    base_url=HERE,
                    headers={**self._credential(token, HERE), "Accept-Encoding": "identity"},
                    timeout=self._timeout,
                    transport=transport,
                )

    def _credential(self, token: str | None, url: str) -> dict[str, str]:
        """Who asks: the token that was given, the person who logged in, or the folder's token."""
        given = self._where[1] or os.environ.get("OPSROOM_TOKEN")
        if self._person and not given and (secret := sessions.read(self.place.name)):
            return {"Cookie": f"opsroom_session={secret}", "Origin": url}
        token = given or token
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        **rest: Any,
    ) -> Any:
        if body is not None:
            rest |= _content(body)
        return self._body(self._send(method, path, query or {}, **rest))

    def _send(
        self, method: str, path: str, query: dict[str, Any], **rest: Any
    ) -> "httpx2.Response":
        import httpx2

        wanted = {name: value for name, value in query.items() if value is not None}
        try:
            response = self.http().request(method, path, params=wanted, **rest)
        except httpx2.HTTPError as error:
            raise Unreachable(self.address, _why(error)) from error
        if response.status_code >= 400:
            self.refuse(response)
        return response

    def _body(self, response: "httpx2.Response") -> Any:
        if response.status_code == 204 or not response.content:
            return None
        return self._json(response)

    def refuse(self, response: "httpx2.Response") -> None:
        """Raise what an answer of the client underneath says that went wrong."""
        exit_code = response.headers.get("Opsroom-Exit-Code")
        error = remote_error(self._json(response), response.status_code, exit_code)
        if error is None:
            raise NotOpsroom(
                self.address, f"status {response.status_code} without an error of ours"
            )
        raise error

    def _json(self, response: "httpx2.Response") -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise NotOpsroom(self.address, "its answer is no JSON") from error


def _reset(client: Opsroom) -> Callable[[], None]:
    mine = weakref.ref(client)

    def reset() -> None:
        if (alive := mine()) is not None:
            alive.forked()

    return reset


def _content(body: Any) -> dict[str, Any]:
    """A body as JSON, packed where that is worth it."""
    content = json.dumps(body, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json"}
    if len(content) >= PACK_FROM:
        content = gzip.compress(content, 1)
        headers["Content-Encoding"] = "gzip"
    return {"content": content, "headers": headers}


def _why(error: Exception) -> str:
    return str(error).lower() or type(error).__name__
