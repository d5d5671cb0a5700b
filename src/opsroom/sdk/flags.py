"""A provider for OpenFeature: `prompt/NAME` and `agent/NAME` are flags, and versions their variants.

    from openfeature import api
    from opsroom.openfeature import OpsroomProvider

    api.set_provider(OpsroomProvider())

The targeting key is the subject: who is in the part of a release that gets the new version stays
in it. As text, a prompt is its template and an agent the version that serves (`agent/clerk@7`); as
an object they come with everything about them. Needs `opsroom[openfeature]`.
"""

# ruff: noqa: ARG002  # OpenFeature says what methods take

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import (
    FlagNotFoundError,
    GeneralError,
    InvalidContextError,
    ProviderFatalError,
    ProviderNotReadyError,
    TargetingKeyMissingError,
    TypeMismatchError,
)
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from opsroom.kit.errors import OpsroomError

from . import default, places
from .client import Opsroom
from .errors import RemoteError
from .resolving import CHAMPION, Resolution

PROMPT, AGENT = "prompt", "agent"
NEWS = (
    "label.moved",
    "release.started",
    "release.advanced",
    "release.promoted",
    "release.rolled_back",
    "release.aborted",
)
LOOK_EVERY = 1.0
PATIENCE = 5.0
MOST_WATCHED = 1000
WATCHER = "openfeature-provider"
Data = Sequence[FlagValueType] | Mapping[str, FlagValueType]
T = TypeVar("T")


