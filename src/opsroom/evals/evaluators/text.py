"""Evaluators that read the words of an answer."""

from collections.abc import Callable

from opsroom.datasets import Item
from opsroom.evals.errors import BadEvaluator, BadPattern
from opsroom.evals.model import Score, number, unknown, yes_or_no
from opsroom.models import Output

from .reading import NoReference, json_of, negated, quoted, reference, same_json, text_reference
from .specs import Contains, ContainsMany, Equals, LastLabel, Regex, Similar, StartsWith

Check = Callable[[Item, Output], Score]

LONGEST_COMPARED = 50_000  # characters; two such texts take the ratio about 0.1 s


def equals(spec: Equals) -> Check:
    good = not negated(spec.type)

    def check(item: Item, output: Output) -> Score:
        wanted = reference(spec.value, item)
        if not isinstance(wanted, str):
            found = json_of(output.text)
            same = found is not None and same_json(found.value, wanted)
        else:
            same = _folded(wanted, spec.trim, spec.ignore_case) == _folded(
                output.text, spec.trim, spec.ignore_case
            )
        return yes_or_no(same is good, f"{quoted(output.text)} against {quoted(wanted)}")

    return check


def contains(spec: Contains) -> Check:
    good, fold = not negated(spec.type), "icontains" in spec.type

    def check(item: Item, output: Output) -> Score:
        wanted = text_reference(spec.value, item)
        found = _folded(wanted, False, fold) in _folded(output.text, False, fold)
        return yes_or_no(found is good, f"{quoted(wanted)} {_is(found)} there")

    return check


def contains_many(spec: ContainsMany) -> Check:
    good, fold = not negated(spec.type), "icontains" in spec.type
    enough = all if spec.type.endswith("all") else any
    if spec.values is not None and not spec.values:
        raise BadEvaluator(spec.metric or spec.type, "it has no values")

    def check(item: Item, output: Output) -> Score:
        values = spec.values if spec.values is not None else _listed(item)
        text = _folded(output.text, False, fold)
        missing = [value for value in values if _folded(value, False, fold) not in text]
        found = enough(value not in missing for value in values)
        said = ", ".join(quoted(value) for value in (missing if good else values))
        return yes_or_no(found is good, f"{said} {_is(not good)} there")

    return check


def starts_with(spec: StartsWith) -> Check:
    good = not negated(spec.type)

    def check(item: Item, output: Output) -> Score:
        wanted = _folded(text_reference(spec.value, item), spec.trim, spec.ignore_case)
        text = _folded(output.text, spec.trim, spec.ignore_case)
        return yes_or_no(
            text.startswith(wanted) is good, f"it begins {quoted(output.text[:80])}"
        )

    return check


def regex(spec: Regex) -> Check:
    import re2  # noqa: PLC0415  # only where a pattern is used

    options = re2.Options()
    options.log_errors = False
    try:
        pattern = re2.compile(spec.pattern.encode("utf-8", "replace"), options)
    except re2.error as error:
        raise BadPattern(spec.pattern, _decoded(error)) from error
    good = not negated(spec.type)

    def check(_: Item, output: Output) -> Score:
        found = pattern.search(output.text.encode("utf-8", "replace")) is not None
        return yes_or_no(found is good, f"{quoted(spec.pattern)} {_is(found)} there")

    return check


def similar(spec: Similar) -> Check:
    from rapidfuzz.fuzz import ratio  # noqa: PLC0415  # only where texts are compared

    good, threshold = not negated(spec.type), spec.threshold
    if threshold is not None and not 0 <= threshold <= 1:
        raise BadEvaluator(spec.metric or spec.type, f"threshold {threshold} is not in 0 to 1")
    if threshold is None and not good:
        raise BadEvaluator(spec.metric or spec.type, "without a threshold there is no 'not-'")

    def check(item: Item, output: Output) -> Score:
        wanted = text_reference(spec.value, item)
        if max(len(wanted), len(output.text)) > LONGEST_COMPARED:
            return unknown(f"texts beyond {LONGEST_COMPARED} characters are not compared")
        alike = ratio(
            _folded(wanted, True, spec.ignore_case),
            _folded(output.text, True, spec.ignore_case),
        )
        share = alike / 100
        if threshold is None:
            return number(share)
        return yes_or_no((share >= threshold) is good, f"similarity {share:.3f}")

    return check


def last_label(spec: LastLabel) -> Check:
    if not spec.labels:
        raise BadEvaluator(spec.metric or spec.type, "it has no labels")
    good, fold = not negated(spec.type), spec.ignore_case
    marks = {
        _folded(f"{spec.opens}{label}{spec.closes}", False, fold): _folded(label, True, fold)
        for label in spec.labels
    }

    def check(item: Item, output: Output) -> Score:
        wanted = _folded(text_reference(spec.value, item), True, fold)
        text = _folded(output.text, False, fold)
        at, mark = max((text.rfind(mark), mark) for mark in marks)
        if at < 0:
            return Score(value=0.0, passed=False, reason="the answer gives no label")
        given = marks[mark]
        return yes_or_no((given == wanted) is good, f"it says {quoted(given)}")

    return check


def _folded(text: str, trim: bool, ignore_case: bool) -> str:
    text = text.strip() if trim else text
    return text.casefold() if ignore_case else text


def _listed(item: Item) -> tuple[str, ...]:
    given = item.expected
    texts = (
        tuple(one for one in given if isinstance(one, str)) if isinstance(given, list) else ()
    )
    if not texts or not isinstance(given, list) or len(texts) != len(given):
        raise NoReference("the item's expected answer is not a list of texts")
    return texts


def _is(there: bool) -> str:
    return "is" if there else "is not"


def _decoded(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
