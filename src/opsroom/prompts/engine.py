"""minijinja, set up for prompts: only our filters, few tests, no functions, and its errors in our words."""

import re

from minijinja import Environment, TemplateError

from .errors import PromptRenderFailed, PromptTooCostly, PromptValueAbsent, TemplateBroken
from .filters import Meter, filters, placed
from .includes import Whole
from .model import full

_CAUSE = re.compile(r"(?s)(.*) \(in (.+):(\d+)\)\s*\Z")
_PATH = re.compile(r"[\w.\[\]'\"-]+\Z")
# fmt: off
_FOREIGN_TESTS = (
    "containing", "divisibleby", "endingwith", "eq", "equalto", "escaped", "filter", "float",
    "ge", "greaterthan", "gt", "in", "integer", "iterable", "le", "lessthan", "lower", "lt",
    "ne", "safe", "sameas", "startingwith", "test", "upper", "==", "!=", "<", "<=", ">", ">=",
)
_FOREIGN_FILTERS = (
    "attr", "batch", "bool", "center", "chain", "count", "d", "dictsort", "e", "escape",
    "filesizeformat", "format", "groupby", "lines", "list", "lstrip", "map", "max", "min",
    "pprint", "random", "reject", "rejectattr", "rstrip", "safe", "select", "selectattr",
    "slice", "split", "string", "striptags", "sum", "urlencode", "urlize", "wordcount",
    "wordwrap", "xmlattr", "zip",
)
_GLOBALS = ("cycler", "debug", "dict", "joiner", "lipsum", "namespace", "randrange", "range")
# fmt: on


def engine_for(prompt: Whole, meter: Meter, fuel: int) -> Environment:
    """An engine that knows the templates of one prompt, and may take `fuel` steps."""
    names = {part.place: unit.includes for part, unit in prompt.parts}
    names |= {full(reference): unit.includes for reference, unit in prompt.included.items()}
    engine = Environment(
        debug=False,  # or errors would quote values
        fuel=fuel,
        undefined_behavior="strict",
        auto_escape_callback=lambda _name: False,
        path_join_callback=lambda name, parent: full(names[parent][name]),
        keep_trailing_newline=True,
        pycompat=False,  # or texts, lists and objects would have methods
        finalizer=placed(meter),
        filters=filters(meter),
    )
    for name in _FOREIGN_FILTERS:
        engine.remove_filter(name)
    for name in _FOREIGN_TESTS:
        engine.remove_test(name)
    for name in _GLOBALS:
        engine.remove_global(name)
    for part, unit in prompt.parts:
        _add(engine, part.place, unit.template.source)
    for reference, unit in prompt.included.items():
        _add(engine, full(reference), unit.template.source)
    return engine


def _add(engine: Environment, place: str, source: str) -> None:
    try:
        engine.add_template(place, source)
    except TemplateError as error:
        raise TemplateBroken(
            place, error.line or 1, 1, error.detail or error.message
        ) from error


def translated(
    error: TemplateError, place: str, prompt: Whole
) -> PromptTooCostly | PromptValueAbsent | PromptRenderFailed:
    """What the engine says, in our words: the innermost cause, and where it is."""
    last = str(error).strip().rsplit("caused by: ", 1)[-1]
    cause = _CAUSE.match(last)
    why, where, line = (
        (cause.group(1), cause.group(2), int(cause.group(3))) if cause else (last, place, 1)
    )
    if why.startswith("engine ran out of fuel"):
        return PromptTooCostly(where, "it takes too many steps")
    if why.startswith("undefined value"):
        return PromptValueAbsent(where, line, _absent(error, where, line, prompt))
    return PromptRenderFailed(where, f"line {line}: {why}")


def _absent(error: TemplateError, where: str, line: int, prompt: Whole) -> str:
    """The expression that has no value, where the engine tells, or the line it is in."""
    sources = {part.place: unit.template.source for part, unit in prompt.parts}
    sources |= {
        full(reference): unit.template.source for reference, unit in prompt.included.items()
    }
    source = sources.get(where, "")
    if error.kind == "UndefinedError" and error.range is not None:
        upto = source.encode()[: error.range[1]].decode(errors="replace")
        if found := _PATH.search(upto[-200:]):
            return f"`{found.group()}`"
    return f"a value in `{source.splitlines()[line - 1].strip()[:80]}`"
