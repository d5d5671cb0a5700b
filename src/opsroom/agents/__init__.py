"""Agents: who works here. A manifest is everything an agent runs on, under one digest."""

from .model import AgentSpec, Breaker, ModelRoute

__all__ = ["AgentSpec", "Breaker", "ModelRoute"]
