"""What stands between the braces: which values it uses, and that it only chooses among them.

The reader follows the grammar of the engine, so that what is let through is also understood,
and in the same way. It refuses calls, arithmetic, lists of values and names of Python's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .lexer import Cursor
from .model import RESERVED
from .template import CONSTANTS, FILTERS, MAX_NESTING, MAX_STEPS, TESTS, Comparison

_AFTER_TEST = frozenset({"and", "or", "else", "is"})
_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})


@dataclass(slots=True)
class Expression:
    """What an expression uses: all its variables, and the filters it ends with.

    `within` says whether it is a part of a value; `literal` whether it uses none at all.
    """

    sources: set[str] = field(default_factory=set[str])
    filters: tuple[str, ...] = ()
    literal: bool = True
    within: bool = False

    def join(self, other: "Expression") -> None:
        self.sources |= other.sources
        self.filters = ()
        self.literal &= other.literal
        self.within &= other.within


class ExpressionReader(Cursor):
    """Reads one expression after another, and keeps what they use.

    `scopes` are the loop variables in sight, innermost last, with what each comes from.
    """

    def __init__(self, source: str, place: str) -> None:
        super().__init__(source, place)
        self.scopes: list[Mapping[str, frozenset[str]]] = []
        self.names: dict[str, tuple[int, int]] = {}
        self.comparisons: list[Comparison] = []
        self.steps = 0
        self._depth = 0

    def expression(self) -> Expression:
        """`a if b else c`, or without the condition."""
        self._deeper()
        found = self.alternative()
        if self.at("name", "if"):
            self.advance()
            condition = self.alternative()
            found.literal &= condition.literal
            if self.at("name", "else"):
                self.advance()
                found.join(self.expression())
        self._depth -= 1
        return found

    def alternative(self) -> Expression:
        """Operands with `and`, `or`, `not`, `in`, `is` and comparisons between them."""
        found = self._negated()
        while True:
            self._step()
            if self.at("name", "is"):
                self._test()
            elif self.at("name", "and") or self.at("name", "or"):
                self.advance()
                found.join(self._negated())
            elif self.kind == "op" and self.value in _COMPARISONS:
                self.advance()
                self._compared(found, searches=False)
            elif self.at("name", "not") or self.at("name", "in"):
                if self.at("name", "not"):
                    self.advance()
                if not self.at("name", "in"):
                    raise self.broken(self.start, "`in` is missing after `not`")
                self.advance()
                self._compared(found, searches=True)
            else:
                return found

    def _compared(self, found: Expression, *, searches: bool) -> None:
        """Comparing with a literal is cheap; searching a value is not, whatever is looked for."""
        other = self._operand()
        if not other.literal and (searches or not found.literal):
            self._long(found, other)
        found.join(other)

    def _long(self, *looked_at: Expression) -> None:
        whole = frozenset(name for one in looked_at if not one.within for name in one.sources)
        within = frozenset(name for one in looked_at if one.within for name in one.sources)
        self.comparisons.append(Comparison(whole, within, any(self.scopes)))

    def _test(self) -> None:
        self.advance()
        if self.at("name", "not"):
            self.advance()
        start, test = self.start, self.take_name("a test")
        if test not in TESTS:
            raise self.refused(start, f"there is no test {test!r}; there are {_listed(TESTS)}")
        # The engine would take the next word for an argument of the test.
        if self.kind in {"name", "number", "string"} and self.value not in _AFTER_TEST:
            raise self.broken(start, "put this test in parentheses")

    def _negated(self) -> Expression:
        while self.at("name", "not"):
            self._step()
            self.advance()
        return self._operand()

    def _operand(self) -> Expression:
        found = self._primary()
        filtered = False
        while self.kind == "op":
            self._step()
            match self.value:
                case "." | "[" if filtered:
                    raise self.broken(self.start, "put what is filtered in parentheses first")
                case ".":
                    self._attribute()
                    found.within = True
                case "[":
                    self._subscript(found)
                    found.within = True
                case "|":
                    filtered = True
                    self._filter(found)
                case "(":
                    raise self.refused(self.start, "nothing can be called in a prompt")
                case _:
                    break
        return found

    def _primary(self) -> Expression:
        start, kind, value = self.start, self.kind, self.value
        if kind in {"number", "string"} or (kind == "name" and value in CONSTANTS):
            self.advance()
            return Expression()
        if kind == "name":
            self.advance()
            return self._variable(start, value)
        if self.at("op", "("):
            self.advance()
            found = self.expression()
            self.expect(")")
            return found
        if self.at("op", "["):
            return self._list()
        raise self.broken(start, "a value is missing here")

    def _variable(self, start: int, name: str) -> Expression:
        for scope in reversed(self.scopes):
            if name in scope:
                return Expression(sources=set(scope[name]), literal=False, within=True)
        if name.startswith("__"):
            raise self.refused(start, f"{name!r} is not a value")
        if name in RESERVED:
            raise self.broken(start, f"{name!r} has no value here")
        self.names.setdefault(name, self.position(start))
        return Expression(sources={name}, literal=False)

    def _list(self) -> Expression:
        """`["a", 1]`: literals only, since lists of lists of values are how bombs are built."""
        self.advance()
        while not self.at("op", "]"):
            if self.kind not in {"number", "string"} and self.value not in CONSTANTS:
                raise self.refused(
                    self.start, "a list in a prompt holds only texts and numbers"
                )
            self.advance()
            if not self.at("op", ","):
                break
            self.advance()
        self.expect("]")
        return Expression()

    def _attribute(self) -> None:
        self.advance()
        if self.kind != "name" and not self.value.isdecimal():
            raise self.broken(self.start, "a name is missing after '.'")
        if self.value.startswith("__"):
            raise self.refused(self.start, f"{self.value!r} is not a field of data")
        self.advance()

    def _subscript(self, found: Expression) -> None:
        self.advance()
        if not self.at("op", ":"):
            start, text = self.start, self.value
            if self.kind == "string" and text[1:3] == "__":
                raise self.refused(start, f"{text} is not a field of data")
            self.expression()
        if self.at("op", ":"):
            if not found.literal:
                self._long(found)
            while self.at("op", ":"):
                self.advance()
                if not (self.at("op", ":") or self.at("op", "]")):
                    self.expression()
        self.expect("]")

    def _filter(self, found: Expression) -> None:
        self.advance()
        start, name = self.start, self.take_name("a filter")
        if name not in FILTERS:
            raise self.refused(
                start, f"there is no filter {name!r}; there are {_listed(FILTERS)}"
            )
        found.filters = (*found.filters, name)[-4:]
        if self.at("op", "("):
            self.advance()
            while not self.at("op", ")"):
                self._argument(found)
                if self.at("op", "="):
                    self.advance()
                    self._argument(found)
                if not self.at("op", ","):
                    break
                self.advance()
            self.expect(")")

    def _argument(self, found: Expression) -> None:
        given = self.expression()
        found.sources |= given.sources
        found.literal &= given.literal

    def _step(self) -> None:
        """Long chains are deep trees to the engine, and would overrun its stack."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise self.refused(self.start, f"an expression of more than {MAX_STEPS} steps")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self.refused(self.start, f"expressions are nested deeper than {MAX_NESTING}")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
