"""What changed between two versions of an interface, how bad it is, and in words. No I/O."""

from .changes import Change, Level, Side, worst
from .documents import compare
from .schemas import Comparison
from .tools import ToolFace, compare_tools

__all__ = [
    "Change",
    "Comparison",
    "Level",
    "Side",
    "ToolFace",
    "compare",
    "compare_tools",
    "worst",
]
