"""Asking people about an action: the one place that talks to the inbox."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsroom.contracts import words
from opsroom.contracts.model import ContractSpec, Tier
from opsroom.inbox import commands as inbox
from opsroom.inbox import queries
from opsroom.inbox.errors import NotReleased
from opsroom.inbox.model import GRANTED, RequestDraft, Risk
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import plain

from .gate import Judged
from .model import Action, Turn, binding_of

DUE = timedelta(hours=4)
EXPIRES = timedelta(days=3)
RISKS = {
    Tier.READ: Risk.LOW,
    Tier.WRITE: Risk.MEDIUM,
    Tier.EXTERNAL: Risk.MEDIUM,
    Tier.IRREVERSIBLE: Risk.HIGH,
    Tier.CREDENTIAL: Risk.HIGH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request before people: its id, and what its approval is bound to."""

    request: str
    facts: dict[str, Any]


def ask(
    tx: Tx, turn: Turn, action: Action, spec: ContractSpec, judged: Judged, *, why: str
) -> Asked:
    """Put an action before people. The approval is bound to exactly what will be done."""
    expires_at = tx.now + EXPIRES
    facts = {
        "contract": action.contract_digest,
        "manifest": action.manifest,
        "subject": turn.subject,
        "policy": action.policy,
        "expires_at": expires_at.isoformat(),
        "nonce": action.id,
    }
    request = inbox.ask(
        tx,
        RequestDraft(
            subject=f"action/{action.id}",
            agent=action.agent,
            requester=turn.human or tx.actor.person,
            owner=tx.actor.person,
            tool=spec.tool,
            title=words.title(spec, action.arguments),
            why=why,
            risk=RISKS[spec.risk],
            arguments=action.arguments,
            schema=spec.input,
            evidence=_evidence(turn, judged),
            amount=judged.amount,
            reversible=words.reversible(spec),
            confidence=action.confidence,
            turn=turn.id,
            trace=turn.trace,
            version=turn.version,
            binding=binding(facts, action.arguments),
            due_at=tx.now + DUE,
            expires_at=expires_at,
        ),
    )
    return Asked(request=request.id, facts=facts)


def binding(facts: dict[str, Any], arguments: dict[str, Any]) -> str:
    """The digest that an approval of an action stands for."""
    return binding_of(
        arguments=arguments,
        contract=facts["contract"],
        manifest=facts["manifest"],
        subject=facts["subject"],
        policy=facts["policy"],
        expires_at=datetime.fromisoformat(facts["expires_at"]),
        nonce=facts["nonce"],
    )


def granted(tx: Tx, action: Action) -> bool:
    """Whether people said yes and can no longer take it back."""
    if action.approval is None:
        return False
    request = queries.request(tx, action.approval)
    released = request.release_at is None or tx.now >= request.release_at
    return request.state in GRANTED and released


def use(tx: Tx, action: Action, facts: dict[str, Any]) -> tuple[dict[str, Any], bool] | str:
    """Use the approval of an action up: the arguments to execute, and whether people changed
    them; or why it does not stand, in words.
    """
    assert action.approval is not None
    try:
        consumed = inbox.consume(tx, action.approval, binding=binding(facts, action.arguments))
    except NotReleased:
        raise
    except OpsroomError as error:
        return str(error)
    return dict(consumed.arguments), consumed.edited


def withdraw(tx: Tx, action: Action, reason: str) -> None:
    """Take a request back that nobody has to answer any more."""
    if action.approval is None:
        return
    request = queries.request(tx, action.approval)
    if request.state.value in {"pending", "approved", "edited"}:
        inbox.cancel(tx, action.approval, reason)


def _evidence(turn: Turn, judged: Judged) -> dict[str, Any]:
    return {
        "intent": turn.intent,
        "plan": turn.plan,
        "grounding": [plain(one) for one in judged.grounding.grounds],
        "reasons": [one.words for one in judged.ruling.reasons],
        "notes": [one.words for one in judged.canonical.notes],
    }
