from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Forbidden, Gone


@dataclass(eq=False)
class AgentRetired(Forbidden):
    code = "agent_retired"
    text = "the agent {0.agent!r} was retired and acts no more: {0.reason}"
    hint = "bring it back with `opsroom agent reinstate {0.agent} --reason …`"
    agent: str
    reason: str


@dataclass(eq=False)
class AgentWindingDown(Gone):
    code = "agent_winding_down"
    text = (
        "the agent {0.agent!r} is being ended: it serves {0.share} % of its calls, not this one"
    )
    hint = "{0.instead}"
    agent: str
    share: int
    successor: str

    @property
    def instead(self) -> str:
        if not self.successor:
            return f"nobody takes its work over; see `opsroom agent sunset show {self.agent}`"
        return f"call the agent {self.successor!r} instead"


@dataclass(eq=False)
class NotRetired(Conflict):
    code = "not_retired"
    text = "the agent {0.agent!r} is not retired"
    hint = "there is nothing to undo; see it with `opsroom agent show {0.agent}`"
    agent: str


@dataclass(eq=False)
class AlreadyRetired(Conflict):
    code = "already_retired"
    text = "the agent {0.agent!r} is retired already: {0.reason}"
    hint = "there is nothing left to do; its tokens are dead"
    agent: str
    reason: str


@dataclass(eq=False)
class BrokenManifest(Conflict):
    code = "broken_manifest"
    text = "{0.manifest} cites {0.cited}, which is not what it was when it was pinned"
    hint = "do not act on it; compare the database with a backup, and verify the journal"
    manifest: str
    cited: str
