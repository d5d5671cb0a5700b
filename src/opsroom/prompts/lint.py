"""What a careful colleague would remark about a prompt before it ships.

Errors are what cannot work, or must not leave the house; they block a proposal. Warnings are
mostly worth a change, infos worth a thought. Same prompt, same findings, in linear time. How
often each code fires on public prompts is measured in tests/prompts/test_lint_rates.py.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from opsroom.kit.errors import OpsroomError
from opsroom.registry import Finding, Severity

from .fences import exposed
from .includes import Include, Whole, nothing_to_include, whole
from .leaks import leaks
from .model import Part, PromptSpec
from .template import Does
from .tokens import estimate_tokens
from .wording import Kind, signs

MOST_OF_A_KIND = 8
LONG_LINE = 4000
MANY_TOKENS = 8000
CALLS = 1000

_HIDDEN = re.compile(
    "[\u200b\u2060\u2061-\u2064\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
_QUOTE = 140

_WORDING = {
    Kind.RULE: (
        Severity.INFO,
        "a rule the model is only asked to keep",
        "what must hold belongs into a policy; keep here what the model has to explain",
    ),
    Kind.RISK: (
        Severity.WARNING,
        "this sets rules aside, hides the machine, or promises too much",
        "say what the agent should do instead",
    ),
    Kind.PROTECTED: (
        Severity.WARNING,
        "a protected attribute where people are decided about",
        "leave it out, or say that it must not count",
    ),
    Kind.LOADED: (Severity.INFO, "a loaded word for people", "use a plain word"),
}


class _Text:
    """A template as text, with the place of every offset."""

    def __init__(self, part: Part) -> None:
        self.content = part.template
        self._part = part.place
        self._starts = [0, *(end.end() for end in re.finditer("\n", part.template))]

    def place(self, offset: int) -> str:
        line = bisect_right(self._starts, offset)
        return f"{self._part}:{line}:{offset - self._starts[line - 1] + 1}"


def lint(
    spec: PromptSpec,
    *,
    previous: PromptSpec | None = None,
    include: Include = nothing_to_include,
    input_price: Decimal | None = None,
) -> list[Finding]:
    """What there is to say about a prompt, the gravest first, then in the order of the text.

    `previous` is the version it replaces; `input_price` what one token read by its model
    costs, in USD. A prompt whose templates or includes are broken gets that one error.
    """
    try:
        complete = whole(spec, include=include)
    except OpsroomError as error:
        return [_error(error)]
    found = [
        *_of_variables(complete),
        *_of_includes(complete),
        *_of_schema(spec),
        *_of_size(complete, previous, include, input_price),
    ]
    for part, _ in complete.parts:
        text = _Text(part)
        found += [*_of_leaks(text), *_of_hidden(text), *_of_wording(text), *_of_lines(text)]
    found += _of_placing(complete)
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    return sorted(_fewer(found), key=lambda finding: order.index(finding.severity))


def _error(error: OpsroomError) -> Finding:
    told = error.as_dict()
    return Finding(
        code=error.code,
        severity=Severity.ERROR,
        message=str(error),
        place=str(told["facts"].get("place", "")),
        hint=told["hint"],
    )


def _of_variables(prompt: Whole) -> Iterator[Finding]:
    spec = prompt.spec
    units = [unit for _, unit in prompt.parts]
    used = {name for unit in units for name in unit.template.names}
    for unit in units:
        for name, (line, column) in unit.template.names.items():
            if name not in prompt.variables:
                yield Finding(
                    code="variable_undeclared",
                    severity=Severity.ERROR,
                    message=f"{name!r} is used and not declared",
                    place=f"{unit.place}:{line}:{column}",
                    hint=f"declare {name!r} under `variables`, or correct its name",
                )
    for reference, unit in prompt.included.items():
        used |= set(unit.template.names)
        theirs = prompt.specs[reference].variables
        for name in sorted(
            unit.template.names.keys() - theirs.keys() - prompt.variables.keys()
        ):
            yield Finding(
                code="variable_undeclared",
                severity=Severity.ERROR,
                message=f"the included {reference!r} uses {name!r}, which nobody declares",
                place="includes",
                hint=f"declare {name!r} here, or include a version that declares it",
            )
    for name in spec.variables:
        if name not in used:
            yield Finding(
                code="variable_unused",
                severity=Severity.WARNING,
                message=f"{name!r} is declared and never used",
                place=f"variables.{name}",
                hint="remove it, or callers keep passing what nobody reads",
            )


def _of_includes(prompt: Whole) -> Iterator[Finding]:
    used = {
        piece.text
        for _, unit in prompt.parts
        for piece in unit.template.pieces
        if piece.does is Does.INCLUDE
    }
    for name, reference in prompt.spec.includes.items():
        if name not in used:
            yield Finding(
                code="include_unused",
                severity=Severity.WARNING,
                message=f"{reference!r} is named under `includes` and never included",
                place=f"includes.{name}",
                hint=f'write {{% include "{name}" %}} where it belongs, or remove it',
            )
    if not any(part.template.strip() for part, _ in prompt.parts):
        yield Finding(
            code="prompt_empty",
            severity=Severity.ERROR,
            message="the prompt says nothing",
            place=prompt.parts[0][0].place,
            hint="write what the agent should do",
        )


def _of_schema(spec: PromptSpec) -> Iterator[Finding]:
    if spec.output_schema is None:
        return
    try:
        import jsonschema_rs  # noqa: PLC0415  # the light client goes without
    except ModuleNotFoundError:
        yield Finding(
            code="schema_not_checked",
            severity=Severity.INFO,
            message="the output schema was not checked here",
            place="output_schema",
            hint='the server checks it; to do so here, install "opsroom[server]"',
        )
        return
    try:
        jsonschema_rs.Draft202012Validator(spec.output_schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        why = getattr(error, "message", str(error))
        yield Finding(
            code="schema_broken",
            severity=Severity.ERROR,
            message=f"the output schema is no JSON Schema: {_cut(str(why))}",
            place="output_schema",
            hint="correct it; models and validators would each read it differently",
        )


def _of_size(
    prompt: Whole, previous: PromptSpec | None, include: Include, price: Decimal | None
) -> Iterator[Finding]:
    now = _tokens(prompt)
    if now > MANY_TOKENS:
        yield Finding(
            code="prompt_long",
            severity=Severity.INFO,
            message=f"about {now:,} tokens before any value is placed",
            hint="every call pays for them; move reference material into retrieval",
        )
    before = _tokens_before(previous, include)
    if before is None:
        return
    more = now - before
    if abs(more) < 20 or abs(more) * 10 < before:
        return
    share = f" ({more / before:+.0%})" if before else ""
    cost = "" if price is None else f", {_usd(more * CALLS * price)} for {CALLS:,} calls"
    yield Finding(
        code="tokens_changed",
        severity=Severity.WARNING if more >= 200 and more * 2 >= before else Severity.INFO,
        message=f"about {more:+,} tokens{share}{cost}",
        hint="" if more < 0 else "check that what was added is worth it in every call",
    )


def _tokens_before(previous: PromptSpec | None, include: Include) -> int | None:
    if previous is None:
        return None
    try:
        return _tokens(whole(previous, include=include))
    except OpsroomError:
        return None  # it was worse than this one; there is nothing to compare with


def fixed_tokens(spec: PromptSpec, *, include: Include = nothing_to_include) -> int:
    """About how many tokens of a prompt are in every call, whatever is filled in. Raises what
    cannot be read of it.
    """
    return _tokens(whole(spec, include=include))


def _tokens(prompt: Whole) -> int:
    """About how many tokens the literal text has, with every include counted once."""
    units = [*(unit for _, unit in prompt.parts), *prompt.included.values()]
    return sum(
        estimate_tokens(
            "".join(piece.text for piece in unit.template.pieces if piece.does is Does.TEXT)
        )
        for unit in units
    )


def _usd(amount: Decimal) -> str:
    return f"{'−' if amount < 0 else '+'}${abs(amount):,.2f}"


def _of_leaks(text: _Text) -> Iterator[Finding]:
    for leak in leaks(text.content):
        yield Finding(
            code="secret_in_prompt" if leak.secret else "personal_data_in_prompt",
            severity=Severity.ERROR if leak.secret and leak.certain else Severity.WARNING,
            message=f"this looks like {_a(leak.what)}: {leak.shown}",
            place=text.place(leak.offset),
            hint="remove it and replace it where it came from; versions are kept for good"
            if leak.secret
            else "use an invented example; versions are kept for good",
        )


def _of_hidden(text: _Text) -> Iterator[Finding]:
    if found := _HIDDEN.search(text.content):
        yield Finding(
            code="hidden_characters",
            severity=Severity.WARNING,
            message=f"U+{ord(found.group()):04X} is invisible, or turns text around",
            place=text.place(found.start()),
            hint="remove it: a model reads what reviewers cannot see",
        )


def _of_wording(text: _Text) -> Iterator[Finding]:
    for sign in signs(text.content):
        severity, message, hint = _WORDING[sign.kind]
        yield Finding(
            code=sign.kind.value,
            severity=severity,
            message=f"{message} ({sign.words}): “{_cut(sign.sentence)}”",
            place=text.place(sign.offset),
            hint=hint,
        )


def _of_lines(text: _Text) -> Iterator[Finding]:
    offset = 0
    for line in text.content.split("\n"):
        if len(line) > LONG_LINE:
            yield Finding(
                code="line_long",
                severity=Severity.INFO,
                message=f"a line of {len(line):,} characters",
                place=text.place(offset),
                hint="break it into paragraphs, so that reviewers see what changes",
            )
        offset += len(line) + 1


def _of_placing(prompt: Whole) -> Iterator[Finding]:
    for part, unit in prompt.parts:
        for one in exposed(unit.template, prompt.variables, part.role):
            place = f"{part.place}:{one.piece.line}:{one.piece.column}"
            if one.in_system:
                yield Finding(
                    code="untrusted_in_system",
                    severity=Severity.WARNING,
                    message=f"{one.name!r} is untrusted and placed in a system message",
                    place=place,
                    hint="move it into a user message between tags; or, where only your own"
                    " program fills it, say `trust: trusted`",
                )
            else:
                yield Finding(
                    code="untrusted_unfenced",
                    severity=Severity.WARNING,
                    message=f"{one.name!r} is untrusted, and nothing marks where it ends",
                    place=place,
                    hint=f"put it between tags, like <{one.name}>{{{{ {one.name} }}}}</{one.name}>",
                )


def _fewer(found: Iterable[Finding]) -> list[Finding]:
    """At most so many of a kind, and how many more there are: a wall of remarks is not read."""
    counts: Counter[str] = Counter()
    kept: list[Finding] = []
    last: dict[str, int] = {}
    for finding in found:
        counts[finding.code] += 1
        if counts[finding.code] <= MOST_OF_A_KIND:
            last[finding.code] = len(kept)
            kept.append(finding)
    for code, index in last.items():
        if (more := counts[code] - MOST_OF_A_KIND) > 0:
            message = f"{kept[index].message} (and {more} more)"
            kept[index] = replace(kept[index], message=message)
    return kept


def _a(what: str) -> str:
    return f"an {what}" if what[0] in "AEeaio" else f"a {what}"


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTE else f"{text[: _QUOTE - 1]}…"
