"""A second look at corrections, by somebody who does not know which answer was whose.

The looks are tasks of a review queue of its own: both answers stand there as A and B, those who
made the correction are kept out, and nobody sees who said what before they have chosen.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from opsroom.annotation import commands as annotation
from opsroom.annotation import queries as queues
from opsroom.annotation.model import QueueDraft, TaskDraft
from opsroom.evidence.agreement import Agreement, agreement
from opsroom.inbox import queries as inbox
from opsroom.kit.db import Tx
from opsroom.traces import keeping

from . import store
from .errors import CorrectionNotFound, CorrectionOver
from .model import Correction, Second, State, cleaned, taught

QUEUE = "Corrections, looked at once more"
LABELS = A, B, NEITHER = "A", "B", "neither"
MOST_LOOKED = 500


def ask(tx: Tx, ids: Sequence[str]) -> str:
    """Put candidates before somebody else; the queue that they wait in.

    Safe to repeat: a correction is in the queue once. Raises `CorrectionNotFound`, and
    `CorrectionOver` for what is no candidate.
    """
    some = [_candidate(tx, one) for one in dict.fromkeys(ids)]
    queue = _queue(tx)
    annotation.add_tasks(tx, queue, [_task(tx, one) for one in some])
    return queue


def take_in(tx: Tx, subject: str, queue: str, task: str, label: str) -> None:
    """Note what somebody chose; safe to repeat. Looks in queues of people's own say nothing of
    both answers, nor does anybody give a second look to what they have said themselves.
    """
    one = store.correction(tx, subject.partition("/")[2], lock=True)
    if one is None or any(each.task == task for each in one.seconds):
        return
    settled = queues.settled(tx, task)
    if settled is None or queues.queue(tx, queue).name != QUEUE or label not in LABELS:
        return
    if {each.by for each in settled.labels} & {*one.people, one.completed_by}:
        return
    said = _said(one, label)
    store.save(
        tx, replace(one, seconds=(*one.seconds, Second(task=task, said=said, at=tx.now)))
    )
    tx.record(
        "correction.looked_at",
        one.subject,
        agent=one.agent,
        agent_said=one.agent_said,
        human_said=one.human_said,
        said=said,
    )


def agreed(tx: Tx, *, agent: str | None) -> Agreement | None:
    """How far those who corrected and those who looked again agree, over the newest 500 that
    somebody looked at; None where nobody did.
    """
    looked = store.looked_at(tx, agent=agent, limit=MOST_LOOKED)
    first = [one.human_said for one in looked for _ in one.seconds]
    second = [_words(one, each) for one in looked for each in one.seconds]
    return agreement(first, second) if first else None


def _candidate(tx: Tx, correction_id: str) -> Correction:
    one = store.correction(tx, correction_id)
    if one is None:
        raise CorrectionNotFound(correction_id)
    if one.state is not State.CANDIDATE:
        raise CorrectionOver(one.id, one.state.value, "looked at once more")
    return one


def _queue(tx: Tx) -> str:
    there = next((one for one in queues.queues(tx, limit=200) if one.name == QUEUE), None)
    if there is not None:
        return there.id
    draft = QueueDraft(
        name=QUEUE,
        purpose="Whether people are right who decided otherwise than an agent.",
        labels=LABELS,
        rubric="Which answer is right? One is an agent's, the other a person's.",
        second=0.0,
    )
    return annotation.open_queue(tx, draft).id


def _task(tx: Tx, one: Correction) -> TaskDraft:
    both = _answers(tx, one)
    shown = both if one.agent_is_a else both[::-1]
    return TaskDraft(
        subject=one.subject,
        input=one.input,
        output={A: shown[0], B: shown[1]},
        domain=one.agent,
        double=False,
        barred=tuple(dict.fromkeys((*one.people, *filter(None, [one.completed_by])))),
    )


def _answers(tx: Tx, one: Correction) -> tuple[Any, Any]:
    """What the agent had said and what people said, whole. Of what people only refused, the
    question is whether it should be done.
    """
    if isinstance(one.expected, dict) and set(one.expected) == {"not"}:
        return {"do": one.expected["not"]}, {"do not": one.expected["not"]}
    newest = store.overrides_of(tx, one.id, limit=1)
    wrong = taught(inbox.override(tx, newest[0])).wrong if newest else None
    clean = keeping.redactor(keeping.current(tx)).clean
    return one.agent_said if wrong is None else cleaned(wrong, clean), one.expected


def _said(one: Correction, label: str) -> Literal["people", "agent", "neither"]:
    if label not in {A, B}:
        return "neither"
    return "agent" if (label == A) is one.agent_is_a else "people"


def _words(one: Correction, second: Second) -> str:
    return {"people": one.human_said, "agent": one.agent_said, "neither": "neither"}[
        second.said
    ]
