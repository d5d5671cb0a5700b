from dataclasses import dataclass

from opsroom.kit.errors import Conflict


@dataclass(eq=False)
class DatabaseTooNew(Conflict):
    code = "database_too_new"
    text = "this database has schema {0.found!r}; this opsroom knows schemas up to {0.known!r}"
    hint = "start the newer opsroom again, or restore a backup from before the upgrade; nothing was changed"
    found: str
    known: str
