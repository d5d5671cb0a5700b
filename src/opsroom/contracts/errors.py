from dataclasses import dataclass

from opsroom.kit.errors import Invalid


@dataclass(eq=False)
class BrokenContract(Invalid):
    code = "contract_broken"
    text = "{0.tool!r} does not take this: {0.path} {0.why}"
    hint = "send what the contract's input schema asks for, and nothing beside it"
    tool: str
    path: str
    why: str


@dataclass(eq=False)
class BrokenResult(Invalid):
    code = "result_broken"
    text = "{0.tool!r} answered what its contract does not promise: {0.path} {0.why}"
    hint = "correct the tool, or store a contract whose output schema tells the truth"
    tool: str
    path: str
    why: str


@dataclass(eq=False)
class BadContract(Invalid):
    code = "contract_bad"
    text = "the contract of {0.tool!r} cannot work: {0.place} {0.why}"
    hint = "correct it and store it again"
    tool: str
    place: str
    why: str


@dataclass(eq=False)
class Unreadable(Invalid):
    code = "contract_unreadable"
    text = "no contract can be read from {0.source}: {0.why}"
    hint = "give a file of the format that was named: mcp, openapi, openai or json"
    source: str
    why: str
