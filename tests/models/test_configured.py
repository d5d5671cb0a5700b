import asyncio
from pathlib import Path

import pytest

from opsroom.app import Settings
from opsroom.app.models import ConfiguredModels
from opsroom.models import Model, RouteNotMeasured


def test_a_route_is_not_handed_to_the_endpoint_as_a_model(tmp_path: Path) -> None:
    models = ConfiguredModels(Settings(data=tmp_path, model_url="https://models.example/v1"))

    async def found(name: str) -> Model:
        async with models.opened() as find:
            return find(name)

    assert asyncio.run(found("gpt-5-mini"))
    with pytest.raises(RouteNotMeasured, match="route/desk@1"):
        asyncio.run(found("route/desk@1"))
