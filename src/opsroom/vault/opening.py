"""Opening a secret at the moment of its use: the only place where a value leaves its seal."""

from collections.abc import Mapping

from opsroom.kit.db import Actor, Database

from . import store
from .errors import SecretMissing
from .model import Opened, from_environment, parted
from .queries import about

SYSTEM = "system:vault"


class Vault:
    """Satisfies `Secrets`. Safe from any thread, outside of transactions."""

    def __init__(self, db: Database, environment: Mapping[str, str] | None = None) -> None:
        self._db = db
        self._environment = from_environment(environment)

    def __call__(self, reference: str) -> Opened:
        """The secret that a reference cites (`within` its project, for one of ours).

        Raises `SecretMissing`, and what the seal raises: who changed its places or its project
        in the database has broken it.
        """
        whose = parted(reference)
        if whose is None:
            return self._environment(reference)
        project, name = whose
        actor = Actor(SYSTEM, project, human=False)
        with self._db.read(actor) as tx:
            found, now, keyring = store.sealed(tx, name), tx.now, tx.keyring
        if found is None:
            raise SecretMissing(f"secret:{name}")
        known, sealed = found
        value = keyring.open(sealed, about=about(project, known))
        if known.last_used_at is None or now - known.last_used_at >= store.MINUTE:
            with self._db.write(actor) as tx:
                store.used(tx, name, at=now)
        return Opened(
            f"secret:{name}", value.decode("utf-8", "surrogatepass"), frozenset(known.places)
        )
