"""Whether the detectors still see recorded attacks once these are written otherwise, and attacks
made of harmless requests; and how often harmless requests raise alarms once they are.

What is counted is what the generators of `redteam` make with one seed. The detectors were not
written while looking at it.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from opsroom.datasets import Item
from opsroom.detectors.injection import inspect
from opsroom.kit.files import read_jsonl
from opsroom.redteam import frames, texts
from opsroom.redteam.generating import case_of
from opsroom.redteam.model import Recipe, Say, chosen
from opsroom.redteam.techniques import TECHNIQUES, Effect

from .agentdojo import rate_of
from .detectors import Alarms, Asked, Detection
from .errors import NoRecordings

SEED = 0
CARRIERS = 100  # harmless requests that carry each technique
AS_IT_IS = "as it is"
ENCODED: dict[str, texts.Mutation] = {
    "base64": texts.in_base64,
    "rot13": texts.in_rot13,
    "hex": texts.in_hex,
    "split": texts.in_pieces,
    "attack-bidi": texts.backwards,
}


def report(path: Path) -> Detection:
    """Look at every text in `path`/security in every form."""
    attacks = [line["user_input"] for line in _lines(path, "prompt_injection_cases")]
    harmless = [line["text"] for line in _lines(path, "benign_but_risky_sounding")]
    return Detection(
        rows=(
            *_rewritten("injection cases", attacks, Asked.DETECTED),
            *_rewritten("harmless, sounding risky", harmless, Asked.FALSE_ALARM),
            *_made(harmless[:CARRIERS]),
        )
    )


def _rewritten(what: str, some: list[str], asked: Asked) -> Iterator[Alarms]:
    for name, change in _changes().items():
        rng = Random(f"{SEED}:{name}")  # noqa: S311  # not for secrets
        found = sum(_alarming(change(texts.clean(text), rng)) for text in some)
        yield Alarms(texts=what, part=name, asked=asked, alarms=rate_of(found, len(some)))


def _changes() -> dict[str, texts.Mutation]:
    same = [one.name for one in TECHNIQUES if one.effect is Effect.SAME]
    known = {**texts.MUTATIONS, **frames.SAME}
    return {AS_IT_IS: _unchanged, **{name: known[name] for name in same}, **ENCODED}


def _unchanged(text: str, _rng: Random) -> str:
    return text


def _made(carriers: list[str]) -> Iterator[Alarms]:
    recipe = Recipe(seeds="harmless", name="attacks", goal=Say(), seed=SEED)
    for technique in chosen(recipe):
        made = [case_of(Item(id="s", input=text), technique, recipe) for text in carriers]
        inputs = [one.input for one in made if one is not None]
        found = sum(any(map(_alarming, _said(one))) for one in inputs)
        yield Alarms(
            texts="attacks made of harmless requests",
            part=technique.name,
            asked=Asked.DETECTED,
            alarms=rate_of(found, len(inputs)),
        )


def _said(asked: Any) -> list[str]:
    return [asked] if isinstance(asked, str) else [one["content"] for one in asked]


def _alarming(text: str) -> bool:
    found = inspect(text)
    return found is not None and found.alarming


def _lines(path: Path, name: str) -> Iterator[dict[str, Any]]:
    file = path / "security" / f"{name}.jsonl.gz"
    if not file.is_file():
        raise NoRecordings(str(file))
    return (dict(line) for _, line in read_jsonl(file))
