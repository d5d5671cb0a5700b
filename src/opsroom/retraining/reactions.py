"""What retraining hears of: reasons to make an agent better, and how what it started goes on."""

from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Tx
from opsroom.registry import Kinds
from opsroom.registry.model import PRODUCTION
from opsroom.releases import queries as releases

from . import commands, steps
from .model import Reason, Trigger, short

REASONS = frozenset({"drift.found", "correction.accepted"})
ENDS = frozenset(
    {
        "improvement.finished",
        "improvement.failed",
        "improvement.stopped",
        "proposal.withdrawn",
        "release.aborted",
        "release.rolled_back",
        "label.moved",
    }
)
STEPS = frozenset(
    {
        "retraining.queued",
        "retraining.strengthened",
        "retraining.found",
        "retraining.settings_set",
        "proposal.checked",
        "proposal.merged",
        "approval.given",
        "release.aborted",
        "release.rolled_back",
        "release.promoted",
    }
)


def reactions(kinds: Kinds) -> tuple[Reaction, ...]:
    """Names are kept for ever: cursors are filed under them. Steps come last, so that they rest
    on what has been followed.
    """

    def step(tx: Tx, entry: Entry) -> None:
        noun, _, name = entry.subject.partition("/")
        match noun:
            case "retraining" | "agent":
                steps.advance_agent(tx, str(entry.facts["agent"]), kinds=kinds)
            case "proposal":
                steps.advance_with(tx, name, kinds=kinds)
            case "release":
                release = releases.release(tx, name)
                if release.kind == "agent":
                    steps.advance_agent(tx, release.name, kinds=kinds)
            case _:
                pass

    return (
        Reaction(name="retraining.reasons", events=REASONS, react=_reason),
        Reaction(name="retraining.ends", events=ENDS, react=_end),
        Reaction(name="retraining.steps", events=STEPS, react=step),
    )


def _reason(tx: Tx, entry: Entry) -> None:
    agent = str(entry.facts["agent"])
    if entry.event == "correction.accepted":
        commands.accepted(tx, agent)
        return
    reason = Reason(
        trigger=Trigger.DRIFT,
        because=short(str(entry.facts["because"])),
        at=entry.at,
        evidence=(entry.subject,),
    )
    commands.notice(tx, agent, reason)


def _end(tx: Tx, entry: Entry) -> None:
    noun, _, name = entry.subject.partition("/")
    facts = entry.facts
    because = str(facts.get("because") or facts.get("reason") or "no reason was given")
    match entry.event:
        case "improvement.finished":
            commands.search_ended(
                tx,
                name,
                proposal=str(facts["proposal"]),
                version=str(facts["version"]),
                because=because,
                failed=False,
            )
        case "improvement.failed" | "improvement.stopped":
            if entry.event == "improvement.stopped":
                because = f"{entry.actor} stopped it"
            commands.search_ended(
                tx, name, proposal="", version="", because=because, failed=True
            )
        case "proposal.withdrawn":
            commands.withdrawn(tx, name, because=because)
        case "label.moved":
            if noun == "agent" and facts["label"] == PRODUCTION:
                commands.serves(tx, name)
        case _:
            commands.release_stopped(tx, name, because=because)
