from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


@dataclass(eq=False)
class LoginNeeded(Unauthenticated):
    code = "login_needed"
    text = "you are not logged in"
    hint = "open the one-time link that `opsroom up` printed, or send an API token"


@dataclass(eq=False)
class WrongCredentials(Unauthenticated):
    code = "wrong_credentials"
    text = "these credentials are not valid"
    hint = "check the name and the password, or ask an administrator for a new link or token"


@dataclass(eq=False)
class TooManyTries(Unauthenticated):
    code = "too_many_tries"
    text = "too many failed logins for this name from this address"
    hint = "wait a minute and try again"


@dataclass(eq=False)
class MayNot(Forbidden):
    code = "may_not"
    text = "this needs the permission {0.permission!r}, which {0.actor!r} does not have here"
    hint = "ask an administrator of the project for a role that has it"
    actor: str
    permission: str


@dataclass(eq=False)
class NoSuchUser(NotFound):
    code = "user_not_found"
    text = "there is no user {0.name!r} in this project"
    name: str


@dataclass(eq=False)
class NoSuchToken(NotFound):
    code = "token_not_found"
    text = "there is no token {0.token_id!r} in this project"
    token_id: str


@dataclass(eq=False)
class NameTaken(Conflict):
    code = "name_taken"
    text = "{0.name!r} is taken"
    hint = "choose another name"
    name: str


@dataclass(eq=False)
class UnknownRole(Invalid):
    code = "unknown_role"
    text = "there is no role {0.role!r}"
    hint = "roles are viewer, author, reviewer, operator, risk, admin and agent"
    role: str


@dataclass(eq=False)
class NotForAgents(Invalid):
    code = "not_for_agents"
    text = "a token of the agent {0.agent!r} has the role agent and no other, not {0.roles}"
    hint = "leave the other roles out, or make a second token without --agent"
    agent: str
    roles: str


@dataclass(eq=False)
class NotAnAgent(Invalid):
    code = "not_an_agent"
    text = "{0.agent!r} cannot be the name of an agent"
    hint = "names are lower-case letters, digits, dots, dashes and underscores"
    agent: str


@dataclass(eq=False)
class IdentityClosed(Conflict):
    code = "identity_closed"
    text = "the agent {0.agent!r} is retired"
    hint = "bring it back with `opsroom agent reinstate {0.agent} --reason …`"
    agent: str


@dataclass(eq=False)
class ActsForAnother(Forbidden):
    code = "acts_for_another"
    text = "this token belongs to the agent {0.mine!r} and cannot act for {0.wanted!r}"
    hint = "use the token of that agent; `opsroom token list` says whose each one is"
    mine: str
    wanted: str


@dataclass(eq=False)
class WeakPassword(Invalid):
    code = "weak_password"
    text = "a password has at least 12 characters"
    hint = "three unrelated words are fine"