class OpsroomProvider(AbstractProvider):
    """Flags from one opsroom, by default the one that the environment names.

    Once a second it looks whether anything moved, and says which of the flags that were asked for
    did. While the server is away it serves the last it knows, as stale.
    """

    def __init__(self, client: Opsroom | None = None, *, environment: str = "") -> None:
        super().__init__()
        self._client = client or default()
        self._environment = environment or places.environment()
        self._known: dict[str, tuple[str, str]] = {}
        self._seq = -1
        self._away = False
        self._stop = threading.Event()
        self._watch: threading.Thread | None = None

    def get_metadata(self) -> Metadata:
        return Metadata(name="opsroom")

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Be ready once the server answers.

        Raises `ProviderFatalError` where it refuses us, and `ProviderNotReadyError` where nobody
        answers; flags that are known from before are served even then.
        """
        try:
            self._seq = self._latest()
        except RemoteError as error:
            raise ProviderFatalError(str(error)) from error
        except OpsroomError as error:
            self._away = True
            raise ProviderNotReadyError(str(error)) from error
        finally:
            self._stop.clear()
            self._watch = threading.Thread(
                target=self._look_on, name="opsroom-flags", daemon=True
            )
            self._watch.start()

    def shutdown(self) -> None:
        self._stop.set()
        if self._watch is not None:
            self._watch.join()
            self._watch = None

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        found = self._resolve(flag_key, evaluation_context)
        if "text" in found.value:
            return _details(found, str(found.value["text"]))
        if flag_key.startswith(PROMPT):
            raise TypeMismatchError(f"{flag_key!r} is a chat prompt: ask for it as an object")
        return _details(found, str(found.value["version"]))

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Data,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Data]:
        found = self._resolve(flag_key, evaluation_context)
        return _details(found, found.value)

    async def resolve_string_details_async(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        return await asyncio.to_thread(
            self.resolve_string_details, flag_key, default_value, evaluation_context
        )

    async def resolve_object_details_async(
        self,
        flag_key: str,
        default_value: Data,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Data]:
        return await asyncio.to_thread(
            self.resolve_object_details, flag_key, default_value, evaluation_context
        )

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        _neither(flag_key)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        _neither(flag_key)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        _neither(flag_key)

    def _resolve(
        self, flag: str, context: EvaluationContext | None
    ) -> FlagResolutionDetails[dict[str, Any]]:
        kind, slash, name = flag.partition("/")
        if not slash or kind not in {PROMPT, AGENT}:
            raise FlagNotFoundError(f"{flag!r} is neither prompt/NAME nor agent/NAME")
        subject = (context and context.targeting_key) or ""
        if kind == AGENT and not subject:
            raise TargetingKeyMissingError("who is served by an agent depends on the subject")
        return _asking(lambda: self._found(flag, kind, name, subject))

    def _found(
        self, flag: str, kind: str, name: str, subject: str
    ) -> FlagResolutionDetails[dict[str, Any]]:
        served = None
        if subject:
            served = self._client.resolve(
                name, subject, kind=kind, environment=self._environment
            )
        value: dict[str, Any] = {}
        reason = Reason.STATIC
        if kind == PROMPT:
            number = served.number if served else None
            prompt = self._client.prompt(name, self._environment, number)
            value = {part: said for part, said in prompt.spec.items() if said is not None}
            value["version"] = f"{PROMPT}/{name}@{prompt.version}"
            value["digest"] = prompt.digest
            if served is None:
                reason = {"fresh": reason, "stale": Reason.STALE}.get(
                    prompt.reason, Reason.CACHED
                )
        if served is not None:
            value |= _facts(served)
            reason = _reason(served)
        if reason is not Reason.STALE:
            self._watch_over(flag)
        return FlagResolutionDetails(
            value=value,
            reason=reason,
            variant=str(value["version"]),
            flag_metadata={
                "environment": self._environment,
                "digest": str(value["digest"]),
                **({} if served is None else _facts(served)),
            },
        )

    def _watch_over(self, flag: str) -> None:
        if flag not in self._known and len(self._known) < MOST_WATCHED:
            with suppress(OpsroomError):  # what is known serves, though nobody answers now
                self._known[flag] = self._stands(flag)

    def _stands(self, flag: str) -> tuple[str, str]:
        """The version and the part of a release that somebody who never changes would get."""
        kind, _, name = flag.partition("/")
        try:
            found = self._client.resolve(
                name, WATCHER, kind=kind, environment=self._environment
            )
        except RemoteError as error:
            return error.code, ""
        return found.version, found.arm

    def _latest(self) -> int:
        answer = self._client.ask(
            "/v1/journal/latest", {"event": NEWS}, etag="", timeout=PATIENCE
        )
        return int(answer.body["seq"])

    def _look_on(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                self._look()
            except (OpsroomError, RemoteError) as error:
                if not self._away:
                    self._away = True
                    self.emit_provider_stale(ProviderEventDetails(message=str(error)))

    def _look(self) -> None:
        seq = self._latest()
        if self._away:
            self._away = False
            self.emit_provider_ready(ProviderEventDetails())
        if seq == self._seq:
            return
        stands = {flag: self._stands(flag) for flag in list(self._known)}
        changed = [flag for flag, now in stands.items() if self._known[flag] != now]
        self._known.update(stands)
        self._seq = seq
        if changed:
            self._client.look()  # whoever hears of it and asks gets what is new
            self.emit_provider_configuration_changed(
                ProviderEventDetails(flags_changed=changed)
            )


def _asking(ask: Callable[[], T]) -> T:
    """What is asked, with our errors as those of OpenFeature."""
    try:
        return ask()
    except RemoteError as error:
        match error.status:
            case 404 | 410:
                raise FlagNotFoundError(str(error)) from error
            case 422:
                raise InvalidContextError(str(error)) from error
            case _:
                raise GeneralError(str(error)) from error
    except OpsroomError as error:
        raise GeneralError(str(error)) from error


def _details(found: FlagResolutionDetails[Any], value: T) -> FlagResolutionDetails[T]:
    return FlagResolutionDetails(
        value=value,
        reason=found.reason,
        variant=found.variant,
        flag_metadata=found.flag_metadata,
    )


def _facts(served: Resolution) -> dict[str, Any]:
    """What is known of who serves; what there is none of is left out."""
    facts = {
        "version": served.version,
        "number": served.number,
        "digest": served.digest,
        "arm": served.arm,
        "release": served.release,
        "leg": served.leg,
        "shadow": served.shadow,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _reason(served: Resolution) -> Reason:
    if served.reason == "stale":
        return Reason.STALE
    alone = served.release is None and served.arm == CHAMPION
    return Reason.STATIC if alone else Reason.SPLIT


def _neither(flag: str) -> NoReturn:
    raise TypeMismatchError(f"{flag!r} is a text or an object")
