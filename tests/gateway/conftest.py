from collections.abc import Iterator

import pytest
from tests.api import api, sqlite_api
from tests.gateway.desk import Desk, house

__all__ = ["api", "sqlite_api"]


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with house(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture
def desk(shared_house: Desk) -> Desk:
    """The door, with a model server behind it, in a project that nobody used before."""
    return shared_house.fresh()
