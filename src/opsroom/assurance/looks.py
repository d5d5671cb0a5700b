"""The queries behind the controls: which entries of the journal answer a question, and which of
them speak against what was asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from opsroom.approvals import Answer
from opsroom.approvals import queries as approvals
from opsroom.journal import Entry
from opsroom.journal import queries as journal
from opsroom.kit.db import Tx
from opsroom.kit.errors import NotFound
from opsroom.registry import Ref
from opsroom.registry import queries as registry

from .model import Span

TESTED = 2000
KEPT_FOR = timedelta(days=183)
THROUGH_A_DOOR = frozenset({"merge", "release", "rollback"})
PROGRAMS = ("token:", "agent:", "system")

# Why an entry speaks against what was asked; nothing where it does not.
Test = Callable[[Tx, Span, Entry], str]


@dataclass(frozen=True, slots=True)
class Look:
    """A question in words, the events that answer it, and the page that shows them all."""

    asks: str
    events: tuple[str, ...]
    place: str
    test: Test | None = None


def _reviewed(tx: Tx, _: Span, entry: Entry) -> str:
    """Somebody else than its writers approved what was merged."""
    try:
        proposal = registry.proposal(tx, entry.subject.partition("/")[2])
        version = registry.version(tx, Ref(proposal.kind, proposal.name, str(proposal.number)))
    except NotFound:
        return "what was merged is not there any more"
    writers = {version.author, version.made_by}
    for answer in approvals.history(tx, proposal.subject):
        if answer.answer is Answer.APPROVE and answer.approver not in writers:
            return ""
    of = registry.artifact(tx, proposal.kind, proposal.name)
    return f"nobody but its writers approved it ({of.criticality.value})"


def _through_a_door(_tx: Tx, _: Span, entry: Entry) -> str:
    how = str(entry.facts.get("how"))
    if entry.facts.get("label") != "production" or how in THROUGH_A_DOOR:
        return ""
    return "production was moved without a proposal, a release or a rollback"


def _by_a_person(_tx: Tx, _: Span, entry: Entry) -> str:
    return "a program approved" if entry.actor.startswith(PROGRAMS) else ""


def _reconciled(tx: Tx, span: Span, entry: Entry) -> str:
    later = journal.entries(tx, subject=entry.subject, event="action.reconciled", limit=1)
    known = bool(later) and entry.seq < later[0][0].seq <= span.until
    return "" if known else "nobody has found out what became of it"


def _decided_first(tx: Tx, _: Span, entry: Entry) -> str:
    about = journal.entries(tx, subject=entry.subject, before=entry.seq, limit=20)
    if any(one.event in {"action.permitted", "action.awaiting_approval"} for one, _ in about):
        return ""
    return "nothing was decided before it was begun"


def _resolved(tx: Tx, span: Span, entry: Entry) -> str:
    later = journal.entries(tx, subject=entry.subject, event="alert.resolved", limit=1)
    done = bool(later) and entry.seq < later[0][0].seq <= span.until
    return "" if done else "it was not resolved in the period"


LOOKS: Mapping[str, Look] = {
    "changes_reviewed": Look("Which changes were merged, and did somebody else approve each?", ("proposal.merged",), "/proposals", _reviewed),
    "labels_moved": Look("What was put into use, and how?", ("label.moved",), "/audit?event=label.moved", _through_a_door),
    "proposals": Look("What was proposed, checked and answered?", ("proposal.opened", "proposal.checked", "proposal.withdrawn", "approval.given"), "/proposals"),
    "gates": Look("What was measured before it went out?", ("gate.decided", "eval.finished", "release.gated"), "/evals"),
    "judges": Look("Were the judges held against people?", ("judge.calibrated",), "/evals"),
    "releases": Look("What was released, step by step?", ("release.started", "release.advanced", "release.promoted"), "/releases"),
    "rollbacks": Look("What was taken back?", ("release.rolled_back", "release.aborted", "release.paused"), "/releases"),
    "approvals": Look("What did people approve, and were they people?", ("approval.given", "inbox.approved"), "/inbox", _by_a_person),
    "answers": Look("What did people answer to agents?", ("inbox.approved", "inbox.edited", "inbox.rejected", "inbox.responded", "inbox.expired"), "/inbox"),
    "oversight": Look("Was the attention of people tested?", ("inbox.probe_kept", "inbox.checked", "inbox.flooded"), "/inbox"),
    "overrides": Look("Where did people decide otherwise?", ("override.recorded", "override.retracted"), "/audit?event=override.recorded"),
    "stops": Look("Was anything stopped, and let go on?", ("autonomy.killed", "autonomy.revived", "autonomy.narrowed"), "/autonomy"),
    "autonomy": Look("Who was allowed to do more or less alone?", ("autonomy.proposed", "autonomy.widened", "autonomy.declined", "autonomy.narrowed"), "/autonomy"),
    "turns": Look("Which tasks did agents handle?", ("turn.begun", "turn.ended"), "/turns"),
    "actions": Look("What did agents do?", ("action.proposed", "action.succeeded", "action.failed", "action.unknown"), "/turns"),
    "unknown": Look("Which outcomes were unknown, and was each found out?", ("action.unknown",), "/turns", _reconciled),
    "decided_first": Look("What was begun, and was each decided before?", ("action.executing",), "/turns", _decided_first),
    "decisions": Look("What was decided about actions?", ("action.permitted", "action.denied", "action.deferred", "action.awaiting_approval", "action.recommended", "inbox.edited"), "/turns"),
    "refused": Look("What was refused?", ("action.denied", "action.refused", "budget.refused"), "/turns"),
    "attacks": Look("Which attempts on agents were seen?", ("security.order_seen", "security.attack_stopped", "security.unknown_tool", "security.secret_in_output", "security.canary_seen", "release.security_event"), "/security"),
    "quarantines": Look("What was put into quarantine?", ("gateway.tool_quarantined", "correction.quarantined"), "/quarantine"),
    "alerts": Look("What was somebody told to look at?", ("alert.opened", "alert.acknowledged", "alert.resolved"), "/alerts"),
    "incidents": Look("Which alerts were opened, and was each resolved?", ("alert.opened",), "/alerts", _resolved),
    "told": Look("Who was told outside?", ("channel.delivered", "channel.abandoned"), "/channels"),
    "drift": Look("What moved in the work of agents?", ("drift.found", "drift.settled", "drift.accepted"), "/drift"),
    "feedback": Look("What did users say?", ("feedback.given", "feedback.joined"), "/feedback"),
    "corrections": Look("What was learned from corrections?", ("correction.found", "correction.accepted", "correction.retired"), "/corrections"),
    "labels_by_people": Look("What did people label?", ("annotation.labelled", "annotation.settled", "annotation.disputed"), "/queues"),
    "datasets": Look("What data were brought in?", ("import.done",), "/datasets"),
    "integrations": Look("Do the systems outside keep their word?", ("integration.checked", "integration.changed", "integration.failed", "integration.health_changed"), "/integrations"),
    "budgets": Look("What may be spent, and where was that reached?", ("budget.set", "budget.refused", "budget.overshot", "budget.soft_passed"), "/budgets"),
    "policies": Look("Which rules were made?", ("artifact.created", "version.created"), "/policies"),
    "inventory": Look("What was made, and who owns it?", ("artifact.created", "version.created"), "/agents"),
    "retired": Look("Which agents were retired?", ("agent.retired", "agent.reinstated"), "/agents"),
    "forgotten": Look("Which memories were taken away?", ("memory.forgotten",), "/agents"),
    "access": Look("Who was let in, with which roles?", ("user.created", "user.roles_set", "session.begun"), "/people"),
    "credentials": Look("Which credentials were given and taken?", ("token.issued", "token.revoked", "user.password_set", "link.issued"), "/people"),
    "verified": Look("Was the record found whole?", ("journal.verified", "journal.key_made"), "/audit"),
}  # fmt: skip
# Looks at the journal itself.
JOURNAL, REACH = "journal", "reach"
# Only versions and labels of this kind count for a look.
OF_KIND = {"policies": "policy/"}

# What is a change: what is in use, who may, what is allowed, how it is watched.
CHANGES = frozenset(
    {
        "artifact.created", "version.created", "label.moved",
        "proposal.opened", "proposal.checked", "proposal.merged", "proposal.withdrawn",
        "approval.given", "approval.consumed", "gate.decided", "import.done",
        "release.started", "release.gated", "release.advanced", "release.paused", "release.resumed",
        "release.aborted", "release.rolled_back", "release.promoted", "release.superseded",
        "autonomy.killed", "autonomy.revived", "autonomy.narrowed", "autonomy.widened", "autonomy.begun_anew",
        "budget.set", "budget.removed", "agent.retired", "agent.reinstated", "memory.forgotten",
        "user.created", "user.roles_set", "token.issued", "token.revoked", "traces.keeping_decided",
        "inbox.settings_set", "retraining.settings_set", "threshold.settings_set", "alert.muted",
        "alert.unmuted", "correction.accepted", "correction.retired", "integration.accepted",
        "gateway.tool_quarantined", "journal.key_made",
    }
)  # fmt: skip
