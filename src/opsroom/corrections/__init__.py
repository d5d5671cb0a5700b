"""Corrections: what people's overrides teach, as cases that every later version is put to."""

from .errors import CorrectionMoved, CorrectionNotFound, CorrectionOver
from .model import Correction, State

__all__ = [
    "Correction",
    "CorrectionMoved",
    "CorrectionNotFound",
    "CorrectionOver",
    "State",
]
