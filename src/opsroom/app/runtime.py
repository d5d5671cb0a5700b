"""An open installation: its database, migrated, and what everybody shares.

Opening one twice, from two processes, is fine; the first of them ever makes the first
administrator and the one-time link to become them.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from opsroom.access import Role, WrongCredentials
from opsroom.access import commands as access
from opsroom.access import queries as access_queries
from opsroom.access.commands import DEFAULT_PROJECT
from opsroom.journal import store as journal_store
from opsroom.kit import sealing, shredding
from opsroom.kit.db import Actor, Database, Raced, Tx, open_engine
from opsroom.kit.faults import arm_from_environment
from opsroom.kit.files import write_private
from opsroom.kit.ids import TimeIds
from opsroom.migrations import migrate
from opsroom.redactions.commands import secrets_off_the_record, write_counts
from opsroom.registry import Kinds
from opsroom.vault import queries as vault
from opsroom.vault.opening import Vault

from .kinds import KINDS
from .settings import Settings

SYSTEM = Actor("system", DEFAULT_PROJECT, human=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What the application runs on. `link` logs the first person in, once."""

    settings: Settings
    db: Database
    kinds: Kinds
    link: str | None = None

    @property
    def vault(self) -> Vault:
        """Opens the secrets that projects keep here, and those of the environment."""
        return Vault(self.db)

    def close(self) -> None:
        self.db.engine.dispose()


def open_runtime(settings: Settings, *, greet: bool = False) -> Runtime:
    """Open the installation, making or migrating it where that is needed.

    With `greet`, `link` is a fresh one-time link for as long as nobody has set a password.
    Raises `SealedByAnother` where a master key that sealed what is there is not ours, or one
    process that shares the database began with another.
    """
    arm_from_environment()
    if not settings.database_url:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_engine(settings.database)
    try:
        migrate(engine)
        clock = settings.clock
        db = Database(
            engine,
            clock=clock,
            ids=TimeIds(clock),
            on_commit=recorded,
        )
        _unlock(db, settings)
        try:
            link = _first_link(db, greet=greet)
        except Raced:  # another process made the first administrator at this very moment
            link = _first_link(db, greet=greet)
        return Runtime(settings=settings, db=db, kinds=KINDS, link=link)
    except BaseException:
        engine.dispose()
        raise


def _unlock(db: Database, settings: Settings) -> None:
    """Give the database its master key, which has to be the one that everything is sealed by."""
    with db.read(SYSTEM) as tx:
        sealed_by = shredding.sealed_by(tx) | vault.sealed_by(tx)
    environment = {sealing.VARIABLE: settings.master_key}
    db.keyring = sealing.master(environment, settings.data, sealed_by)
    if settings.database_url:  # each of those who share it may have a file of its own
        with db.write(SYSTEM) as tx:
            shredding.settle(tx)


def recorded(tx: Tx) -> None:
    """Put on record what a commit did, without the secrets that somebody wrote into it."""
    secrets_off_the_record(tx)
    write_counts(tx)
    journal_store.append(tx)


def _first_link(db: Database, *, greet: bool) -> str | None:
    with db.write(SYSTEM) as tx:
        link = access.first_run(tx)
        if link is None and greet and not access_queries.anybody_with_password(tx):
            link = access.issue_link(tx, "admin")
        return link


def local_token(runtime: Runtime) -> str:
    """The token of whoever may read the installation's folder, kept in `<data>/token`.

    They could read the database itself, so this gives nothing away; it spares the command
    line a login on the machine where opsroom runs.
    """
    path = runtime.settings.data / "token"
    was = _kept(path)
    if was and _is_ours(runtime, was):
        return was
    with runtime.db.write(replace(SYSTEM, owner="admin")) as tx:
        _, token = access.issue_token(tx, "local", (Role.ADMIN.value,), local=True)
    write_private(path, token)
    return token


def _kept(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _is_ours(runtime: Runtime, text: str) -> bool:
    """Whether a token works, and may let people in as only the folder's own may."""
    try:
        with runtime.db.read(SYSTEM) as tx:
            _, token = access.token_and_actor(tx, text)
    except WrongCredentials:
        return False
    return token.local
