from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Forbidden, Invalid, NotFound


@dataclass(eq=False)
class SecretMissing(Invalid):
    code = "secret_missing"
    text = "there is no secret {0.reference!r} where opsroom runs"
    hint = "keep it with `opsroom secret set NAME --for https://HOST`, or set the variable OPSROOM_SECRET_… of the server"
    reference: str


@dataclass(eq=False)
class SecretElsewhere(Forbidden):
    code = "secret_elsewhere"
    text = "the secret {0.reference!r} may not go to {0.place}: it belongs to {0.places}"
    hint = "a secret does not follow a connection that moves; set it anew, for the new place"
    reference: str
    place: str
    places: str


@dataclass(eq=False)
class SecretUnfit(Invalid):
    code = "secret_unfit"
    text = "the secret {0.reference!r} cannot be used here: {0.why}"
    hint = "set it anew; opsroom never shows what it holds"
    reference: str
    why: str


@dataclass(eq=False)
class BrokenSecret(Invalid):
    code = "broken_secret"
    text = "this secret cannot be kept: {0.why}"
    hint = "see docs/how-to/secrets.md"
    why: str


@dataclass(eq=False)
class SecretNotFound(NotFound):
    code = "secret_not_found"
    text = "there is no secret {0.name!r} in this project"
    hint = "list what there is with `opsroom secret list`"
    name: str


@dataclass(eq=False)
class SecretChanged(Conflict):
    code = "secret_changed"
    text = "the secret {0.name!r} was changed by somebody else"
    hint = "look at it again, and repeat the command if you still want to"
    name: str
