"""Opening an installation: made once, found again, never half."""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.postgres import Postgres

from opsroom.access import WrongCredentials
from opsroom.access import commands as access
from opsroom.app import Runtime, Settings, local_token, open_runtime
from opsroom.app.runtime import SYSTEM
from opsroom.kit import sealing, shredding
from opsroom.kit.files import write_private
from opsroom.kit.sealing import SealedByAnother
from opsroom.vault import commands as vault
from opsroom.vault.model import SecretDraft


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A place where nothing is yet."""
    if request.param == "sqlite":
        yield Settings(data=tmp_path / "home")
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(template="template0")
    yield Settings(data=tmp_path / "home", database_url=server.url(name))
    server.drop(name)


def follow(runtime: Runtime, link: str | None) -> str:
    assert link
    with runtime.db.write(SYSTEM) as tx:
        return access.follow_link(tx, link)


def test_the_first_opening_makes_an_administrator(settings: Settings) -> None:
    first = open_runtime(settings)
    second = open_runtime(settings)
    assert second.link is None
    follow(first, first.link)
    with pytest.raises(WrongCredentials):
        follow(second, first.link)
    first.close()
    second.close()


def test_whoever_starts_it_is_greeted_until_there_is_a_password(settings: Settings) -> None:
    open_runtime(settings).close()
    runtime = open_runtime(settings, greet=True)
    follow(runtime, runtime.link)
    with runtime.db.write(SYSTEM) as tx:
        access.set_password(tx, "admin", "correct horse battery")
    runtime.close()
    again = open_runtime(settings, greet=True)
    assert again.link is None
    again.close()


def test_the_local_token_is_kept_and_replaced_when_it_is_revoked(settings: Settings) -> None:
    runtime = open_runtime(settings)
    token = local_token(runtime)
    assert local_token(runtime) == token
    path = settings.data / "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("ops_nonsense")
    fresh = local_token(runtime)
    assert fresh not in {token, "ops_nonsense"}
    with runtime.db.read(SYSTEM) as tx:
        assert access.actor_of_token(tx, fresh).roles == ("admin",)
    runtime.close()


def test_many_open_a_new_installation_at_once(settings: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        runtimes = list(pool.map(lambda _: open_runtime(settings), range(4)))
    assert sum(runtime.link is not None for runtime in runtimes) == 1
    for runtime in runtimes:
        runtime.close()


def test_a_private_file_is_never_half_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    write_private(path, "one")
    path.chmod(0o644)
    write_private(path, "two")
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["secret"]


def test_who_shares_a_database_begins_with_the_key_of_the_first(
    settings: Settings, tmp_path: Path
) -> None:
    """Also where nothing was sealed yet."""
    if not settings.database_url:
        pytest.skip("an embedded database is in the folder of its key")
    open_runtime(settings).close()
    elsewhere = replace(settings, data=tmp_path / "elsewhere")
    with pytest.raises(SealedByAnother):
        open_runtime(elsewhere)
    assert not (elsewhere.data / sealing.FILE).exists()
    key = (settings.data / sealing.FILE).read_text()
    open_runtime(replace(elsewhere, master_key=key)).close()


def test_every_master_key_that_sealed_anything_is_needed(tmp_path: Path) -> None:
    """Those of secrets and of older data keys too, not the newest alone."""
    first, second = sealing.new_key(), sealing.new_key()
    keys = [sealing.written(first), sealing.written(second)]
    settings = Settings(data=tmp_path / "home", master_key=keys[0])
    runtime = open_runtime(settings)
    with runtime.db.write(SYSTEM) as tx:
        vault.put(tx, "erp", SecretDraft(value="v", places=("https://erp.example.com",)))
    runtime.close()
    settings = replace(settings, master_key=",".join(reversed(keys)))
    runtime = open_runtime(settings)
    with runtime.db.write(SYSTEM) as tx:
        shredding.seal(tx, "turn/1", "x")
    runtime.close()
    for one in keys:
        with pytest.raises(SealedByAnother):
            open_runtime(replace(settings, master_key=one))
    with pytest.raises(SealedByAnother):
        open_runtime(replace(settings, master_key=""))
    assert not (settings.data / sealing.FILE).exists()
