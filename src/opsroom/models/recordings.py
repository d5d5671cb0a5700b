"""Recorded answers, for those who keep and replay them: the open side of this slice's store."""

from .store import add, keep_first, of_subject, variants

__all__ = ["add", "keep_first", "of_subject", "variants"]
