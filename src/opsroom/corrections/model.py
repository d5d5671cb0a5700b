"""What an override teaches, and what may become of it. No I/O.

    candidate → accepted → retired;   quarantined → candidate

A correction is one case: what the agent was asked, and what people say is right. Overrides that
say the same make one correction. An accepted one is an item of the dataset `corrections-AGENT`,
in a split that depends on the question alone: the same question is never an example and a test.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from opsroom.inbox.model import Override, Say
from opsroom.kit import texts
from opsroom.kit.canonical import canonical, digest
from opsroom.kit.wire import Wire
from opsroom.registry.model import NAME

RETIRED = "retired"
MOST_A_DAY = 200  # corrections of one agent by one person; who makes more is looked at first
MOST_BYTES = 64_000  # of a question and its answer
MOST_PEOPLE = 20  # whose names are kept with a correction
LABEL = 60  # characters of a decision in a table


class State(StrEnum):
    CANDIDATE = "candidate"
    ACCEPTED = "accepted"
    RETIRED = "retired"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Second(Wire):
    """What somebody said who did not know which answer was whose: that of the people, that of
    the agent, or neither. `task` is where they said it.
    """

    task: str
    said: Literal["people", "agent", "neither"]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction(Wire):
    """One thing people taught. `hash` is the content hash of the item that it is or would be,
    `asked` the digest of the question alone. `times` counts the overrides that say so and count,
    `people` are (the first twenty of) those who answer for it, `seconds` what others said who did
    not know. `completed_by` put in what was missing. `version` is the version of the dataset that
    last took it in or out.
    """

    id: str
    agent: str
    tool: str
    category: str
    input: Any
    expected: Any
    agent_said: str
    human_said: str
    asked: str
    hash: str
    split: str
    state: State
    because: str = ""
    times: int = 1
    people: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    version: str = ""
    completed_by: str = ""
    seconds: tuple[Second, ...] = ()
    revision: int = 1

    @property
    def against(self) -> int:
        """How many who looked without knowing did not choose what people had said."""
        return sum(one.said != "people" for one in self.seconds)

    @property
    def agent_is_a(self) -> bool:
        """Which answer is shown first where nobody is to know whose it is; by its content alone."""
        return int(self.hash[-1], 16) % 2 == 0

    @property
    def subject(self) -> str:
        return f"correction/{self.id}"

    @property
    def dataset(self) -> str:
        return dataset_of(self.agent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """What an override says is right, and how both decisions are called in tables. `wrong` is
    what the agent had said in place of `expected`; None where that is no answer to prefer.
    """

    expected: Any
    wrong: Any = None
    agent_said: str
    human_said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An override as corrections read it: the question and the answer, cleaned, how both
    decisions are called, which version was corrected in which turn (or trace), and whether its
    author floods the agent. `unclear` says why nothing can be learnt from it.
    """

    input: Any
    expected: Any
    agent_said: str
    human_said: str
    asked: str
    hash: str
    unclear: str
    subject: str
    version: str
    flooded: bool


def dataset_of(agent: str) -> str:
    return f"corrections-{agent}"


def nameless(agent: str) -> str:
    """Why corrections of an agent of that name have no dataset to go into, in words."""
    return (
        "" if NAME.fullmatch(dataset_of(agent)) else f"no dataset can be named after {agent!r}"
    )


def taught(one: Override) -> Taught:
    """What an override teaches.

    A corrected value is the answer; an edit that changed one text is that text, and otherwise
    the call with what was changed; what was rejected, or answered with words, is known to be
    wrong and no more.
    """
    tool = one.tool
    match one.say:
        case Say.EDIT:
            was, now = _arguments(one.agent_decision), _arguments(one.human_decision)
            changed = {name: value for name, value in now.items() if was.get(name) != value}
            name, value = next(iter(changed.items()), ("", None))
            if len(changed) == 1 and isinstance(value, str):
                return Taught(
                    expected=value,
                    wrong=was.get(name),
                    agent_said=label(was.get(name)),
                    human_said=label(value),
                )
            before = {name: was.get(name) for name in changed}
            return Taught(
                expected={"tool": tool, "arguments": changed} if changed else None,
                wrong={"tool": tool, "arguments": before} if changed else None,
                agent_said=label(before),
                human_said=label(changed),
            )
        case Say.REJECT | Say.RESPOND:
            return Taught(
                expected={"not": one.agent_decision},
                agent_said=label(tool or one.agent_decision),
                human_said="not that" if one.say is Say.REJECT else "a message instead",
            )
        case Say.RELABEL | Say.APPROVE:
            return Taught(
                expected=one.human_decision,
                wrong=one.agent_decision,
                agent_said=label(one.agent_decision),
                human_said=label(one.human_decision),
            )


