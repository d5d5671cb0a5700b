"""Rendering prompts: fast, the same every time, and nothing a template holds is ever executed.

What protects it, in the order in which it is met:

1. syntax.py lets through a small language without calls, assignments or arithmetic;
2. values.py lets through plain data, as copies;
3. the engine has only our filters, a few tests and no functions, and is strict about what is
   not there;
4. what is placed passes our meter, which refuses anything but data, and stops at 1 MB;
5. fuel ends what takes too long. How much there is depends on how long the texts are that
   one step may touch, so that a rendering ends within about 50 ms whatever is in it.

A line that holds only a tag (other than an include) leaves no empty line behind. Every other
character of a template stays as it is, and text is placed as it is: nothing is escaped.

Works where only minijinja and pydantic are installed. Importing it takes some milliseconds,
so a client that may never render imports it when it first does.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from minijinja import Environment, TemplateError

from opsroom.kit.wire import Wire

from .engine import engine_for, translated
from .errors import PromptRenderFailed, PromptTooCostly
from .filters import MAX_OUTPUT, Exhausted, Meter, Unfit
from .includes import Include, Whole, nothing_to_include, whole
from .model import Format, Message, PromptSpec, Syntax
from .template import Comparison
from .values import Bound, bind

FUEL = 50_000
LEAST_FUEL = 64
MAX_LOOPED = 32 * 1024 * 1024
KEPT = 256

# In nanoseconds; measured, and rounded up.
_TIME = 30_000_000  # all steps together
_LOOK_UP = 0.022  # taking a text in hand, for each of its characters
_SEARCH = 1.1  # comparing, searching or slicing a text, for each of its characters
_ENTRY = 60.0  # searching a list, for each of its entries
_STEPS = 3  # one comparison takes at least so many steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered(Wire):
    """A prompt with its values in place: `text`, or `messages` for a chat prompt."""

    format: Format
    text: str | None = None
    messages: tuple[Message, ...] = ()

    def __str__(self) -> str:
        """All of it as one text."""
        if self.format is Format.TEXT:
            return self.text or ""
        return "\n\n".join(message.content for message in self.messages)


class Prepared:
    """A prompt that has been read with all its includes, ready to be rendered many times.

    Safe to use from many threads at once.
    """

    def __init__(self, prompt: Whole) -> None:
        self.prompt = prompt
        self._meter = Meter()
        self._engines: dict[int, Environment] = {}
        looped = prompt.looped
        self._fuel = min(FUEL, MAX_LOOPED // looped) if looped else FUEL
        self._comparisons = prompt.comparisons
        self._engine(self._fuel)

    def render(self, variables: Mapping[str, object]) -> Rendered:
        """The prompt with these values in place.

        Raises `PromptVariableMissing`, `PromptVariableUnknown` and `PromptVariableWrong` for
        values that do not fit, `PromptValueAbsent` where a field of a value is missing, and
        `PromptTooCostly` for what is too long or takes too long.
        """
        spec = self.prompt.spec
        bound = bind(self.prompt.variables, variables)
        if spec.syntax is Syntax.LITERAL:
            texts = [part.template for part, _ in self.prompt.parts]
        else:
            engine = self._engine(self._fuel_for(bound))
            self._meter.start()
            texts = [
                self._render(engine, part.place, bound.values) for part, _ in self.prompt.parts
            ]
        if sum(map(len, texts)) > MAX_OUTPUT:
            raise PromptTooCostly("the prompt", f"it gives more than {MAX_OUTPUT} characters")
        if spec.format is Format.TEXT:
            return Rendered(format=spec.format, text=texts[0])
        return Rendered(
            format=spec.format,
            messages=tuple(
                Message(role=message.role, content=text)
                for message, text in zip(spec.messages, texts, strict=True)
            ),
        )

    def _render(self, engine: Environment, place: str, values: dict[str, Any]) -> str:
        try:
            return engine.render_template(place, **values)
        except Exhausted as stop:
            raise PromptTooCostly(place, stop.why) from stop
        except Unfit as error:
            raise PromptRenderFailed(place, error.why) from error
        except TemplateError as error:
            raise translated(error, place, self.prompt) from error

    def _fuel_for(self, bound: Bound) -> int:
        """Steps that fit into the time, when every one does the most that it can."""
        step = _LOOK_UP * bound.longest
        left = float(_TIME)
        if self._comparisons:
            costs = [(one.looped, _cost(one, bound)) for one in self._comparisons]
            step += max((cost for looped, cost in costs if looped), default=0) / _STEPS
            left -= sum(cost for looped, cost in costs if not looped)
        if step * self._fuel <= left:
            return self._fuel
        if left <= 0:
            return LEAST_FUEL
        # Powers of two, so that there are few engines.
        steps = 1 << int(left / step).bit_length() >> 1
        return min(self._fuel, max(LEAST_FUEL, steps))

    def _engine(self, fuel: int) -> Environment:
        engine = self._engines.get(fuel)
        if engine is None:
            engine = self._engines[fuel] = engine_for(self.prompt, self._meter, fuel)
        return engine


def _cost(comparison: Comparison, bound: Bound) -> float:
    """How long one comparison may take. Both sides are looked at only as far as the shorter."""
    sizes = [bound.whole[name] for name in comparison.whole if name in bound.whole]
    sizes += [bound.within[name] for name in comparison.within if name in bound.within]
    return max((_SEARCH * one.text + _ENTRY * one.entries for one in sizes), default=0.0)


class Kept:
    """The prompts that were prepared last, by the digest of their version.

    Safe to use from many threads at once.
    """

    def __init__(self, size: int = KEPT) -> None:
        self._size = size
        self._lock = Lock()
        self._kept: OrderedDict[str, Prepared] = OrderedDict()

    def prepared(
        self, digest: str, spec: PromptSpec, *, include: Include = nothing_to_include
    ) -> Prepared:
        """The prompt, ready to render.

        Prepared anew when it, or what it includes, is no longer what it was: two projects may
        have equal prompts that include different ones.
        """
        with self._lock:
            found = self._kept.get(digest)
            if found is not None:
                self._kept.move_to_end(digest)
        if found is not None and found.prompt.spec == spec and _same(found.prompt, include):
            return found
        made = prepare(spec, include=include)
        with self._lock:
            self._kept[digest] = made
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return made


def prepare(spec: PromptSpec, *, include: Include = nothing_to_include) -> Prepared:
    """Read a prompt and all that it includes, so that it can be rendered many times.

    Raises what is wrong with its templates, its includes or their variables.
    """
    return Prepared(whole(spec, include=include))


def render(
    spec: PromptSpec,
    variables: Mapping[str, object],
    *,
    include: Include = nothing_to_include,
) -> Rendered:
    """The prompt with these values in place, once; `prepare` it to do so many times."""
    return prepare(spec, include=include).render(variables)


def _same(prompt: Whole, include: Include) -> bool:
    return all(include(reference) == spec for reference, spec in prompt.specs.items())
