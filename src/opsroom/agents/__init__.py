"""Agents: who works here. A manifest is everything an agent runs on, under one digest."""

from opsroom.models.route import Breaker

from .errors import AgentRetired, AgentWindingDown
from .model import AgentSpec, Ending, ModelRoute, model_changed

__all__ = [
    "AgentRetired",
    "AgentSpec",
    "AgentWindingDown",
    "Breaker",
    "Ending",
    "ModelRoute",
    "model_changed",
]
