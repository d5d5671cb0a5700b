from dataclasses import dataclass

from opsroom.kit.errors import Forbidden, NotFound


@dataclass(eq=False)
class ToolQuarantined(Forbidden):
    code = "tool_quarantined"
    text = "the tool {0.tool!r} is not what was approved in {0.contract}"
    hint = "look at the difference under /quarantine; approving it is a new contract version"
    tool: str
    contract: str


@dataclass(eq=False)
class QuarantineNotFound(NotFound):
    code = "quarantine_not_found"
    text = "there is nothing in quarantine as {0.quarantine_id!r}"
    quarantine_id: str


@dataclass(eq=False)
class NotTheAgent(Forbidden):
    code = "not_the_agent"
    text = "only a token of the agent {0.agent!r} may speak MCP as it"
    hint = "make one with `opsroom token create NAME --role agent --agent {0.agent}`"
    agent: str
