"""Inbox: what waits for people, and what they say to it."""

from .model import (
    Consumed,
    Override,
    OverrideDraft,
    Request,
    RequestDraft,
    Risk,
    Said,
    Say,
    Settings,
    State,
)

__all__ = [
    "Consumed",
    "Override",
    "OverrideDraft",
    "Request",
    "RequestDraft",
    "Risk",
    "Said",
    "Say",
    "Settings",
    "State",
]
