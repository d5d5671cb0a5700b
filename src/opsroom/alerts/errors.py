from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class AlertNotFound(NotFound):
    code = "alert_not_found"
    text = "there is no alert {0.alert_id!r} in this project"
    hint = "list what there is with `opsroom alert list --all`"
    alert_id: str


@dataclass(eq=False)
class AlertMoved(Conflict):
    code = "alert_moved"
    text = "alert {0.alert_id!r} was changed by someone else"
    hint = "look at the alert again and repeat the command"
    alert_id: str


@dataclass(eq=False)
class AlertOver(Conflict):
    code = "alert_over"
    text = "alert {0.alert_id!r} is resolved"
    hint = "it opens anew where its condition holds again; see `opsroom alert list`"
    alert_id: str


@dataclass(eq=False)
class BrokenMute(Invalid):
    code = "broken_mute"
    text = "alerts cannot be muted like this: {0.why}"
    hint = "see docs/how-to/alerts.md"
    why: str


@dataclass(eq=False)
class MuteNotFound(NotFound):
    code = "mute_not_found"
    text = "no mute {0.mute_id!r} is in force or to come in this project"
    hint = "list what there is with `opsroom alert mutes`"
    mute_id: str


@dataclass(eq=False)
class BadCondition(Invalid):
    code = "bad_condition"
    text = "the condition {0.condition!r} cannot be decided: {0.why}"
    hint = "see docs/how-to/alerts.md for what a condition may name"
    condition: str
    why: str


@dataclass(eq=False)
class BrokenRule(Invalid):
    code = "broken_rule"
    text = "this alert rule cannot be: {0.why}"
    hint = "see docs/how-to/alerts.md"
    why: str
