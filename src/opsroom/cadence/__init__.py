"""The calendar of operations: what people have to look at again and again, and that they did."""

from .model import Kind, Occasion, Settings, State

__all__ = ["Kind", "Occasion", "Settings", "State"]