def whole(one: Override) -> tuple[Any, Any] | None:
    """What is right and what was wrong of an edited call, each with all of its arguments; None
    where they are not known. An answer in the inbox says them all, an edit from elsewhere may
    say only what it changed.
    """
    was, now = _arguments(one.agent_decision), _arguments(one.human_decision)
    if not now or not (was or one.request):
        return None
    meant = now if one.request else {**was, **now}
    return (
        {"tool": one.tool, "arguments": dict(meant)},
        {"tool": one.tool, "arguments": dict(was)},
    )


def content_hash(input_: Any, expected: Any) -> str:
    """The content hash of the item of a dataset; see `datasets.Item`."""
    return digest({"input": input_, "expected": expected})


def unclear(input_: Any, expected: Any) -> str:
    """Why nothing can be learnt from this as it is, in words; empty where something can."""
    if _unknown(input_):
        return "what the agent was asked is not known"
    if _unknown(expected):
        return "what would have been right is not known"
    if _too_large(input_, expected):
        return f"question and answer are larger than {MOST_BYTES // 1000} kB"
    return ""


def known_already(one: Correction, input_: Any, expected: Any) -> str:
    """What of a correction these would say otherwise although it is known, in words."""
    if _too_large(one.input, one.expected):
        return ""
    if not _unknown(one.input) and input_ != one.input:
        return "what the agent was asked is known"
    if not _unknown(one.expected) and expected != one.expected:
        return "what would have been right is known"
    return ""


def why_not(one: Correction, rivals: Sequence[Correction], by: str, *, grave: bool) -> str:
    """Why `by` cannot accept a correction, in words; empty where they can.

    `rivals` say something else of the same question. Of an agent that acts alone (`grave`)
    nobody accepts what they alone have said, or have completed. Nor does anybody what as many
    people doubt as say.
    """
    if one.state is not State.CANDIDATE:
        return f"it is {one.state.value}"
    if said := unclear(one.input, one.expected):
        return said
    if rivals:
        return (
            f"people contradict each other: {rivals[0].id} says {rivals[0].human_said!r}, "
            f"not {one.human_said!r}"
        )
    if one.against >= len(one.people):
        return f"{one.against} who looked without knowing who said what chose otherwise"
    return _own(one, by) if grave else ""


def label(decision: Any) -> str:
    """A decision in a few words: a text as it is, anything else as JSON, cut."""
    text = decision if isinstance(decision, str) else canonical(decision).decode()
    line = " ".join(text.split())
    return line if len(line) <= LABEL else f"{line[: LABEL - 1]}…"


def cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    """`value` with every text in it cleaned, keys and all."""
    return texts.changed(value, clean, keys=True)


def _own(one: Correction, by: str) -> str:
    """What of a correction is `by`'s own doing, where the agent acts alone; empty for nothing."""
    if set(one.people) == {by}:
        return "nobody but you has said so, and the agent acts alone: somebody else has to look"
    if one.completed_by == by:
        return "you completed it, and the agent acts alone: somebody else has to look"
    return ""


def _unknown(part: Any) -> bool:
    return part is None or part == ""


def _too_large(input_: Any, expected: Any) -> bool:
    return len(canonical({"input": input_, "expected": expected})) > MOST_BYTES


def _arguments(decision: Any) -> Mapping[str, Any]:
    found = decision.get("arguments") if isinstance(decision, Mapping) else None
    return found if isinstance(found, Mapping) else {}
