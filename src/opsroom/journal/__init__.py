"""Journal: the record of everything that changed, which nobody can edit unnoticed.

One row is audit trail, outbox and history at once. Rows form a chain: each hash covers the
previous hash and the whole canonical record, so an edit, a drop, an insert or a reorder
breaks it, and a head kept elsewhere shows a cut-off tail.
"""

from .errors import BadHead, ChainBroken
from .model import Entry, Head, link, verify

__all__ = ["BadHead", "ChainBroken", "Entry", "Head", "link", "verify"]
