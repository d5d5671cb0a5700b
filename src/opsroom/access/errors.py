from dataclasses import dataclass

from opsroom.kit.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Unauthenticated,
)


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
class BadPersonName(Invalid):
    code = "bad_person_name"
    text = "nobody can be called {0.name!r}"
    hint = "use up to 100 letters, digits, blanks and . @ + - _, beginning with a letter or a digit"
    name: str


@dataclass(eq=False)
class UnknownRole(Invalid):
    code = "unknown_role"
    text = "there is no role {0.role!r}"
    hint = "`opsroom role list` shows the roles of this project"
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
class AgentGone(Gone):
    code = "agent_gone"
    text = "the agent {0.agent!r} was decommissioned and answers nobody any more"
    hint = "{0.instead}"
    agent: str
    successor: str

    @property
    def instead(self) -> str:
        if not self.successor:
            return "nobody took its work over; ask whoever runs opsroom"
        return f"call the agent {self.successor!r} instead, with a token of its own"


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


@dataclass(eq=False)
class UnknownPermission(Invalid):
    code = "unknown_permission"
    text = "there is no permission {0.permission!r}"
    hint = "`opsroom role list` shows what each role may do, by the names of permissions"
    permission: str


@dataclass(eq=False)
class BadRole(Invalid):
    code = "bad_role"
    text = "the role {0.role!r} cannot be set: {0.why}"
    hint = "a role of your own has a new name (lower-case letters, digits, dashes) and at least one permission"
    role: str
    why: str


@dataclass(eq=False)
class NoSuchRole(NotFound):
    code = "role_not_found"
    text = "this project has no role {0.role!r} of its own"
    hint = "`opsroom role list` shows the roles; those that are built in stay as they are"
    role: str


@dataclass(eq=False)
class LastAdmin(Conflict):
    code = "last_admin"
    text = "nobody would be left who may administer this project"
    hint = "give somebody else the role admin first"


@dataclass(eq=False)
class MoreThanYours(Forbidden):
    code = "more_than_yours"
    text = (
        "{0.actor!r} cannot give or take over what they may not do themselves: {0.permissions}"
    )
    hint = "ask somebody who has these permissions for good"
    actor: str
    permissions: str


@dataclass(eq=False)
class BadScope(Invalid):
    code = "bad_scope"
    text = "the roles of this token do not give {0.scope!r}"
    hint = "scopes narrow what the roles of a token give; leave them out for all of it"
    scope: str


@dataclass(eq=False)
class TokenNeedsExpiry(Invalid):
    code = "token_needs_expiry"
    text = "a token of this project ends within {0.days} days, and not in the past"
    hint = "say when with `--expires`"
    days: int


@dataclass(eq=False)
class BadAccessSettings(Invalid):
    code = "bad_access_settings"
    text = "access cannot be set so: {0.why}"
    hint = "docs/how-to/access.md says what each setting means"
    why: str


@dataclass(eq=False)
class BadAccessRules(Invalid):
    code = "bad_access_rules"
    text = "these access rules cannot be used: {0.why}"
    hint = "docs/how-to/access.md shows what rules speak of, with examples"
    why: str


@dataclass(eq=False)
class AccessDenied(Forbidden):
    code = "access_denied"
    text = "the access rules do not let {0.actor!r} {0.action} {0.thing}: {0.because}"
    hint = "the rules are on the page Access; a policy admin can change them"
    actor: str
    action: str
    thing: str
    because: str


@dataclass(eq=False)
class NotInAnEmergency(Forbidden):
    code = "not_in_an_emergency"
    text = "nobody takes the role {0.role!r} here, not even in an emergency"
    hint = "an administrator says which roles may be taken, on the page Access"
    role: str


@dataclass(eq=False)
class ComesByProvider(Forbidden):
    code = "comes_by_provider"
    text = "{0.user!r} logs in at the identity provider, and in no other way"
    hint = "nobody gives them a password or a link"
    user: str


@dataclass(eq=False)
class OnlyPeople(Forbidden):
    code = "only_people"
    text = "{0.actor!r} is a program; only people do this"
    hint = "log in as yourself"
    actor: str


@dataclass(eq=False)
class BadGlass(Invalid):
    code = "bad_glass"
    text = "a role cannot be taken so: {0.why}"
    hint = "say why in a sentence, and for how many minutes"
    why: str


@dataclass(eq=False)
class NoSuchGlass(NotFound):
    code = "glass_not_found"
    text = "nobody took a role under {0.glass_id!r} in this project"
    hint = "`opsroom glass list` shows who has taken one"
    glass_id: str


@dataclass(eq=False)
class NoSuchSession(NotFound):
    code = "login_not_found"
    text = "there is no session {0.session_id!r} in this project"
    hint = "`opsroom session list` shows who is logged in"
    session_id: str


@dataclass(eq=False)
class NoSuchService(NotFound):
    code = "service_not_found"
    text = "there is no open service {0.name!r} in this project"
    hint = "`opsroom service list` shows them; one that was closed stays closed"
    name: str


@dataclass(eq=False)
class BadService(Invalid):
    code = "bad_service"
    text = "{0.name!r} cannot be a service: {0.why}"
    hint = "a name of lower-case letters, digits and dashes, an owner from this project, and a purpose"
    name: str
    why: str


@dataclass(eq=False)
class OidcRefused(Unauthenticated):
    code = "oidc_refused"
    text = "the login at the identity provider cannot be used: {0.because}"
    hint = "log in again; if it lasts, show this to whoever runs opsroom"
    because: str


@dataclass(eq=False)
class BadOidcSetting(Invalid):
    code = "bad_oidc_setting"
    text = "the setting {0.name} cannot be used: {0.why}"
    hint = "docs/how-to/access.md shows how an identity provider is set"
    name: str
    why: str


@dataclass(eq=False)
class NoProvider(NotFound):
    code = "no_identity_provider"
    text = "no identity provider is set here"
    hint = (
        "log in with a password or a one-time link; docs/how-to/access.md shows how to set one"
    )


@dataclass(eq=False)
class BadEnvironmentName(Invalid):
    code = "bad_environment_name"
    text = "{0.environment!r} cannot be an environment"
    hint = "`opsroom environment list` shows those there are"
    environment: str


@dataclass(eq=False)
class NoSuchOrganisation(NotFound):
    code = "no_such_organisation"
    text = "there is no organisation {0.organisation!r} of yours"
    hint = "`opsroom org list` shows those that you are in, with their ids"
    organisation: str


@dataclass(eq=False)
class NoSuchProject(NotFound):
    code = "no_such_project"
    text = "there is no project {0.project!r} of yours"
    hint = "`opsroom org list` shows those that you may enter, with their ids"
    project: str


@dataclass(eq=False)
class BadOrganisation(Invalid):
    code = "bad_organisation"
    text = "{0.name!r} cannot be so: {0.why}"
    hint = "docs/how-to/organisations.md says what organisations and projects can be"
    name: str
    why: str
