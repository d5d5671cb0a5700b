"""What every test may ask for: a clock that stands still, people, and fresh databases.

`db` runs a test on both engines; `sqlite_db` is for tests where the engine does not matter.
Every database starts as a copy of one that was migrated once per process.
"""

import gc
import os
import shutil
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings
from tests.keyring import KEYRING
from tests.postgres import TEMPLATE, NoPostgres, Postgres, start

from opsroom.access.model import permissions_of
from opsroom.journal import store as journal_store
from opsroom.kit import faults
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, open_engine
from opsroom.kit.ids import seeded_ids
from opsroom.migrations import migrate

# How long making an input takes says how busy the machine is, and nothing of what is tested.
settings.register_profile(
    "opsroom", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("opsroom")
START = datetime(2026, 11, 20, tzinfo=UTC)
ROOT = Path(__file__).parents[1]


class MakeActor(Protocol):
    """Somebody with these roles; a person unless told otherwise."""

    def __call__(
        self, *roles: str, name: str = ..., project: str = ..., human: bool = ...
    ) -> Actor: ...


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What importing leaves stays until the end: the garbage collector need not walk it again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def make_actor() -> MakeActor:
    def make(
        *roles: str, name: str = "", project: str = "default", human: bool = True
    ) -> Actor:
        name = name or "-".join(("some", *roles))
        return Actor(name, project, permissions_of(roles), roles, human=human)

    return make


@pytest.fixture
def actor(make_actor: MakeActor) -> Actor:
    """An author."""
    return make_actor("author", name="ada")


@pytest.fixture
def admin(make_actor: MakeActor) -> Actor:
    return make_actor("admin", name="root")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The recorded data sets, which are not part of the repository."""
    path = Path(os.environ.get("OPSROOM_DATA") or ROOT.parent / "shared" / "data")
    if not path.is_dir():
        pytest.skip(f"no recorded data at {path}; set OPSROOM_DATA to where it is")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh, migrated database, once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def db(database_url: str, clock: ManualClock) -> Iterator[Database]:
    yield from _opened(database_url, clock)


@pytest.fixture
def sqlite_db(sqlite_url: str, clock: ManualClock) -> Iterator[Database]:
    yield from _opened(sqlite_url, clock)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copyfile(sqlite_template, tmp_path / "opsroom.db")
    return f"sqlite:///{tmp_path / 'opsroom.db'}"


@pytest.fixture
def postgresql_url(postgres: Postgres) -> Iterator[str]:
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "opsroom.db"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server per test process."""
    try:
        with start() as server:
            server.create_template()
            _prepare(server.url(TEMPLATE))
            yield server
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture(autouse=True)
def _no_faults() -> Iterator[None]:
    yield
    faults.disarm()


def _prepare(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()


def _opened(url: str, clock: ManualClock) -> Iterator[Database]:
    engine = open_engine(url)
    yield Database(
        engine,
        clock=clock,
        ids=seeded_ids(clock, 20261120),
        on_commit=journal_store.append,
        keyring=KEYRING,
    )
    engine.dispose()
