"""Memory: what an agent decided in similar situations, what came of it, and who disagreed."""

from .model import Memory, Recalled

__all__ = ["Memory", "Recalled"]
