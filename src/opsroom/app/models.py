"""Models that can be asked live: those behind the one endpoint that is configured, and those that
routes lead to.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from opsroom.gateway.completions.door import Around, ModelDoor
from opsroom.models import Find, Model, NoModelConfigured, RouteNotMeasured
from opsroom.models.route import ROUTE
from opsroom.traces.frames import DeadLetter
from opsroom.traces.wire import Stamp

from .providers import LazyProviders
from .runtime import Runtime
from .settings import Settings


class ConfiguredModels:
    """Satisfies `opsroom.models.Models`. Nothing is loaded before a model is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        """Any model by name, at the endpoint of the settings. Raises `RouteNotMeasured` for a route,
        as a manifest may name one: its models answer elsewhere, under other names.
        """
        settings = self._settings
        if not settings.model_url:
            yield _nothing
            return
        from opsroom.engines.openai_compatible import OpenAICompatible  # 0.5 s
        from opsroom.kit import outbound

        # An answer may take long; the engine has a patience of its own, which is shorter.
        limits = outbound.Limits(seconds=120)
        async with outbound.async_client(allow=settings.allowed_hosts, limits=limits) as client:

            def find(name: str) -> Model:
                if name.startswith(ROUTE):
                    raise RouteNotMeasured(name)
                return OpenAICompatible(
                    name,
                    endpoint=settings.model_url,
                    key=settings.model_key or None,
                    client=client,
                    clock=settings.clock,
                )

            yield find


def _nothing(name: str) -> Model:
    raise NoModelConfigured(name)


def model_door(runtime: Runtime, state: Any) -> ModelDoor:
    """The OpenAI-compatible door, with what the application holds for everybody."""
    settings = runtime.settings

    def hand_in(body: bytes, stamp: Stamp, dead: Sequence[DeadLetter]) -> object:
        return state.traces.intake.submit(body, stamp, dead)

    return ModelDoor(
        Around(
            db=runtime.db,
            submit=hand_in,
            keepers=state.keepers,
            tally=state.redactions,
            secrets=runtime.vault,
            serve=state.serve,
            providers=LazyProviders(settings),
            endpoint=settings.model_url,
            key=settings.model_key,
        )
    )
