"""What can go wrong at the OpenAI-compatible door, and every refusal in OpenAI's shape."""

from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from opsroom.kit.errors import Forbidden, Invalid, NotFound, OpsroomError, Unavailable
from opsroom.web.errors import told

PREFIX = "/openai/"
# What OpenAI's clients make of a status; one of ours that they do not know becomes theirs.
STATUSES = {422: 400}
TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "insufficient_quota",
}
BUDGET = "over_budget"


@dataclass(eq=False)
class NotAsked(Invalid):
    code = "not_asked"
    text = "this is not a request to a model: {0.why}"
    hint = "send what OpenAI's API takes, as JSON; see docs/how-to/gateway.md"
    why: str


@dataclass(eq=False)
class NoSuchModel(NotFound):
    code = "no_such_model"
    text = "there is no route {0.model!r} that may be asked in {0.environment}"
    hint = (
        "name a route whose version has the label {0.environment}, or an agent as agent:NAME; "
        "list them with `opsroom route list`"
    )
    model: str
    environment: str


@dataclass(eq=False)
class PromptIsSet(Invalid):
    code = "prompt_is_set"
    text = "{0.version} brings its own prompt, and the request brings another"
    hint = "leave out system and developer messages (`instructions`), or ask a route instead"
    version: str


@dataclass(eq=False)
class AgentsOnlyChat(Invalid):
    code = "agents_only_chat"
    text = "an agent is asked for chat completions and responses, not for {0.what}"
    hint = "ask a route by its name"
    what: str


@dataclass(eq=False)
class AgentStopped(Forbidden):
    code = "agent_stopped"
    text = "{0.agent!r} is stopped, and asks no model: {0.why}"
    hint = "let it act again with `opsroom autonomy revive`"
    agent: str
    why: str


@dataclass(eq=False)
class NoPrice(Invalid):
    """A budget in US dollars could not bound what a call costs."""

    code = "no_price"
    text = "a budget in US dollars counts this call, and what {0.model!r} of {0.route} costs is not known"
    hint = "give the model a price of the project's own (0 where it is free); see docs/how-to/traces.md"
    route: str
    model: str


@dataclass(eq=False)
class NoModelAnswered(Unavailable):
    """Everybody on the route was tried or rests, and nothing that could be handed on came."""

    code = "no_model_answered"
    text = "no model of {0.route} answered: {0.why}"
    hint = "try again later; `opsroom route served` shows which models rest"
    route: str
    why: str


@dataclass(eq=False)
class ModelSlow(Unavailable):
    code = "model_slow"
    status = 504
    text = "no model of {0.route} began to answer in time: {0.why}"
    hint = "try again, or let the route wait longer (`first_byte`)"
    route: str
    why: str


@dataclass(eq=False)
class ModelGarbage(Unavailable):
    code = "model_garbage"
    status = 502
    text = "no model of {0.route} gave an answer that can be read: {0.why}"
    hint = "check that the endpoint of the route speaks OpenAI's API (it often ends in /v1)"
    route: str
    why: str


@dataclass(eq=False)
class StreamBroke(Unavailable):
    code = "stream_broke"
    status = 502
    text = "the answer of {0.route} broke off after it had begun: {0.why}"
    hint = "what came so far is all there is; ask again if asking twice does no harm"
    route: str
    why: str


def in_their_shape(error: OpsroomError) -> dict[str, Any]:
    """An error as OpenAI's clients read it; our code, hint and facts stand beside."""
    found = told(error)
    status = status_of(error)
    message = f"{found['message']}; {found['hint']}" if found["hint"] else found["message"]
    return {
        "error": {
            "message": message,
            "type": TYPES.get(
                status, "server_error" if status >= 500 else "invalid_request_error"
            ),
            "param": None,
            "code": found["code"],
            "hint": found["hint"],
            "facts": found["facts"],
        }
    }


def status_of(error: OpsroomError) -> int:
    if error.code == BUDGET:
        return 429
    return STATUSES.get(error.status, error.status)


def refusal(error: OpsroomError) -> Response:
    """The answer that a refusal is. A budget is not refilled by asking again, so clients are
    told not to.
    """
    headers = {"x-should-retry": "false"} if error.code == BUDGET else {}
    if error.status == 503:
        headers["Retry-After"] = "1"
    return JSONResponse(in_their_shape(error), status_code=status_of(error), headers=headers)
