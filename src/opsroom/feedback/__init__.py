"""Feedback: what users, agents and the business say of what an agent did.

Programs call `opsroom.feedback(...)`. In a process that has this folder loaded as well, that
name is the folder, so it can be called and does what the SDK's function does.
"""

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, **told: Any) -> str:
        from opsroom import sdk  # noqa: PLC0415  # only where a program calls it

        return sdk.feedback(**told)


sys.modules[__name__].__class__ = _Callable
