"""Every type of assertion of promptfoo 0.123, and why some of them are not run here."""

from . import data, markup, nearness, texts, tools
from .model import Check

CHECKS: dict[str, Check] = {
    **texts.CHECKS,
    **nearness.CHECKS,
    **data.CHECKS,
    **tools.CHECKS,
    **markup.CHECKS,
}

# Asked of a model; `not-` is turned round where promptfoo does.
GRADED = frozenset(
    {"llm-rubric", "model-graded-closedqa", "factuality", "model-graded-factuality", "g-eval"}
)
TURNED_ROUND = frozenset({"llm-rubric"})

_CODE = "it runs code of the configuration"
_EMBEDDINGS = "it needs a model for embeddings"
_SEVERAL_STEPS = "it needs a grader of several steps; write an llm-rubric instead"
_SPANS = "it needs the spans of the answer, and a model's answer has none"
_SQL = "it needs a parser of SQL, which is not part of opsroom"
_LOG_PROBS = "it needs log probabilities, which answers here do not carry"
_REMOTE = "it needs a service outside"
_COMPARES = "it compares answers of several prompts; use `opsroom eval compare`"

REFUSED: dict[str, str] = {
    "javascript": _CODE,
    "python": _CODE,
    "ruby": _CODE,
    "webhook": _REMOTE,
    "classifier": _REMOTE,
    "moderation": _REMOTE,
    "pi": _REMOTE,
    "search-rubric": "it needs a model that searches the web",
    "agent-rubric": "it needs an agent as grader",
    "similar": _EMBEDDINGS,
    "similar:cosine": _EMBEDDINGS,
    "similar:dot": _EMBEDDINGS,
    "similar:euclidean": _EMBEDDINGS,
    "answer-relevance": _EMBEDDINGS,
    "context-faithfulness": _SEVERAL_STEPS,
    "context-recall": _SEVERAL_STEPS,
    "context-relevance": _SEVERAL_STEPS,
    "conversation-relevance": _SEVERAL_STEPS,
    "is-sql": _SQL,
    "contains-sql": _SQL,
    "perplexity": _LOG_PROBS,
    "perplexity-score": _LOG_PROBS,
    "meteor": "it needs WordNet, which is not part of opsroom",
    "skill-used": _SPANS,
    "trace-error-spans": _SPANS,
    "trace-span-count": _SPANS,
    "trace-span-duration": _SPANS,
    "trajectory:goal-success": _SPANS,
    "trajectory:step-count": _SPANS,
    "trajectory:tool-args-match": _SPANS,
    "trajectory:tool-sequence": _SPANS,
    "trajectory:tool-used": _SPANS,
    "select-best": _COMPARES,
    "max-score": _COMPARES,
    "human": "it waits for a person; use annotation",
}

TYPES = (
    frozenset(CHECKS) | GRADED | (frozenset(REFUSED) - {"select-best", "max-score", "human"})
)


def why_not(kind: str) -> str | None:
    """Why assertions of this type are not run, or None where they are."""
    base = kind.removeprefix("not-")
    if base in CHECKS:
        return None
    if base in GRADED:
        turned = kind == base or base in TURNED_ROUND
        return None if turned else "promptfoo takes no notice of `not-` before it"
    if base.startswith("promptfoo:redteam:"):
        return "it is graded by a service of promptfoo"
    return REFUSED.get(base, "promptfoo has no assertion of this type")
