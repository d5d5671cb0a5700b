"""The random shadow sample of a release, in the shape of a queue.

Nothing is copied: pairs and judgements stay with the release, and a label goes through its own
command, so that the same people may judge as on its page.
"""

from collections.abc import Sequence

from opsroom.kit.db import Tx
from opsroom.releases import observing
from opsroom.releases import queries as releases
from opsroom.releases.errors import PairNotSampled
from opsroom.releases.evidence import SampleCounts
from opsroom.releases.model import Release
from opsroom.releases.model import State as Stage
from opsroom.releases.observation import Sampled
from opsroom.releases.watching import why_not_judge
from opsroom.releases.words import moves

from .model import Label, State, TaskView, as_text, check_said
from .queries import Line

PREFIX = "rel_"
MOST = 20
GOOD, NOT_GOOD = LABELS = ("good", "not good")
RUBRIC = (
    "Is the candidate's answer good enough to be given to whoever asked? What the champion "
    "answered is shown to compare; it need not be right either."
)


def is_sample(queue_id: str) -> bool:
    """Whether a queue is the sample of a release."""
    return queue_id.startswith(PREFIX)


def lines(tx: Tx) -> list[Line]:
    """The samples that are being judged now."""
    return _lines(tx, _in_review(tx))


def line(tx: Tx, release_id: str) -> Line:
    """Raises `ReleaseNotFound`."""
    return _lines(tx, [releases.release(tx, release_id)])[0]


def count_mine(tx: Tx) -> int:
    """How many sampled answers wait for the person who asks."""
    if "review" not in tx.actor.may or not tx.actor.human:
        return 0
    return sum(one.mine for one in lines(tx))


def why_not(tx: Tx, release_id: str) -> str:
    """Why the person who asks may not judge; empty where they may."""
    return why_not_judge(tx, releases.release(tx, release_id))


def next_task(tx: Tx, release_id: str, *, after: str = "") -> TaskView | None:
    """The next answer that nobody has judged; after that of `after`, and then from the start."""
    pairs = releases.sample(tx, release_id)
    place = next((n for n, one in enumerate(pairs, 1) if one.pair.key == after), 0)
    found = (one for one in [*pairs[place:], *pairs[:place]] if one.good is None)
    return next((_task(release_id, one) for one in found), None)


def task(tx: Tx, release_id: str, key: str) -> TaskView:
    """Raises `PairNotSampled`."""
    for one in releases.sample(tx, release_id):
        if one.pair.key == key:
            return _task(release_id, one)
    raise PairNotSampled(release_id, key)


def label(tx: Tx, release_id: str, key: str, said: str, *, reason: str) -> TaskView:
    """Judge an answer, by the rules of the release. Raises `BadLabel` and what they raise."""
    good = check_said(said, LABELS) == GOOD
    return _task(
        release_id, observing.judge_pair(tx, release_id, key, good=good, reason=reason)
    )


def _in_review(tx: Tx) -> list[Release]:
    return releases.releases(tx, state=Stage.IN_REVIEW, limit=MOST)


def _lines(tx: Tx, some: Sequence[Release]) -> list[Line]:
    counted = releases.sample_counts(tx, some)
    return [_line(of, counted[of.id], mine=not why_not_judge(tx, of)) for of in some]


def _line(of: Release, counted: SampleCounts, *, mine: bool) -> Line:
    return Line(
        id=of.id,
        name=f"Sample of {moves(of)}",
        kind="release",
        state="open" if of.state is Stage.IN_REVIEW else "closed",
        tasks=counted.drawn,
        settled=counted.judged,
        disputed=0,
        mine=counted.drawn - counted.judged if mine else 0,
    )


def _task(release_id: str, one: Sampled) -> TaskView:
    pair = one.pair
    said = None if one.good is None else GOOD if one.good else NOT_GOOD
    labels: tuple[Label, ...] = ()
    if said is not None and one.judged_by is not None and one.judged_at is not None:
        labels = (
            Label(seat=1, by=one.judged_by, label=said, reason=one.reason, at=one.judged_at),
        )
    champion = pair.champion_output
    return TaskView(
        id=pair.key,
        queue=release_id,
        subject=f"release/{release_id}",
        input=pair.input,
        output=pair.challenger_output,
        context="" if champion is None else f"The champion answered: {as_text(champion)}",
        domain="",
        trace="",
        state=State.WAITING if said is None else State.SETTLED,
        labels=labels,
        label=said,
    )
