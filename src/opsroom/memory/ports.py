"""What an engine may bring: another measure of how alike two situations are."""

from collections.abc import Sequence
from typing import Protocol


class Likeness(Protocol):
    """Compares one context with many: for each a number from 0 to 1.

    Both come as their words in alphabetical order. Without an engine they are compared by
    those; one with embeddings compares by meaning. It orders what was found, no more.
    """

    def __call__(self, context: str, others: Sequence[str]) -> Sequence[float]: ...
