"""Settings come from the environment, and what is said beside it goes first."""

from pathlib import Path

import pytest

from opsroom.app.settings import BadSetting, from_environment
from opsroom.kit.clock import FastClock, SystemClock


def test_without_anything_said() -> None:
    settings = from_environment({})
    assert (settings.host, settings.port) == ("127.0.0.1", 8400)
    assert settings.database == "sqlite:///.opsroom/opsroom.db"
    assert isinstance(settings.clock, SystemClock)


def test_the_environment_and_what_goes_before_it() -> None:
    environment = {
        "OPSROOM_HOME": "/srv/ops",
        "OPSROOM_DATABASE_URL": "postgresql+psycopg://ops",
        "OPSROOM_PORT": "9000",
        "OPSROOM_HOSTS": "ops.example.com, ops",
        "OPSROOM_CLOCK_RATE": "60",
    }
    settings = from_environment(environment)
    assert (settings.data, settings.port) == (Path("/srv/ops"), 9000)
    assert settings.database == "postgresql+psycopg://ops"
    assert {"ops.example.com", "ops", "127.0.0.1"} <= set(settings.hosts)
    assert isinstance(settings.clock, FastClock)
    assert from_environment(environment, port=0, data=Path("here")).port == 0
    assert from_environment(environment, data=Path("here")).data == Path("here")


@pytest.mark.parametrize(
    "said", ["heron-7f3a91c2", "a b: heron", "a: he\nron", "a:", "ü: heron"]
)
def test_a_header_that_cannot_be_is_not_repeated(said: str) -> None:
    name = "OPSROOM_OTLP_METRICS_HEADER"
    with pytest.raises(BadSetting, match=name) as error:
        from_environment({name: said})
    assert "heron" not in str(error.value)
    right = from_environment({name: " Authorization: Bearer heron "})
    assert right.otlp_metrics_header == "Authorization: Bearer heron"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPSROOM_PORT", "http"),
        ("OPSROOM_PORT", "70000"),
        ("OPSROOM_CLOCK_RATE", "0"),
        ("OPSROOM_CLOCK_RATE", "fast"),
        ("OPSROOM_OTLP_METRICS_URL", "collector:4318"),
    ],
)
def test_a_setting_that_cannot_be(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        from_environment({name: value})
