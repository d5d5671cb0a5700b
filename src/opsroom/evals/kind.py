"""What the registry needs to know about evaluators."""

from collections.abc import Sequence
from typing import Any, cast

import yaml

from opsroom.kit.wire import plain
from opsroom.registry import Finding, Kind, Lookup, Severity

from .errors import BadEvaluator, BadPattern, BadSchema
from .evaluators import EvaluatorSpec, evaluator
from .evaluators.specs import AnyJudge


def lint(spec: Any, _before: Any | None, _lookup: Lookup) -> Sequence[Finding]:
    """Compile the evaluator; what cannot be used is an error here, not in the middle of a run."""
    if isinstance(spec, AnyJudge):
        return _lint_judge(spec)
    try:
        evaluator(spec)
    except (BadEvaluator, BadPattern, BadSchema) as error:
        return (Finding(code=error.code, severity=Severity.ERROR, message=str(error)),)
    return ()


def _lint_judge(spec: AnyJudge) -> Sequence[Finding]:
    if not spec.rubric.strip():
        said = f"the evaluator of metric {spec.metric or spec.type!r} has an empty rubric"
        return (Finding(code=BadEvaluator.code, severity=Severity.ERROR, message=said),)
    if spec.repeats % 2 == 0:
        return (
            Finding(
                code="repeats_may_tie",
                severity=Severity.WARNING,
                message=f"{spec.repeats} repeats can tie, and a tie is not a verdict",
                hint="ask an odd number of times",
            ),
        )
    return ()


def text(spec: Any) -> str:
    return yaml.safe_dump(plain(spec), sort_keys=True, allow_unicode=True, width=88)


KIND = Kind(
    name="evaluator",
    shape=cast("type[Any]", EvaluatorSpec),
    text=text,
    lint=lint,
    newest_counts="unlabelled",
)
