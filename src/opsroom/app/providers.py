"""Providers of models, each loaded when one is first asked."""

import asyncio
from collections.abc import Callable

from opsroom.gateway.completions.ports import Incoming, Providers, Sent
from opsroom.models.route import Api

from .settings import Settings


class LazyProviders:
    """Satisfies `opsroom.gateway.completions.ports.Providers`, for whatever a target speaks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[Api, Providers] = {}
        self._making = asyncio.Lock()

    async def send(self, sent: Sent) -> Incoming:
        """The answer of whoever speaks what the target does."""
        api = sent.target.api
        if (found := self._made.get(api)) is None:
            async with self._making:
                if (found := self._made.get(api)) is None:
                    make = await asyncio.to_thread(_maker, api)
                    found = self._made[api] = make(self._settings)
        return await found.send(sent)

    async def close(self) -> None:
        for one in self._made.values():
            await one.close()


def _maker(api: Api) -> Callable[[Settings], Providers]:
    if api is Api.OPENAI:
        from opsroom.engines.openai_upstream import OpenAIUpstream  # noqa: PLC0415

        return lambda settings: OpenAIUpstream(allow=settings.allowed_hosts)
    from opsroom.engines.translated_upstream import TranslatedUpstream  # noqa: PLC0415  # 1 s

    return lambda settings: TranslatedUpstream(settings.clock, allow=settings.allowed_hosts)
