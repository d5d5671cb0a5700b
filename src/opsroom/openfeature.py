"""Prompts and agents as flags of OpenFeature; see `opsroom.sdk.flags`."""

from opsroom.sdk.flags import OpsroomProvider

__all__ = ["OpsroomProvider"]
