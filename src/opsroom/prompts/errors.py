"""What can go wrong with a prompt on purpose: its shape, its template, its includes, its values."""

from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound, TooLarge


@dataclass(eq=False)
class PromptWrong(Invalid):
    code = "prompt_wrong"
    text = "this is not a usable prompt: {0.place}: {0.why}"
    hint = "correct the field; docs/reference/kinds.md lists the fields of a prompt"
    place: str
    why: str


@dataclass(eq=False)
class PromptTooLarge(TooLarge):
    code = "prompt_too_large"
    text = "{0.place} is {0.size} {0.unit}, and {0.limit} is the most we take"
    hint = "move what varies into variables and what is shared into included prompts"
    place: str
    size: int
    limit: int
    unit: str


@dataclass(eq=False)
class TemplateBroken(Invalid):
    code = "prompt_template_broken"
    text = "{0.place}, line {0.line}, column {0.column}: {0.why}"
    hint = "write {{{{ name }}}} for a value; wrap text that is no template in {{% raw %}} … {{% endraw %}}"
    place: str
    line: int
    column: int
    why: str


@dataclass(eq=False)
class TemplateRefused(Invalid):
    code = "prompt_template_refused"
    text = "{0.place}, line {0.line}, column {0.column}: {0.why}"
    hint = (
        "a prompt chooses and places values; compute them in your program and pass the result"
    )
    place: str
    line: int
    column: int
    why: str


@dataclass(eq=False)
class IncludeNotDeclared(Invalid):
    code = "prompt_include_undeclared"
    text = "{0.place} includes {0.name!r}, which `includes` does not name"
    hint = "add `{0.name}: some-prompt@3` under `includes`"
    place: str
    name: str


@dataclass(eq=False)
class IncludeNotFound(NotFound):
    code = "prompt_include_not_found"
    text = "{0.reference!r} is not there; it is included through {0.chain}"
    hint = "cite a prompt and version that exist, as name@7"
    reference: str
    chain: str


@dataclass(eq=False)
class IncludeCycle(Invalid):
    code = "prompt_include_cycle"
    text = "prompts include each other in a circle: {0.chain}"
    hint = "move what they share into a prompt of its own that includes neither"
    chain: str


@dataclass(eq=False)
class IncludeTooDeep(Invalid):
    code = "prompt_include_too_deep"
    text = "includes are nested deeper than {0.limit}: {0.chain}"
    hint = "include the inner prompts directly"
    chain: str
    limit: int


@dataclass(eq=False)
class IncludeNotText(Invalid):
    code = "prompt_include_not_text"
    text = "{0.reference!r} is a chat prompt, and only text prompts can be included"
    hint = "make the shared part a text prompt"
    reference: str


@dataclass(eq=False)
class VariablesDisagree(Invalid):
    code = "prompt_variables_disagree"
    text = "{0.name!r} is declared in two ways: {0.first} and {0.second}"
    hint = "declare it in the prompt that includes both, or rename one"
    name: str
    first: str
    second: str


@dataclass(eq=False)
class PromptVariableMissing(Invalid):
    code = "prompt_variable_missing"
    text = "no value for {0.listed}"
    hint = "pass every required variable, or give it a default"
    names: list[str]

    @property
    def listed(self) -> str:
        return ", ".join(self.names)


@dataclass(eq=False)
class PromptVariableUnknown(Invalid):
    code = "prompt_variable_unknown"
    text = "the prompt declares no variable {0.listed}"
    hint = "it declares: {0.declared}"
    names: list[str]
    declared: str

    @property
    def listed(self) -> str:
        return ", ".join(self.names)


@dataclass(eq=False)
class PromptVariableWrong(Invalid):
    code = "prompt_variable_wrong"
    text = "the value of {0.name!r} does not fit: {0.why}"
    hint = "pass plain data of the declared type: text, numbers, booleans, lists and objects"
    name: str
    why: str


@dataclass(eq=False)
class PromptValueAbsent(Invalid):
    code = "prompt_value_absent"
    text = "{0.place}, line {0.line}: {0.what} is not in the values given"
    hint = "pass it, or write {{{{ … | default('') }}}} where it may be absent"
    place: str
    line: int
    what: str


@dataclass(eq=False)
class PromptRenderFailed(Invalid):
    code = "prompt_render_failed"
    text = "{0.place} cannot be rendered: {0.why}"
    hint = "compare the template with the values that were passed"
    place: str
    why: str


@dataclass(eq=False)
class PromptTooCostly(TooLarge):
    code = "prompt_too_costly"
    text = "{0.place} was stopped: {0.why}"
    hint = "pass smaller values, or fewer of them; nested loops over long lists are the usual cause"
    place: str
    why: str


@dataclass(eq=False)
class PromptFilesDiffer(Conflict):
    code = "prompt_files_differ"
    text = "{0.file} describes the prompt {0.name!r}, which {0.other} describes already"
    hint = "keep one file for each prompt"
    file: str
    name: str
    other: str


@dataclass(eq=False)
class PromptTwice(Invalid):
    code = "prompt_twice"
    text = "the prompt {0.name!r} is there twice"
    hint = "send each prompt once"
    name: str


@dataclass(eq=False)
class NotForLangfuse(Invalid):
    code = "prompt_not_for_langfuse"
    status = 400
    text = "this prompt would come out otherwise in Langfuse's SDK: {0.place}: {0.why}"
    hint = "read it with opsroom's own SDK, or make a version that only places required values"
    place: str
    why: str


@dataclass(eq=False)
class LabelAndVersion(Invalid):
    code = "prompt_label_and_version"
    status = 400
    text = "both the label {0.label!r} and the version {0.version} are asked for"
    hint = "ask for one of them"
    label: str
    version: int
