"""Prompts for programs: there in microseconds once warm, and there when the server is not.

    memory → server (50 ms, where something else could serve) → signed snapshot → fallback

A thread looks for news once a second, so a label that moved is seen within two. Nothing
raises while anything usable exists; `reason` says what was used.
"""

import threading
import time
import weakref
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from opsroom.kit.canonical import digest
from opsroom.kit.errors import OpsroomError

from .breaker import Breaker
from .errors import RemoteError, Unreachable
from .places import Server
from .snapshots import Snapshots, default_folder
from .texts import Text, brought

if TYPE_CHECKING:
    from .client import Opsroom

Reason = Literal["fresh", "cached", "stale", "fallback"]
Key = tuple[str, str, int | None]

PATIENCE = 0.05
ASK_TIMEOUT = 5.0
LOOK_EVERY = 1.0
OLD_AFTER = 2.5
IDLE_AFTER = 300.0
MOST_FALLBACKS = 1000
NEWS = ("label.moved", "version.created")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt to render: which version it is, and how we came by it.

    `reason` is `fresh` (asked just now), `cached` (known to be current), `stale` (the server
    does not answer; this is the last we know) or `fallback` (what the program brought along;
    then `version` is None).
    """

    name: str
    version: int | None
    digest: str
    reason: Reason
    label: str | None
    _text: Text = field(repr=False, compare=False)

    @property
    def spec(self) -> dict[str, Any]:
        """The prompt as it is written down: format, texts, variables, parameters."""
        return dict(self._text.spec)

    def render(self, **variables: Any) -> str | list[dict[str, str]]:
        """The prompt with these values: a text, or for a chat prompt its messages.

        Raises `PromptVariableMissing` and the other errors of `opsroom.prompts`.
        """
        return self._text.render(variables)


@dataclass(slots=True)
class Held:
    """What is known of one prompt, and when it was last known to be current."""

    prompt: Prompt
    etag: str
    checked: float


class Prompts:
    """The prompts that one client has asked for."""

    def __init__(self, client: "Opsroom", snapshots: Snapshots | None = None) -> None:
        self._client = client
        self._snapshots = snapshots or Snapshots(default_folder())
        self._held: dict[Key, Held] = {}
        self._fallbacks: dict[tuple[Key, str], Prompt] = {}
        self._breaker = Breaker()
        self._used = 0.0
        self._news = -1
        self._lock = threading.Lock()
        self._watch: threading.Thread | None = None
        self._stop = threading.Event()

    def prompt(
        self,
        name: str,
        label: str = "production",
        version: int | None = None,
        fallback: str | dict[str, Any] | None = None,
    ) -> Prompt:
        """The prompt at a label (or one exact version), or `fallback` if nothing else is there.

        `fallback` is a template, or a whole prompt as in a `kind: prompt` file.
        """
        key = (name, label, version)
        now = time.monotonic()
        looked_for = now - self._used < IDLE_AFTER
        self._used = now
        held = self._held.get(key)
        if held is not None and (version is not None or now - held.checked < OLD_AFTER):
            return held.prompt
        if held is not None and looked_for and self._watched():
            return self._hold_stale(key, held)  # the watch is asking already, and waits
        return self._find(key, held, fallback)

    def close(self) -> None:
        """Stop looking for news."""
        self._stop.set()
        with self._lock:
            watch, self._watch = self._watch, None
        if watch is not None:
            watch.join(timeout=ASK_TIMEOUT)

    def forked(self) -> None:
        """Begin anew in a forked child, which has none of our threads and perhaps a held lock."""
        self._lock = threading.Lock()
        self._watch = None

    def _find(
        self, key: Key, held: Held | None, fallback: str | dict[str, Any] | None
    ) -> Prompt:
        spare = held or self._kept(key)
        if spare is not None and key[2] is not None:  # an exact version never changes
            spare.prompt = replace(spare.prompt, reason="cached")
            self._held[key] = spare
            return spare.prompt
        try:
            # A program that has something else to go on with is not kept waiting for long.
            return self._fetch(key, spare, hurry=spare is not None or fallback is not None)
        except (OpsroomError, RemoteError):
            if spare is not None:
                return self._hold_stale(key, spare)
            if fallback is not None:
                return self._fallback(key, fallback)
            raise

    def _fetch(self, key: Key, spare: Held | None, *, hurry: bool) -> Prompt:
        if hurry and self._breaker.open:
            self._start()
            raise Unreachable(self._client.address, "it did not answer lately")
        self._client.http()  # opening it takes its time, which is not the server's
        hurry = hurry and isinstance(self._client.place, Server)
        asked = self._ask_aside(key, spare)
        try:
            return asked.result(PATIENCE if hurry else ASK_TIMEOUT * 2)
        except NotInTime:
            self._breaker.failed()
            raise Unreachable(self._client.address, "it does not answer in time") from None

    def _ask_aside(self, key: Key, spare: Held | None) -> "Future[Prompt]":
        """Ask in a thread of its own, which may go on when nobody waits any more."""
        asked: Future[Prompt] = Future()

        def ask() -> None:
            try:
                asked.set_result(self._ask(key, spare))
            except BaseException as error:  # noqa: BLE001  # whoever waits gets to hear of it
                asked.set_exception(error)

        threading.Thread(target=ask, name="opsroom-prompt", daemon=True).start()
        self._start()
        return asked

    def _ask(self, key: Key, spare: Held | None) -> Prompt:
        """Ask the server, and hold what it says."""
        name, label, version = key
        try:
            answer = self._client.ask(
                f"/v1/prompts/{name}/read",
                {"label": label, "version": version},
                etag=spare.etag if spare else "",
                timeout=ASK_TIMEOUT,
            )
        except Unreachable:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        if answer.body is None and spare is not None:
            fresh = replace(spare.prompt, reason="fresh")
            etag = spare.etag
        else:
            fresh, etag = _prompt(answer.body, "fresh"), answer.etag
            self._snapshots.write(*self._place(key), value={"etag": etag, "read": answer.body})
        self._held[key] = Held(replace(fresh, reason="cached"), etag, time.monotonic())
        return fresh

    def _kept(self, key: Key) -> Held | None:
        """What an earlier process was told, if it left a snapshot."""
        kept = self._snapshots.read(*self._place(key))
        if kept is None:
            return None
        return Held(_prompt(kept["read"], "stale"), str(kept["etag"]), 0.0)

    def _hold_stale(self, key: Key, held: Held) -> Prompt:
        """Go on with the last we know, and ask nobody for a moment; the watch looks on."""
        held.prompt = replace(held.prompt, reason="stale")
        held.checked = time.monotonic()
        self._held[key] = held
        self._start()
        return held.prompt

    def _fallback(self, key: Key, fallback: str | dict[str, Any]) -> Prompt:
        memo = (key, fallback if isinstance(fallback, str) else digest(fallback))
        found = self._fallbacks.get(memo)
        if found is None:
            if len(self._fallbacks) >= MOST_FALLBACKS:
                self._fallbacks.clear()  # somebody makes them up as they go
            text = brought(fallback)
            found = Prompt(key[0], None, text.digest, "fallback", None, text)
            self._fallbacks[memo] = found
        return found

    def _place(self, key: Key) -> tuple[str, ...]:
        name, label, version = key
        return (self._client.address, self._client.scope, name, label, str(version or ""))

    def _watched(self) -> bool:
        return self._watch is not None and self._watch.is_alive()

    def _start(self) -> None:
        """Look for news in the background from now on."""
        with self._lock:
            if not self._watched():
                self._stop.clear()
                watch = threading.Thread(
                    target=_look, args=(weakref.ref(self), self._stop), daemon=True
                )
                watch.start()
                self._watch = watch

    def look(self) -> None:
        """Ask once whether anything moved, and fetch what did."""
        now = time.monotonic()
        if now - self._used > IDLE_AFTER or (self._breaker.open and not self._held):
            return
        try:
            answer = self._client.ask(
                "/v1/journal/latest", {"event": NEWS}, etag="", timeout=ASK_TIMEOUT
            )
        except (OpsroomError, RemoteError) as error:
            if isinstance(error, Unreachable):
                self._breaker.failed()
            for key, held in self._labelled():
                self._hold_stale(key, held)
            return
        self._breaker.succeeded()
        moved = answer.body["seq"] != self._news
        for key, held in self._labelled():
            if moved or held.prompt.reason == "stale":
                self._look_at(key, held)
            else:
                held.checked = now
        self._news = answer.body["seq"]

    def _labelled(self) -> list[tuple[Key, Held]]:
        """What may change: everything but exact versions."""
        return [(key, held) for key, held in list(self._held.items()) if key[2] is None]

    def _look_at(self, key: Key, held: Held) -> None:
        try:
            self._ask(key, held)
        except (OpsroomError, RemoteError):
            self._hold_stale(key, held)


def _prompt(read: Any, reason: Reason) -> Prompt:
    text = Text(read["spec"], read["includes"], read["digest"])
    return Prompt(read["name"], read["number"], read["digest"], reason, read["label"], text)


def _look(prompts: "weakref.ref[Prompts]", stop: threading.Event) -> None:
    while not stop.wait(LOOK_EVERY):
        alive = prompts()
        if alive is None:
            return
        alive.look()
        del alive
