"""The assertions of a configuration, in the form in which cases keep them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from opsroom.evals.evaluators.assertions import TYPES, why_not
from opsroom.evals.evaluators.assertions.known import GRADED
from opsroom.evals.evaluators.assertions.texts import BeyondRe2, compiled
from opsroom.evals.evaluators.assertions.words import listed, number, number_of, trimmed
from opsroom.kit.files import FileUnreadable

from .source import Source
from .templates import rendered

MAX_LISTS = 200_000  # lists of assertions, counting what files repeat
_KEPT = ("type", "value", "threshold", "weight", "metric")
_LISTED = frozenset({"contains-all", "contains-any", "icontains-all", "icontains-any"})
_WITH_THRESHOLD = frozenset(
    {
        "answer-relevance", "classifier", "context-faithfulness", "context-recall",
        "context-relevance", "cost", "latency", "levenshtein", "perplexity-score", "perplexity",
        "rouge-n", "similar", "starts-with",
    }
)  # fmt: skip
_CELL = re.compile(
    r"(not-)?("
    + "|".join(sorted(map(re.escape, TYPES), key=len, reverse=True))
    + r")(?:\((\d+(?:\.\d+)?)\))?(?::([\s\S]*))?\Z"
)


_MARKS = {
    "javascript:": "javascript",
    "fn:": "javascript",
    "eval:": "javascript",
    "python:": "python",
    "grade:": "llm-rubric",
    "llm-rubric:": "llm-rubric",
}
_SCRIPT = re.compile(r"\.(py|[cm]?[jt]s)(?::|\Z)")


class Expectations:
    """Turns assertions as they are written into plain data with every value in place."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.graders: dict[str, None] = {}
        self.named: dict[str, None] = {}
        self.asks = False
        self._lists = 0

    def of(
        self, written: Any, values: Mapping[str, Any], where: str, *, nested: bool = False
    ) -> list[dict[str, Any]]:
        """What a list of assertions expects of one case."""
        self._lists += 1
        if self._lists > MAX_LISTS:
            raise FileUnreadable(
                self._source.path.name, "it names more assertions than are read"
            )
        if isinstance(written, str) and written.startswith("file://"):
            written = self._source.one(written, where)
        if written is None:
            return []
        if not isinstance(written, list):
            self._source.missing.add(where, "`assert` is a list of assertions")
            return []
        found: list[dict[str, Any]] = []
        for one in written:
            if isinstance(one, str) and one.startswith("file://"):
                found += self.of(one, values, where, nested=nested)
            elif isinstance(one, dict) and isinstance(one.get("type"), str):
                found += self._one(one, values, where, nested=nested)
            else:
                self._source.missing.add(where, "an assertion has a type")
        return found

    def _one(
        self, one: Mapping[str, Any], values: Mapping[str, Any], where: str, *, nested: bool
    ) -> list[dict[str, Any]]:
        kind, missing = one["type"], self._source.missing
        kept = {name: one[name] for name in _KEPT if name in one}
        if metric := one.get("metric"):
            kept["metric"] = rendered(str(metric), values, f"{where}, metric", missing)
            self.named.setdefault(kept["metric"])
        if kind == "assert-set":
            kept.pop("value", None)
            return [{**kept, "assert": self._set(one, values, where, nested=nested)}]
        if why := why_not(kind):
            missing.add(f"assertion {kind}", why)
            return []
        for name in ("transform", "contextTransform", "rubricPrompt"):
            if one.get(name):
                missing.add(f"`{name}` of an assertion", _OPTIONS[name])
        if isinstance(config := one.get("config"), dict) and config.get("purpose") == "redteam":
            missing.add(
                "guardrails with the purpose redteam", "attacks are not graded in this way"
            )
        if kind.removeprefix("not-") in GRADED:
            self.asks = True
            self.grader(one.get("provider"), where)
        if "value" in kept:
            kept["value"] = self._value(kept["value"], values, f"{where}, {kind}")
        if kind.removeprefix("not-") == "regex":
            self._check_pattern(kept.get("value"))
        return [kept]

    def _set(
        self, one: Mapping[str, Any], values: Mapping[str, Any], where: str, *, nested: bool
    ) -> list[dict[str, Any]]:
        if nested:
            self._source.missing.add(where, "a set of assertions in another one")
            return []
        return self.of(one.get("assert"), values, where, nested=True)

    def _value(self, value: Any, values: Mapping[str, Any], where: str) -> Any:
        missing = self._source.missing
        match value:
            case str() as text if text.startswith("file://"):
                return self._source.one(text, where)
            case str() as text if text.startswith("package:"):
                missing.add(where, "code of a package is not run")
                return text
            case str() as text:
                return rendered(text, values, where, missing)
            case list() as many:
                return [
                    self._value(one, values, where) if isinstance(one, str) else one
                    for one in many
                ]
            case _:
                return value

    def _check_pattern(self, pattern: Any) -> None:
        try:
            compiled(str(pattern))
        except BeyondRe2 as error:
            self._source.missing.add(f"pattern {str(pattern)[:80]!r}", str(error))

    def grader(self, written: Any, where: str) -> None:
        """Note who is to grade, where it is said."""
        match written:
            case None:
                return
            case str() as name if not name.startswith(("file://", "python:", "exec:", "http")):
                self.graders.setdefault(name)
            case {"id": str(name)} if not name.startswith(
                ("file://", "python:", "exec:", "http")
            ):
                self.graders.setdefault(name)
            case {"text": inner}:
                self.grader(inner, where)
            case {"embedding": _} | {"classification": _} | {"moderation": _}:
                return
            case _:
                self._source.missing.add(where, "a grader is named by the id of a model")


_OPTIONS = {
    "transform": "it is code, and code is not run",
    "contextTransform": "it is code, and code is not run",
    "rubricPrompt": "graders are asked in our own words",
}


def from_cell(text: str) -> dict[str, Any]:
    """The assertion that a cell of a column `__expected` stands for.

    `contains: x`, `similar(0.8): y`, `javascript: …`; a text without a type is what the answer
    equals. Raises `ValueError` for a list whose quotes are not closed.
    """
    for mark, kind in _MARKS.items():
        if text.startswith(mark):
            rest = text.removeprefix(mark)
            return {"type": kind, "value": rest if kind == "llm-rubric" else rest.strip()}
    if text.startswith("file://") and (script := _SCRIPT.search(text)):
        return {"type": "python" if script[1] == "py" else "javascript", "value": text}
    cell = _CELL.match(text)
    if cell is None:
        return {"type": "equals", "value": text}
    turned, base, threshold, value = cell.groups()
    made: dict[str, Any] = {"type": f"{turned or ''}{base}"}
    if value is not None:
        plain = base in {"is-json", "contains-json"}
        made["value"] = value if plain else trimmed(value)
        if base in _LISTED and value:
            made["value"] = listed(value)
    if base in _WITH_THRESHOLD:
        made["threshold"] = float(threshold) if threshold else 0.75
    return made


def threshold(value: Any) -> float | None:
    """A threshold as a number; texts from tables are read as one."""
    if isinstance(value, str):
        return number_of(value) if trimmed(value) else None
    return number(value)


def asks_for(assertions: Sequence[Mapping[str, Any]], kinds: frozenset[str]) -> bool:
    """Whether an assertion of one of these types is among them, in a set or alone."""
    return any(
        asks_for(one["assert"], kinds)
        if one["type"] == "assert-set"
        else str(one["type"]).removeprefix("not-") in kinds
        for one in assertions
    )
