"""Models that can be asked live: everything behind the one endpoint that is configured."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opsroom.models import Find, Model, NoModelConfigured

from .settings import Settings


class ConfiguredModels:
    """Satisfies `opsroom.models.Models`. Nothing is loaded before a model is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        """Any model by name, at the endpoint of the settings."""
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
