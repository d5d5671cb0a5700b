"""One case judged by us, in the words of the script that asks promptfoo."""

import asyncio
import json
from decimal import Decimal
from typing import Any

from opsroom.datasets import Item
from opsroom.evals.evaluators.assertions import Unclear, answer_of, grade
from opsroom.models import Output, ToolCall


def ours(case: dict[str, Any]) -> dict[str, Any]:
    """`pass`, `score` and `named`, or `error`."""
    said = case["output"]
    calls: tuple[ToolCall, ...] = ()
    if isinstance(said, list):
        calls = tuple(
            ToolCall(name=one["function"]["name"], arguments=one["function"]["arguments"])
            for one in said
        )
        said = ""
    output = Output(
        text=said,
        tool_calls=calls,
        latency=case["latency"] / 1000 if "latency" in case else None,
        cost=Decimal(str(case["cost"])) if "cost" in case else None,
        finish_reason=case.get("finish"),
    )
    answer = answer_of(output, tools=case.get("tools", ()), functions=case.get("functions", ()))
    expected = {"assert": case["assert"], "threshold": case.get("threshold")}
    try:
        graded = asyncio.run(grade(expected, Item(id="x", input={}), answer, None))
    except Unclear as error:
        return {"error": str(error)}
    return {
        "pass": graded.verdict.good,
        "score": graded.verdict.score,
        "named": dict(graded.named),
    }


def differs(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two verdicts are not the same; the words of errors do not count."""
    if "error" in one or "error" in other:
        return ("error" in one) is not ("error" in other)
    return (
        one["pass"] is not other["pass"]
        or abs(one["score"] - other["score"]) > 1e-9
        or set(one["named"]) != set(other["named"])
        or any(abs(score - other["named"][name]) > 1e-9 for name, score in one["named"].items())
    )


def lines(cases: list[dict[str, Any]]) -> str:
    return "\n".join(map(json.dumps, cases)) + "\n"
