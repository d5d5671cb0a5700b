"""What is asked of traces, as a condition over all the spans of one. Every value is a parameter."""

from dataclasses import dataclass, field
from typing import Any as Anything

from .asked import All, Any, Asked, Counted, Mentioned, Not, Noted, Said

COLUMNS = {
    "agent": "agent", "version": "version", "tool": "tool", "status": "status",
    "model": "if(served_model != '', served_model, requested_model)", "provider": "provider",
    "error": "error_type", "name": "name", "service": "service", "operation": "operation",
    "prompt": "prompt", "user": "user", "session": "session", "release": "release",
    "environment": "environment", "turn": "turn", "action": "action",
}  # fmt: skip
_TOTALS = {
    "cost": "ifNull(sum(s.cost), 0)",
    "tokens": "sum(toUInt64(s.input_tokens) + s.output_tokens)",
    "errors": "countIf(status = 'error')",
    "spans": "count()",
    "duration": "toUnixTimestamp64Nano(max(start + toIntervalNanosecond(duration)))"
    " - toUnixTimestamp64Nano(min(start))",
}
_CONTAINS = "positionCaseInsensitiveUTF8({}, {}) > 0".format


@dataclass(slots=True)
class Condition:
    """Stands behind HAVING where spans are grouped by trace; `values` are its parameters."""

    sql: str = ""
    values: dict[str, Anything] = field(default_factory=dict)


def condition(asked: Asked) -> Condition:
    """The tree as SQL. The words in it are ours; what was asked for is in `values`."""
    made = Condition()
    made.sql = _sql(asked, made.values)
    return made


def _sql(asked: Asked, values: dict[str, Anything]) -> str:  # noqa: PLR0911 (one for each kind)
    match asked:
        case All(parts):
            return "(" + " AND ".join(_sql(part, values) for part in parts) + ")"
        case Any(parts):
            return "(" + " OR ".join(_sql(part, values) for part in parts) + ")"
        case Not(part):
            return f"(NOT {_sql(part, values)})"
        case Counted("duration", order, amount):
            nano = _value(values, int(amount * 10**9), "Int64")
            return f"({_TOTALS['duration']} {order} {nano})"
        case Counted(name, order, amount):
            told = f"toDecimal128({_value(values, f'{amount:f}', 'String')}, 15)"
            return f"({_TOTALS[name]} {order} {told})"
        case Said(name, match, value):
            return _some(_compared(f"toString({COLUMNS[name]})", match, _value(values, value)))
        case Noted(key, match, value):
            name = _value(values, key)
            compared = _compared(f"attributes[{name}]", match, _value(values, value))
            return _some(f"mapContains(attributes, {name}) AND {compared}")
        case Mentioned(text):
            wanted = _value(values, text)
            places = ("toString(name)", "status_message", "toString(error_type)")
            said = f"arrayExists(v -> {_CONTAINS('v', wanted)}, mapValues(content))"
            return _some(" OR ".join([*(_CONTAINS(one, wanted) for one in places), said]))


def _some(of_a_span: str) -> str:
    return f"(countIf({of_a_span}) > 0)"


def _compared(column: str, match: str, value: str) -> str:
    return f"{column} = {value}" if match == "is" else _CONTAINS(column, value)


def _value(values: dict[str, Anything], value: Anything, kind: str = "String") -> str:
    name = f"q{len(values)}"
    values[name] = value
    return f"{{{name}:{kind}}}"
