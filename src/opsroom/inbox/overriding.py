"""Keeping what people decided otherwise, and why."""

from dataclasses import replace
from typing import Any

from opsroom.kit.db import Tx
from opsroom.kit.reasons import ReasonMissing, reason

from . import categories
from . import override_store as store
from .errors import OverrideNotFound
from .model import Override, OverrideDraft, Request, Said, Say

EARLIER = 500
IMPORTED = (
    "import:"  # before the name of a format, where nobody here said it; no person is called so
)


def override(tx: Tx, draft: OverrideDraft, *, by: str = "") -> Override:
    """Record that a person decided otherwise about something nobody had asked them about.

    `by` is for what comes from elsewhere (`import:format`). Raises `ReasonMissing` without a reasoning: it is what is learnt from.
    """
    reason(draft.reasoning, to="override an agent")
    given: dict[str, Any] = {
        name: getattr(draft, name) for name in OverrideDraft.__dataclass_fields__
    }
    made = Override(
        id=tx.ids.new("ovr"),
        request="",
        by=by or tx.actor.person,
        at=tx.now,
        sorted_by=tx.actor.person if draft.category else "",
        **given,
    )
    return _keep(tx, made)


def of_answer(tx: Tx, request: Request, said: Said) -> Override:
    """The override that an answer in the inbox is."""
    human: dict[str, Any] = {"say": said.say.value}
    if said.say is Say.EDIT:
        human["arguments"] = dict(said.arguments or {})
    if said.text:
        human["text"] = said.text
    made = Override(
        id=tx.ids.new("ovr"),
        request=request.id,
        subject=request.subject,
        agent=request.agent,
        version=request.version,
        tool=request.tool,
        agent_decision={"tool": request.tool, "arguments": dict(request.arguments)},
        human_decision=human,
        say=said.say,
        reasoning=said.reason or said.text,
        by=said.by,
        at=tx.now,
        trace=request.trace,
    )
    return _keep(tx, made)


def recategorise(tx: Tx, override_id: str, category: str) -> Override:
    """Set what kind of disagreement it was; a person's word replaces the suggestion."""
    was = store.override(tx, override_id)
    if was is None:
        raise OverrideNotFound(override_id)
    category = categories.slug(category)
    if not category:
        raise ReasonMissing("recategorise an override")
    changed = replace(was, category=category, sorted_by=tx.actor.person)
    store.save(tx, changed)
    tx.record(
        "override.recategorised", was.subject, override=was.id, was=was.category, to=category
    )
    return changed


def retract(tx: Tx, request_id: str) -> None:
    """Let overrides that came from an answer teach no more, since the answer was taken back."""
    for one in store.of_request(tx, request_id):
        store.save(tx, replace(one, retracted_at=tx.now))
        tx.record("override.retracted", one.subject, override=one.id)


def _keep(tx: Tx, made: Override) -> Override:
    if not made.category:
        earlier = store.reasons(tx, limit=EARLIER)
        made = replace(made, category=categories.suggest(made.reasoning, earlier))
    store.add(tx, made)
    tx.record(
        "override.recorded",
        made.subject,
        override=made.id,
        request=made.request,
        agent=made.agent,
        tool=made.tool,
        say=made.say.value,
        reasoning=made.reasoning,
        category=made.category,
    )
    return made
