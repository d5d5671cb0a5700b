"""`opsroom policy …` with what needs recorded actions: trying other rules on the past."""

from opsroom.actions.cli import simulate
from opsroom.policies.cli import policy

policy.add_command(simulate)

__all__ = ["policy"]
