"""Agents: who works here. A manifest is everything an agent runs on, under one digest."""

from .errors import AgentRetired
from .model import AgentSpec, Breaker, ModelRoute, model_changed

__all__ = ["AgentRetired", "AgentSpec", "Breaker", "ModelRoute", "model_changed"]
