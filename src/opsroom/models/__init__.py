"""Models: what agents think with, behind one Protocol, live or recorded."""

from .errors import (
    BadMessage,
    ModelGarbled,
    ModelRefused,
    ModelUnavailable,
    NoModelConfigured,
    NoRecording,
    RecordingConflict,
    ReservedParameter,
    RouteNotMeasured,
)
from .model import Message, ModelRequest, Output, Role, ToolCall
from .ports import Find, Model, Models
from .replay import Recording, RecordingKey, ReplayModel, replay

__all__ = [
    "BadMessage",
    "Find",
    "Message",
    "Model",
    "ModelGarbled",
    "ModelRefused",
    "ModelRequest",
    "ModelUnavailable",
    "Models",
    "NoModelConfigured",
    "NoRecording",
    "Output",
    "Recording",
    "RecordingConflict",
    "RecordingKey",
    "ReplayModel",
    "ReservedParameter",
    "Role",
    "RouteNotMeasured",
    "ToolCall",
    "replay",
]
