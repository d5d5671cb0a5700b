"""`opsroom agent …` with what stands above agents: their end, and which of them linger."""

from opsroom.agents.cli import agent
from opsroom.sunset.cli import sunset, zombies

agent.add_command(sunset)
agent.add_command(zombies)

__all__ = ["agent"]
