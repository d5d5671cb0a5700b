"""The command line: noun, then verb. Nothing is imported before it is needed."""

from .main import main

__all__ = ["main"]
