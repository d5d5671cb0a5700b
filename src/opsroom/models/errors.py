from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound, Unavailable


@dataclass(eq=False)
class ModelUnavailable(Unavailable):
    code = "model_unavailable"
    text = "model {0.model!r} at {0.endpoint!r} does not answer: {0.why}"
    hint = "check the address and the provider's status, then run again; done cases are kept"
    model: str
    endpoint: str
    why: str
    attempts: int = 1


@dataclass(eq=False)
class ModelRefused(Invalid):
    """The provider understood and said no; asking again would get the same answer."""

    code = "model_refused"
    text = "model {0.model!r} at {0.endpoint!r} refused the request ({0.answered}): {0.why}"
    hint = "check the key, the model's name and the parameters of the version"
    model: str
    endpoint: str
    answered: int
    why: str


@dataclass(eq=False)
class ModelGarbled(Unavailable):
    """Something answered, but not with a chat completion."""

    code = "model_garbled"
    text = "model {0.model!r} at {0.endpoint!r} answered, but {0.why}"
    hint = "check that the address is an OpenAI-compatible endpoint (it often ends in /v1)"
    model: str
    endpoint: str
    why: str


@dataclass(eq=False)
class ReservedParameter(Invalid):
    code = "reserved_parameter"
    text = "the parameter {0.name!r} cannot be set by a version"
    hint = "remove it; opsroom sets it itself"
    name: str


@dataclass(eq=False)
class BadMessage(Invalid):
    code = "bad_message"
    text = "message {0.position} cannot be sent: {0.why}"
    hint = "correct the conversation in the item or the prompt"
    position: int
    why: str


@dataclass(eq=False)
class NoRecording(NotFound):
    code = "no_recording"
    text = (
        "nothing is recorded for item {0.item!r} answered by {0.subject!r} "
        "(variant {0.variant!r}, trial {0.trial})"
    )
    hint = "import the recorded run, or choose a live model"
    subject: str
    item: str
    variant: str
    trial: int


@dataclass(eq=False)
class RecordingConflict(Conflict):
    code = "recording_conflict"
    text = (
        "two different outputs are recorded for item {0.item!r} answered by {0.subject!r} "
        "(variant {0.variant!r}, trial {0.trial})"
    )
    hint = "number repeated answers as trials 0, 1, 2 …"
    subject: str
    item: str
    variant: str
    trial: int


@dataclass(eq=False)
class NoModelConfigured(Invalid):
    code = "no_model_configured"
    text = "the model {0.name!r} cannot be asked: no endpoint is configured"
    hint = "set OPSROOM_MODEL_URL (and OPSROOM_MODEL_KEY), or use recorded answers"
    name: str


@dataclass(eq=False)
class RouteNotMeasured(Invalid):
    code = "route_not_measured"
    text = "{0.name!r} is a route, and cases are put to one model"
    hint = (
        "name a model at OPSROOM_MODEL_URL: as the source of an evaluation, or as `model` in the "
        "settings of retraining"
    )
    name: str


@dataclass(eq=False)
class BrokenRoute(Invalid):
    code = "broken_route"
    text = "this route cannot be: {0.why}"
    hint = "see docs/how-to/gateway.md for what a route holds"
    why: str
