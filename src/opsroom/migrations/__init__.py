"""Migrations: the shape of the database, step by step.

Every start of opsroom calls `migrate`. All missing steps and their bookkeeping are one
transaction, so a kill at any statement leaves the database as it was, and the next start
does the whole of it; there is nothing to repair and no version to force.
"""

from .errors import DatabaseTooNew
from .upgrade import head, migrate, standing

__all__ = ["DatabaseTooNew", "head", "migrate", "standing"]
