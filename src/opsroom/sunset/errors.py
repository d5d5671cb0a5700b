from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class SunsetNotFound(NotFound):
    code = "sunset_not_found"
    text = "there is no sunset {0.sunset_id!r} in this project"
    hint = "list what there is with `opsroom agent sunset list --all`"
    sunset_id: str


@dataclass(eq=False)
class SunsetMoved(Conflict):
    code = "sunset_moved"
    text = "sunset {0.sunset_id!r} is not what was shown any more"
    hint = "look at it again and repeat the command"
    sunset_id: str


@dataclass(eq=False)
class SunsetUnderWay(Conflict):
    code = "sunset_under_way"
    text = "the agent {0.agent!r} is in a sunset already: {0.sunset_id}"
    hint = "see it with `opsroom agent sunset show {0.agent}`"
    agent: str
    sunset_id: str


@dataclass(eq=False)
class WrongState(Conflict):
    code = "sunset_wrong_state"
    text = "sunset {0.sunset_id!r} is {0.state} and cannot be {0.what}"
    hint = "see where it stands with `opsroom agent sunset show {0.sunset_id}`"
    sunset_id: str
    state: str
    what: str


@dataclass(eq=False)
class BadSunset(Invalid):
    code = "bad_sunset"
    text = "an agent cannot be ended like that: {0.why}"
    hint = "see docs/how-to/sunset.md for what each number means"
    why: str


@dataclass(eq=False)
class CallersAlive(Conflict):
    code = "callers_alive"
    text = "the agent {0.agent!r} is still called: {0.callers}"
    hint = "move these callers{0.to}; the watch begins anew with their last call"
    agent: str
    callers: str
    successor: str

    @property
    def to(self) -> str:
        return f" to {self.successor!r}" if self.successor else " away from it"


@dataclass(eq=False)
class NotQuietLongEnough(Conflict):
    code = "not_quiet_long_enough"
    text = "nobody may decommission {0.agent!r} before {0.until}: {0.because}"
    hint = "wait; the watch goes on by itself"
    agent: str
    until: str
    because: str


@dataclass(eq=False)
class NoProof(Conflict):
    code = "no_proof"
    text = "it is not known whether anybody calls {0.agent!r}: its traces could not be read"
    hint = "see `opsroom doctor`, then look again with `opsroom agent sunset look {0.agent}`"
    agent: str


@dataclass(eq=False)
class NothingExported(NotFound):
    code = "nothing_exported"
    text = "what the agent of sunset {0.sunset_id!r} held has not been exported yet"
    hint = "that is done when it is decommissioned"
    sunset_id: str


@dataclass(eq=False)
class ZombieNotFound(NotFound):
    code = "zombie_not_found"
    text = "there is no finding {0.zombie_id!r} in this project"
    hint = "list what there is with `opsroom agent zombies --all`"
    zombie_id: str
