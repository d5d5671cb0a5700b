"""The access rules and settings of a project: setting them, and being held to them."""

from dataclasses import replace

from opsroom.kit import choices
from opsroom.kit.canonical import digest
from opsroom.kit.db import Tx
from opsroom.kit.wire import plain

from . import governing_store, rules
from .errors import AccessDenied, BadAccessSettings, OnlyPeople
from .granting import check_roles
from .model import AccessSettings
from .rules import AccessRules, Action, Thing, Verdict

NO_RULES = AccessRules()
LONGEST_GLASS = 24 * 60
LONGEST_TOKEN = 3650


def check(tx: Tx, action: Action, thing: Thing) -> None:
    """Raise `AccessDenied` where the rules of the project do not let whoever acts do this.

    Whoever comes from outside has a role, or came past no guard; without one it is opsroom itself
    at work, which rules about people and programs do not bind.
    """
    if because := _against(tx, action, thing):
        raise AccessDenied(tx.actor.name, action.value, str(thing), because)


def why_not(tx: Tx, action: Action, thing: Thing) -> str:
    """Why whoever acts may not do this, by role or by rule; empty where they may. For pages, which
    show beforehand what `check` would refuse.
    """
    if action.value not in tx.actor.may:
        return lacking(action.value)
    because = _against(tx, action, thing)
    return f"the access rules do not let you: {because}" if because else ""


def lacking(permission: str) -> str:
    """What pages say beside what takes a permission that whoever looks does not have."""
    return f"this needs the permission to {permission}, which you do not have here"


def _against(tx: Tx, action: Action, thing: Thing) -> str:
    if not tx.actor.roles:
        return ""
    found = current(tx)
    if found == NO_RULES:
        return ""
    said = rules.decide(found, tx.actor, action, thing)
    return "" if said.allowed else said.because or "no rule says why"


def current(tx: Tx) -> AccessRules:
    """The rules of this project; none where nobody set any."""
    return choices.load(tx, governing_store.access_rules, AccessRules)


def settings(tx: Tx) -> AccessSettings:
    return choices.load(tx, governing_store.access_settings, AccessSettings)


def set_rules(tx: Tx, new: AccessRules) -> AccessRules:
    """Let these rules hold from the next command on. Their whole text goes into the journal,
    which so keeps every version.

    Raises `BadAccessRules`; and `OnlyPeople` for a program while labels are protected, since what
    protects them from programs is not lifted by one.
    """
    rules.check_rules(new)
    before = current(tx)
    check_lifts(tx)
    if new != before:
        choices.save(tx, governing_store.access_rules, new)
        tx.record("access.rules_set", "access/rules", digest=digest(plain(new)), **plain(new))
    return new


def check_lifts(tx: Tx) -> None:
    """Raise `OnlyPeople` for a program while labels are protected: it neither sets the rules nor
    what else keeps a label from moving, environments and what is asked of reviews.
    """
    if tx.actor.roles and not tx.actor.human and current(tx).protected_labels:
        raise OnlyPeople(tx.actor.name)


def set_settings(tx: Tx, new: AccessSettings) -> AccessSettings:
    """Raises `BadAccessSettings` or `UnknownRole`."""
    check_roles(tx, new.glass_roles)
    if not 0 <= new.token_days <= LONGEST_TOKEN:
        raise BadAccessSettings(f"{new.token_days} days for a token")
    if not 1 <= new.glass_minutes <= LONGEST_GLASS:
        raise BadAccessSettings(f"{new.glass_minutes} minutes for an emergency")
    before = settings(tx)
    if new != before:
        choices.save(tx, governing_store.access_settings, new)
        tx.record(
            "access.settings_set", "access/settings", before=plain(before), after=plain(new)
        )
    return new


def try_out(
    tx: Tx,
    action: Action,
    thing: Thing,
    *,
    roles: tuple[str, ...],
    human: bool,
    given: AccessRules | None = None,
) -> Verdict:
    """What the rules (or those `given`, before they are set) would say to holders of roles."""
    found = current(tx) if given is None else given
    rules.check_rules(found)
    return rules.decide(found, replace(tx.actor, roles=roles, human=human), action, thing)
