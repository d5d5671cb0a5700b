from dataclasses import dataclass

from opsroom.kit.errors import Invalid, NotFound


@dataclass(eq=False)
class BadArguments(Invalid):
    code = "bad_arguments"
    text = "the arguments of {0.tool} are not valid: {0.problem}"
    hint = "list the tools again; each says which arguments it takes"
    tool: str
    problem: str


@dataclass(eq=False)
class NoSuchTool(NotFound):
    code = "no_such_tool"
    text = "there is no tool {0.tool!r} for this token"
    hint = "list the tools; those that propose something take the permission to propose"
    tool: str


@dataclass(eq=False)
class NoSuchPart(NotFound):
    code = "answer_part_not_found"
    text = "the answer has nothing at {0.within!r}"
    hint = "ask without `within` first; `cut` names the parts that were shortened"
    within: str


@dataclass(eq=False)
class DocumentNotFound(NotFound):
    code = "document_not_found"
    text = "there is no page {0.page!r} in the documentation"
    hint = "the pages are listed at /llms.txt"
    page: str
