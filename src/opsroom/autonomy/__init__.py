"""Autonomy: how much an agent may do alone, and the switch that stops it."""

from .model import (
    ALL,
    Allowance,
    Envelope,
    Grant,
    Level,
    Record,
    Switch,
    Widening,
    WideningDraft,
    WideningState,
)

__all__ = [
    "ALL",
    "Allowance",
    "Envelope",
    "Grant",
    "Level",
    "Record",
    "Switch",
    "Widening",
    "WideningDraft",
    "WideningState",
]
