"""What stands in the retraining queue, and what happens to it by itself. No I/O.

    queued → running → candidate → released;   dismissed from anywhere before

An agent has one open entry. What else speaks for making it better is added to that one, so
that a noisy week is one piece of work and not thirty.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from opsroom.evidence import Interval
from opsroom.improvement.model import MOST_CALLS, Budget, Method
from opsroom.kit.wire import Wire
from opsroom.registry import Criticality

from .errors import BrokenSettings

MOST_REASONS = 20
MOST_WORDS = 500
PASSED = "passed"
CHANGE_A_PROMPT = frozenset({Method.EXAMPLES, Method.REFLECT})
SYSTEM_ROLE = "system"
STRICT = (Criticality.ADVISORY, Criticality.ASSISTIVE, Criticality.AUTONOMOUS)


class Trigger(StrEnum):
    """What speaks for making an agent better."""

    DRIFT = "drift"
    OVERRIDES = "overrides"
    MODEL = "model"
    SCHEDULE = "schedule"
    MANUAL = "manual"


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    CANDIDATE = "candidate"
    RELEASED = "released"
    DISMISSED = "dismissed"


OVER = frozenset({State.RELEASED, State.DISMISSED})


class Mode(StrEnum):
    """How far it goes without a hand: nowhere, up to a proposal, or on to a release."""

    OFF = "off"
    CANDIDATE = "candidate"
    RELEASE = "release"


class Asked(StrEnum):
    """Whether the gate was asked about a candidate; what it said stands on the proposal."""

    NO = "no"
    ASKED = "asked"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Wire):
    """Of how many turns people decided otherwise, with the exact 95 % interval of the share."""

    corrected: int
    turns: int
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Wire):
    """Why an agent should be made better. `evidence` names what shows it (`drift/dft_…`);
    `models` are those that served before and since, `accepted` how many corrections were
    accepted since the last search.
    """

    trigger: Trigger
    because: str
    at: datetime
    evidence: tuple[str, ...] = ()
    rate: Rate | None = None
    accepted: int | None = None
    models: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Wire):
    """What a search is estimated to cost at most, in US dollars; None where it is not known.
    `because` says how it was reckoned, or what is missing.
    """

    usd: Decimal | None
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Wire):
    """One agent that should be made better.

    `prompt` is the version that would be improved (`prompt/name@7`), empty where the agent
    cites none. `reasons` are the first and the newest of `times`, at most twenty. `version`, `proposal` and `release`
    are what it came to; `waits` says why it stands where it stands. `note` is why it ended.
    """

    id: str
    agent: str
    prompt: str
    state: State
    reasons: tuple[Reason, ...]
    times: int = 1
    cost: Cost
    opened_at: datetime
    changed_at: datetime
    opened_by: str
    improvement: str = ""
    version: str = ""
    proposal: str = ""
    gate: Asked = Asked.NO
    release: str = ""
    waits: str = ""
    closed_by: str = ""
    note: str = ""
    revision: int = 1

    @property
    def subject(self) -> str:
        return f"retraining/{self.id}"

    @property
    def over(self) -> bool:
        return self.state in OVER

    def stronger(self, reason: Reason, *, now: datetime) -> "Entry":
        """The entry with one more reason. Of more than twenty, the first and the newest stay."""
        reasons = (*self.reasons, reason)
        if len(reasons) > MOST_REASONS:
            reasons = (reasons[0], *reasons[2:])
        return replace(self, reasons=reasons, times=self.times + 1, changed_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Wire):
    """When an agent is put into the queue, how it is improved, and how far that goes by itself.

    Corrections speak when at least `accepted` of them came since the last search, and the share
    of turns that people decided otherwise in 30 days is above `share`: the lower bound of its
    interval, where turns are known. `every_days` of 0 is no schedule. `role` is the prompt of
    the manifest that is improved; empty, it is that of the role `system`, or the only one.
    `model` is asked about cases; empty, it is that of the manifest.
    """

    mode: Mode = Mode.OFF
    share: float = 0.05
    accepted: int = 20
    every_days: int = 0
    role: str = ""
    method: Method = Method.EXAMPLES
    model: str = ""
    reflection_model: str = ""
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(Wire):
    """What is known of an agent between its entries.

    `accepted` counts corrections since the last search, or since somebody dismissed an entry;
    `noted` says that they have spoken for the entry that is open.
    `usd` is what a turn cost on average when telemetry was last looked at. Steps that are taken
    by themselves are taken for `set_by`, who said so; somebody else has to approve.
    """

    agent: str
    settings: Settings = field(default_factory=Settings)
    set_by: str = ""
    since: datetime
    accepted: int = 0
    noted: bool = False
    usd: Decimal | None = None

    @property
    def scheduled(self) -> datetime | None:
        """When the schedule asks for the next search: so long after the last one, or after it
        was set.
        """
        days = self.settings.every_days
        return self.since + timedelta(days=days) if days else None


class Step(StrEnum):
    """What is to be done next with an entry."""

    START = "start"
    ASK_GATE = "ask_gate"
    MERGE = "merge"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is done by itself now, and why."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What counts for the next step of an entry.

    `merged` and `gate` are of its proposal: whether its label has moved, and the state of its
    check. `lacking` is what the rules still ask of people and checks, by the stricter
    criticality of prompt and agent. An autonomous prompt is not `mergeable`: its own label
    moves by a release only, and the agent's release does not need it.
    """

    merged: bool = False
    gate: str = ""
    lacking: tuple[str, ...] = ()
    mergeable: bool = True


