import pytest
from tests.api import Api, api, sqlite_api
from tests.safety.office import Office

from opsroom.kit.clock import ManualClock

__all__ = ["api", "sqlite_api"]


@pytest.fixture
def office(sqlite_api: Api, clock: ManualClock) -> Office:
    """An office where the engine does not matter."""
    return Office(sqlite_api, clock)


@pytest.fixture
def offices(api: Api, clock: ManualClock) -> Office:
    """An office on each engine."""
    return Office(api, clock)
