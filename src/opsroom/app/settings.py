"""What can be set from outside, and where it comes from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from opsroom.access import oidc
from opsroom.access.oidc import Oidc
from opsroom.kit.clock import Clock, FastClock, SystemClock
from opsroom.kit.errors import Invalid
from opsroom.kit.sealing import VARIABLE
from opsroom.web.security import LOOPBACK

HOME = Path(".opsroom")
PORT = 8400
_ORIGIN = re.compile(
    r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?"
)


_HEADER = re.compile(r"[A-Za-z0-9-]+:[ \t]*[!-~]+(?: [!-~]+)*")


@dataclass(eq=False)
class BadSetting(Invalid):
    code = "bad_setting"
    text = "the setting {0.name} cannot be {0.value!r}: {0.why}"
    hint = "correct it in the environment or on the command line; docs/reference/settings.md lists them all"
    name: str
    value: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One installation: its folder, its database, the address it answers at, its clock.

    `hosts` are the names a request may call us by; a name without a port stands for any port.
    `model_url` is an OpenAI-compatible endpoint; `allowed_hosts` (`host:port`) may be called
    although they lie on this machine or in a private network. `executor` names this process
    among those that share a database; what it left undone is taken up under that name.
    `public_url` is where people find the pages, for links in what they are sent.

    Telemetry lies at `telemetry_url` (`clickhouse://…`), or in the installation's folder. It
    is kept for `telemetry_days`, and no more of it than `telemetry_gigabytes`. Metrics are
    sent to `otlp_metrics_url` (`…/v1/metrics`) every minute, where there is one, with
    `otlp_metrics_header` (`Authorization: Bearer …`), and signed checkpoints of the journal to
    `checkpoint_url`.

    What must not lie in the open is sealed by `master_key`, or else by one in the folder.
    Pages of `feedback_origins` (`https://shop.example`) may show the feedback widget.
    People may log in at the identity provider `oidc`, where one is set.
    """

    data: Path = HOME
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = PORT
    hosts: tuple[str, ...] = LOOPBACK
    clock: Clock = field(default_factory=SystemClock)
    model_url: str = ""
    model_key: str = field(default="", repr=False)
    allowed_hosts: tuple[str, ...] = ()
    executor: str = "local"
    public_url: str = ""
    telemetry_url: str = ""
    telemetry_days: int = 30
    telemetry_gigabytes: float = 20.0
    otlp_metrics_url: str = ""
    otlp_metrics_header: str = field(default="", repr=False)
    checkpoint_url: str = ""
    feedback_origins: tuple[str, ...] = ()
    master_key: str = field(default="", repr=False)
    oidc: Oidc | None = None

    @property
    def site(self) -> str:
        """Where people find our pages, for links in what they are sent."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def database(self) -> str:
        """The database's address; without one, SQLite in the installation's folder."""
        return self.database_url or f"sqlite:///{self.data / 'opsroom.db'}"


def from_environment(
    environment: Mapping[str, str],
    *,
    data: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    clock_rate: float | None = None,
) -> Settings:
    """The settings of `environment`; what is passed beside it goes first."""
    named = tuple(name.strip() for name in environment.get("OPSROOM_HOSTS", "").split(","))
    rate = _number(environment, "OPSROOM_CLOCK_RATE") if clock_rate is None else clock_rate
    if rate is not None and rate <= 0:
        raise BadSetting("OPSROOM_CLOCK_RATE", str(rate), "time only runs forward")
    set_port = _number(environment, "OPSROOM_PORT") if port is None else port
    if set_port is not None and not 0 <= set_port <= 65535:
        raise BadSetting("OPSROOM_PORT", str(set_port), "a port lies between 0 and 65535")
    return Settings(
        data=data or Path(environment.get("OPSROOM_HOME") or HOME),
        database_url=environment.get("OPSROOM_DATABASE_URL", ""),
        host=host or environment.get("OPSROOM_HOST") or "127.0.0.1",
        port=PORT if set_port is None else int(set_port),
        hosts=(*LOOPBACK, *filter(None, named)),
        model_url=environment.get("OPSROOM_MODEL_URL", ""),
        model_key=environment.get("OPSROOM_MODEL_KEY", ""),
        allowed_hosts=tuple(
            filter(
                None, environment.get("OPSROOM_ALLOWED_HOSTS", "").replace(" ", "").split(",")
            )
        ),
        executor=environment.get("OPSROOM_EXECUTOR") or "local",
        public_url=environment.get("OPSROOM_PUBLIC_URL", ""),
        telemetry_url=environment.get("OPSROOM_TELEMETRY_URL", ""),
        telemetry_days=int(_positive(environment, "OPSROOM_TELEMETRY_DAYS", 30)),
        telemetry_gigabytes=_positive(environment, "OPSROOM_TELEMETRY_GIGABYTES", 20),
        otlp_metrics_url=_address(environment, "OPSROOM_OTLP_METRICS_URL"),
        otlp_metrics_header=_header(environment, "OPSROOM_OTLP_METRICS_HEADER"),
        checkpoint_url=_address(environment, "OPSROOM_CHECKPOINT_URL"),
        feedback_origins=_origins(environment, "OPSROOM_FEEDBACK_ORIGINS"),
        master_key=environment.get(VARIABLE, ""),
        oidc=oidc.from_environment(environment),
        clock=SystemClock() if rate is None else FastClock(datetime.now(UTC), rate),
    )


def _address(environment: Mapping[str, str], name: str) -> str:
    found = environment.get(name, "")
    if found and not found.startswith(("http://", "https://")):
        raise BadSetting(name, found, "it begins with http:// or https://")
    return found


def _header(environment: Mapping[str, str], name: str) -> str:
    """A header with its value, which is a secret: an error does not repeat it."""
    found = environment.get(name, "").strip()
    if found and _HEADER.fullmatch(found) is None:
        raise BadSetting(name, "…", "it is written `Name: value`, on one line, in ASCII")
    return found


def _origins(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = tuple(filter(None, environment.get(name, "").replace(" ", "").split(",")))
    for one in found:
        if _ORIGIN.fullmatch(one) is None:
            raise BadSetting(name, one, "an origin is https://shop.example, without a path")
    return found


def _positive(environment: Mapping[str, str], name: str, otherwise: float) -> float:
    found = _number(environment, name)
    if found is not None and not 0 < found < 1e6:
        raise BadSetting(name, str(found), "it lies between 0 and a million")
    return otherwise if found is None else found


def _number(environment: Mapping[str, str], name: str) -> float | None:
    text = environment.get(name)
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise BadSetting(name, text, "it is no number") from None
