"""What a prompt includes: found once, checked for circles, depth and size.

The result is everything that rendering needs, so that nothing is looked up later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from opsroom.kit.errors import NotFound

from .errors import (
    IncludeCycle,
    IncludeNotDeclared,
    IncludeNotFound,
    IncludeNotText,
    IncludeTooDeep,
    PromptTooLarge,
    VariablesDisagree,
)
from .model import Format, Part, PromptSpec, Syntax, Variable
from .syntax import read_template
from .template import Comparison, Does, Piece, Template, placing
from .text import signature

MAX_DEPTH = 8
MAX_INCLUDED = 200
MAX_EXPANDED = 1024 * 1024

Include = Callable[[str], PromptSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A template that has been read, with the prompt that its own includes are named in."""

    place: str
    template: Template
    includes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A prompt with all that it includes.

    `parts` are its own templates, `included` those it cites by reference. `variables` are the
    ones it takes: its own, and those of its includes that no loop around them fills.
    `expanded` is the length of all literal text when every include is written out once.
    """

    spec: PromptSpec
    parts: tuple[tuple[Part, Unit], ...]
    included: Mapping[str, Unit]
    specs: Mapping[str, PromptSpec]
    variables: Mapping[str, Variable]
    expanded: int

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Where values are compared. Of an include we do not know what it is given: anything."""
        own = [one for _, unit in self.parts for one in unit.template.comparisons]
        if any(unit.template.comparisons for unit in self.included.values()):
            anything = frozenset(self.variables)
            own.append(Comparison(anything, anything, looped=True))
        return tuple(own)

    @property
    def looped(self) -> int:
        """The longest literal text that a loop may repeat."""
        longest = 0
        todo = [(unit, False) for unit in self._units]
        seen: set[str] = set()
        while todo:
            unit, inside = todo.pop()
            for piece in unit.template.pieces:
                if not (inside or piece.repeated):
                    continue
                if piece.does is Does.TEXT:
                    longest = max(longest, len(piece.text))
                elif piece.does is Does.INCLUDE:
                    reference = unit.includes[piece.text]
                    if reference not in seen:
                        seen.add(reference)
                        todo.append((self.included[reference], True))
        return longest

    @property
    def _units(self) -> list[Unit]:
        return [*(unit for _part, unit in self.parts), *self.included.values()]


def nothing_to_include(reference: str) -> PromptSpec:
    """An `include` for prompts that stand alone."""
    raise IncludeNotFound(reference, reference)


def whole(spec: PromptSpec, *, include: Include = nothing_to_include) -> Whole:
    """Read every template of a prompt and of all that it includes, however deep.

    Each reference is asked for once. Raises what is wrong with a template, an include or the
    variables that they share.
    """
    walk = _Walk(include)
    parts = tuple((part, _read(part.place, part.template, spec)) for part in spec.parts)
    depths = _Seen(size=0)
    for _part, unit in parts:
        seen = walk.visit(unit, ())
        depths.size += seen.size
        depths.needs.update(seen.needs)
    if depths.size > MAX_EXPANDED:
        raise PromptTooLarge(
            "the prompt with its includes", depths.size, MAX_EXPANDED, "characters"
        )
    return Whole(
        spec=spec,
        parts=parts,
        included=walk.units,
        specs=walk.specs,
        variables=_merged(spec, depths.needs, walk.specs),
        expanded=depths.size,
    )


@dataclass(slots=True)
class _Seen:
    """What a template comes to with its includes: length, depth, and who needs which variable."""

    size: int
    depth: int = 0
    needs: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])


class _Walk:
    """Goes through includes, each reference once."""

    def __init__(self, include: Include) -> None:
        self._include = include
        self._seen: dict[str, _Seen] = {}
        self.units: dict[str, Unit] = {}
        self.specs: dict[str, PromptSpec] = {}

    def visit(self, unit: Unit, chain: tuple[str, ...]) -> _Seen:
        seen = _Seen(size=0)
        for piece in unit.template.pieces:
            if piece.does is Does.TEXT:
                seen.size += len(piece.text)
            elif piece.does is Does.INCLUDE:
                inner = self._follow(unit, piece.text, chain)
                seen.size += inner.size
                seen.depth = max(seen.depth, inner.depth + 1)
                seen.needs.update(
                    dict.fromkeys(need for need in inner.needs if need[1] not in piece.bound)
                )
        return seen

    def _follow(self, unit: Unit, name: str, chain: tuple[str, ...]) -> _Seen:
        if name not in unit.includes:
            raise IncludeNotDeclared(unit.place, name)
        reference = unit.includes[name]
        if reference in chain:
            raise IncludeCycle(_chain((*chain, reference)))
        known = self._seen.get(reference)
        if len(chain) + 1 + (known.depth if known else 0) > MAX_DEPTH:
            raise IncludeTooDeep(_chain((*chain, reference)), MAX_DEPTH)
        if known is not None:
            return known
        if len(self.units) == MAX_INCLUDED:
            raise PromptTooLarge("includes", MAX_INCLUDED + 1, MAX_INCLUDED, "prompts")
        spec = self._find(reference, chain)
        inner = _read(reference, spec.text or "", spec)
        self.specs[reference], self.units[reference] = spec, inner
        seen = self.visit(inner, (*chain, reference))
        seen.needs.update(dict.fromkeys((reference, name) for name in spec.variables))
        self._seen[reference] = seen
        return seen

    def _find(self, reference: str, chain: tuple[str, ...]) -> PromptSpec:
        try:
            spec = self._include(reference)
        except NotFound as error:
            raise IncludeNotFound(reference, _chain((*chain, reference))) from error
        if spec.format is not Format.TEXT:
            raise IncludeNotText(reference)
        return spec


def _read(place: str, text: str, spec: PromptSpec) -> Unit:
    if spec.syntax is Syntax.LITERAL:
        only = Piece(does=Does.TEXT, line=1, column=1, text=text)
        template = Template(source=placing(text), pieces=(only,), names={})
    else:
        template = read_template(text, place=place)
    return Unit(place=place, template=template, includes=_short(spec.includes))


def _short(includes: Mapping[str, str]) -> dict[str, str]:
    return {name: reference.removeprefix("prompt/") for name, reference in includes.items()}


def _chain(references: tuple[str, ...]) -> str:
    return " → ".join(("this prompt", *references))


def _merged(
    spec: PromptSpec, needs: Mapping[tuple[str, str], None], specs: Mapping[str, PromptSpec]
) -> dict[str, Variable]:
    """The prompt's own variables, and those of its includes where all of them agree."""
    merged = dict(spec.variables)
    owner = dict.fromkeys(merged, "this prompt")
    for reference, name in needs:
        theirs = specs[reference].variables[name]
        if name not in merged:
            merged[name], owner[name] = theirs, reference
        elif merged[name].type is not theirs.type or (
            owner[name] != "this prompt" and merged[name].default != theirs.default
        ):
            raise VariablesDisagree(
                name,
                f"{signature(merged[name])} in {owner[name]}",
                f"{signature(theirs)} in {reference}",
            )
    return merged
