"""Recorded verdicts of judges with the truth beside them, as files, in one shape.

Read-only, and nothing of it is stored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from opsroom.evals.calibration import Judged
from opsroom.kit.files import read_jsonl

from .errors import NoRecordings

WORDS = {"pass": True, "fail": False}
FIRST = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOrFail:
    """One judge prompt on one domain: its verdicts, and the words that it really used."""

    domain: str
    judge: str
    judged: tuple[Judged, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferring:
    """One judge on one set of pairs; `winners` has both orders of each item (None: unreadable).

    The truth is which of the two is better; here "good" means that the first one is.
    """

    set: str
    judge: str
    strategy: str
    judged: tuple[Judged, ...]
    winners: tuple[tuple[str | None, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voting:
    """What several raters decided on the same items, each as a word; "" is unreadable."""

    raters: Mapping[str, tuple[str, ...]]


def passing(folder: Path) -> Iterator[PassOrFail]:
    """The judges of `tau_judge_<domain>.jsonl*`, domain by domain."""
    for path in _files(folder, "tau_judge_*.jsonl*"):
        if "transcripts" in path.name:
            continue
        some = list(_lines(path))
        for judge in dict.fromkeys(one["judge_prompt"] for one in some):
            mine = [one for one in some if one["judge_prompt"] == judge]
            yield PassOrFail(
                domain=mine[0]["domain"],
                judge=judge,
                judged=tuple(
                    Judged(
                        item=one["simulation_id"],
                        domain=one["domain"],
                        good=one["reward"] == 1,
                        said=WORDS.get(one["verdict"]),
                        cost=Decimal(str(one["cost_usd"])),
                    )
                    for one in mine
                ),
                words=tuple(one["verdict"] for one in mine),
            )


def preferring(folder: Path) -> Iterator[Preferring]:
    """The judges of `llmbar_<judge>.jsonl*`, by strategy and set."""
    labels = {
        (one["set"], one["idx"]): str(one["label"])
        for path in _files(folder, "llmbar_items.jsonl*")
        for one in _lines(path)
    }
    for path in _files(folder, "llmbar_*.jsonl*"):
        if "items" in path.name:
            continue
        some = list(_lines(path))
        for strategy, of in dict.fromkeys((one["strategy"], one["set"]) for one in some):
            mine = [one for one in some if (one["strategy"], one["set"]) == (strategy, of)]
            name = of.rpartition("/")[2]
            yield Preferring(
                set=name,
                judge=mine[0]["judge_model"],
                strategy=strategy,
                judged=tuple(_both_orders(one, labels[of, one["idx"]], name) for one in mine),
                winners=tuple(
                    (one["plain"]["winner"], one["swapped"]["winner"]) for one in mine
                ),
            )


def _both_orders(one: Mapping[str, Any], label: str, domain: str) -> Judged:
    straight, swapped = one["plain"]["winner"], one["swapped"]["winner"]
    readable = straight is not None and swapped is not None
    place = ""
    if readable and straight != swapped:
        place = "first" if straight == FIRST else "second"
    return Judged(
        item=f"{one['set']} {one['idx']}",
        domain=domain,
        good=label == FIRST,
        said=straight == FIRST if readable and not place else None,
        place=place,
    )


def voting(folder: Path) -> Voting:
    """People's decisions and judges' on the same pairs, from `pandalm_human_vs_judge.jsonl*`."""
    some = [
        one for path in _files(folder, "pandalm_human_vs_judge.jsonl*") for one in _lines(path)
    ]

    def said(value: Any) -> str:
        return "" if value is None else str(value)

    raters = {"people": tuple(said(one["human_decision"]) for one in some)}
    for number in range(3):
        raters[f"human{number + 1}"] = tuple(said(one["human_votes"][number]) for one in some)
    for judge in dict.fromkeys(name for one in some for name in one["judges"]):
        raters[judge] = tuple(said(one["judges"][judge]["decision"]) for one in some)
    return Voting(raters=raters)


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise NoRecordings(str(folder / pattern))
    return found


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    return (one for _, one in read_jsonl(path))
