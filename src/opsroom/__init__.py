"""The operations room for AI agents. Programs import their client from here."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsroom.sdk import Opsroom, Prompt, Resolution, prompt, resolve

__version__ = "0.1.0"
__all__ = ["Opsroom", "Prompt", "Resolution", "__version__", "prompt", "resolve"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from opsroom import sdk  # noqa: PLC0415  # importing opsroom costs nothing until used

        return getattr(sdk, name)
    raise AttributeError(f"module 'opsroom' has no attribute {name!r}")