def decide(  # noqa: PLR0911  # one for each way
    entry: Entry, mode: Mode, known: Known
) -> Step | Wait:
    """What happens to an entry by itself.

    Nothing is approved here, for nobody: what the rules ask of people is waited for. A gate
    that did not pass is waited for as well, whatever the criticality.
    """
    match entry.state:
        case State.RELEASED | State.DISMISSED:
            return Wait("it is over")
        case State.RUNNING:
            return Wait("the search is under way")
        case State.QUEUED if (
            entry.improvement
        ):  # a search that failed may fail again, and costs
            return Wait(entry.waits)
        case State.QUEUED if mode is Mode.OFF:
            return Wait("somebody has to start it" if entry.prompt else entry.waits)
        case State.QUEUED:
            return Step.START
        case State.CANDIDATE if entry.release:
            return Wait("its release is under way")
        case State.CANDIDATE if mode is not Mode.RELEASE:
            return Wait(
                "it was merged: start the release of the agent"
                if known.merged
                else "its proposal waits for people"
            )
        case State.CANDIDATE:
            return _after_the_search(entry, known)


def _after_the_search(  # noqa: PLR0911  # one for each way
    entry: Entry, known: Known
) -> Step | Wait:
    if known.merged:
        return Step.RELEASE
    if not known.gate:
        match entry.gate:
            case Asked.NO:
                return Step.ASK_GATE
            case Asked.ASKED:
                return Wait("the gate measures it")
            case Asked.NO_ANSWER:
                return Wait(entry.waits)
    if known.gate != PASSED:
        return Wait(f"the gate on its proposal is {known.gate}: somebody has to look")
    if known.lacking:
        return Wait(f"its proposal waits for people: {'; '.join(known.lacking)}")
    return Step.MERGE if known.mergeable else Step.RELEASE


def why_not_released(entry: Entry, known: Known) -> str:
    """Why nobody can start the agent's release with what was found, in words; empty where
    somebody can.
    """
    if entry.state is not State.CANDIDATE:
        return f"it is {entry.state.value}"
    if entry.release:
        return "its release is under way"
    if known.merged:
        return ""
    if known.mergeable:
        return "its proposal is not merged"
    if known.gate != PASSED:
        return (
            f"the gate on its proposal {f'is {known.gate}' if known.gate else 'was not asked'}"
        )
    return f"its proposal waits for people: {'; '.join(known.lacking)}" if known.lacking else ""


def stricter(one: Criticality, other: Criticality) -> Criticality:
    return max(one, other, key=STRICT.index)


def speaks(settings: Settings, accepted: int, rate: Rate | None) -> bool:
    """Whether corrections are a reason to make the agent better: enough of them to learn from,
    and, where turns are known, more of its turns corrected than may be, surely.
    """
    if accepted < settings.accepted:
        return False
    return rate is None or rate.interval.low > settings.share


def told_rate(accepted: int, rate: Rate | None) -> str:
    """Corrections as a reason, in words."""
    new = f"{accepted} new corrections were accepted"
    if rate is None:
        return new
    low, high = rate.interval.low, rate.interval.high
    share = rate.corrected / rate.turns
    return (
        f"people decided otherwise in {rate.corrected} of {rate.turns} turns in 30 days,"
        f" {share:.1%} [{low:.1%}, {high:.1%}]; {new}"
    )


def prompt_of(prompts: Mapping[str, str], role: str) -> str:
    """The prompt of a manifest that is improved (`name@7`), or empty where there is no one: that
    of `role`, or else of the role `system`, or else the only one.
    """
    if role:
        return prompts.get(role, "")
    only = next(iter(prompts.values())) if len(prompts) == 1 else ""
    return prompts.get(SYSTEM_ROLE, only)


def estimate(budget: Budget, mean: Decimal | None, source: str) -> Cost:
    """What a search costs at most: every call it may make, at what an answer costs on average,
    and no more than it may spend. `source` says where the mean comes from, or why there is none.
    """
    if mean is None:
        if budget.max_usd is None:
            return Cost(usd=None, because=source)
        return Cost(usd=budget.max_usd, because=f"the limit of the budget; {source}")
    usd = (mean * budget.max_calls).quantize(Decimal("0.01"))
    words = f"{budget.max_calls:,} calls at {mean:.2g} USD, {source}"
    if budget.max_usd is not None and budget.max_usd < usd:
        return Cost(usd=budget.max_usd, because=f"the limit of the budget; {words}")
    return Cost(usd=usd, because=words)


def check_settings(settings: Settings) -> None:
    """Raises `BrokenSettings`."""
    for wrong, what in (
        (not 0 <= settings.share < 1, f"a share of {settings.share:g}"),
        (not 1 <= settings.accepted <= 10_000, f"{settings.accepted} corrections"),
        (not 0 <= settings.every_days <= 3_650, f"a schedule of {settings.every_days} days"),
        (
            settings.method not in CHANGE_A_PROMPT,
            f"the method {settings.method.value!r}, which makes no prompt,",
        ),
        (
            not 1 <= settings.budget.max_calls <= MOST_CALLS,
            f"a budget of {settings.budget.max_calls} calls",
        ),
        (
            settings.budget.max_usd is not None and settings.budget.max_usd <= 0,
            f"a budget of {settings.budget.max_usd} USD",
        ),
    ):
        if wrong:
            raise BrokenSettings(what)


def short(words: str) -> str:
    return words if len(words) <= MOST_WORDS else f"{words[: MOST_WORDS - 1]}…"
