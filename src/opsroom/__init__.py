"""The operations room for AI agents. Programs import their client from here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsroom.sdk import (
        Action,
        Answer,
        Approval,
        Deferred,
        Denied,
        Done,
        Failed,
        NotDone,
        Opsroom,
        Outcome,
        Pending,
        Prompt,
        Recommended,
        Resolution,
        Turn,
        Unknown,
        action,
        answer_mcp_call,
        answer_tool_calls,
        answer_tool_calls_sync,
        approval,
        deferred_results,
        feedback,
        override,
        prompt,
        resolve,
        resume,
        resume_sync,
        turn,
        verify_webhook,
    )

    from . import testing

__version__ = "0.1.0"
__all__ = [
    "Action",
    "Answer",
    "Approval",
    "Deferred",
    "Denied",
    "Done",
    "Failed",
    "NotDone",
    "Opsroom",
    "Outcome",
    "Pending",
    "Prompt",
    "Recommended",
    "Resolution",
    "Turn",
    "Unknown",
    "__version__",
    "action",
    "answer_mcp_call",
    "answer_tool_calls",
    "answer_tool_calls_sync",
    "approval",
    "deferred_results",
    "feedback",
    "override",
    "prompt",
    "resolve",
    "resume",
    "resume_sync",
    "testing",
    "turn",
    "verify_webhook",
]


def __getattr__(name: str) -> Any:
    if name == "testing":
        return import_module("opsroom.testing")
    if name in __all__:
        from opsroom import sdk  # noqa: PLC0415  # importing opsroom costs nothing until used

        return getattr(sdk, name)
    raise AttributeError(f"module 'opsroom' has no attribute {name!r}")
