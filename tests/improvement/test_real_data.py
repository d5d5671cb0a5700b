"""What can be said of real tickets: versions chosen on one half of the recorded answers are put
to the other half, which the choice has not seen.

Recorded answers say nothing of a prompt that nobody has asked, so of what the other methods
make only a stand-in for a model can be tried, on the real texts.
"""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from tests.improvement.world import searched

from opsroom.app.kinds import KINDS
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.evals.gating import compare_versions
from opsroom.evals.measure import Measurement
from opsroom.evidence import BinaryComparison, Verdict
from opsroom.importing import commands as importing
from opsroom.importing.readers import ticket_prompts
from opsroom.improvement.model import Budget, Method, Plan, Standing
from opsroom.kit.db import Actor, Database
from opsroom.registry import ArtifactDraft, VersionDraft
from opsroom.registry import commands as registry
from opsroom.simulator.apprentice import Apprentices

TICKETS = "ticket-classification"
VERSIONS = ("simple_classify", "rag_classify", "rag_chain_of_thought_classify")
COLD = "temperature=0.0"
EVERY = tuple(
    f"{version}#temperature={degree}"
    for version in VERSIONS
    for degree in ("0.0", "0.2", "0.4", "0.6", "0.8")
)
STOP_WORDS = frozenset(
    [
        "the",
        "a",
        "an",
        "i",
        "my",
        "me",
        "to",
        "of",
        "for",
        "and",
        "is",
        "it",
        "on",
        "in",
        "that",
        "with",
        "your",
        "you",
        "can",
        "was",
        "be",
        "this",
        "have",
        "would",
        "like",
        "what",
        "how",
        "do",
        "need",
        "am",
        "want",
        "if",
        "or",
        "any",
        "from",
        "but",
        "not",
        "are",
    ]
)


@pytest.fixture
def tickets(sqlite_db: Database, actor: Actor, data_dir: Path) -> list[Item]:
    """The recorded versions, and the tickets: 68 to train on, 68 with recorded answers."""
    bundle = ticket_prompts.read(data_dir / "prompt_versions")
    with sqlite_db.write(actor) as tx:
        importing.take_in(tx, bundle, kinds=KINDS)
    return list(bundle.datasets[0].items)


def halved(items: list[Item], seed: int) -> list[Item]:
    """Half of the tickets with answers to choose by, the other half to prove it on."""
    answered = [one for one in items if one.split == "test"]
    random.Random(seed).shuffle(answered)
    half = len(answered) // 2
    return [
        *(one for one in items if one.split == "train"),
        *(replace(one, split="selection") for one in answered[:half]),
        *answered[half:],
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_recorded_version_chosen_on_one_half_holds_on_the_other(
    sqlite_db: Database, actor: Actor, tickets: list[Item], seed: int
) -> None:
    with sqlite_db.write(actor) as tx:
        datasets.put(
            tx, "halves", halved(tickets, seed), kinds=KINDS, evaluators=[f"{TICKETS}-passed"]
        )
    plan = Plan(
        target=f"prompt/{TICKETS}",
        method=Method.VERSIONS,
        dataset="halves",
        base="simple_classify",
        versions=EVERY,
        variant=COLD,
    )
    done, candidates = searched(sqlite_db, actor, plan, models := Apprentices())
    assert models.asked == []
    (chosen,) = [one for one in candidates if one.standing is Standing.CHOSEN]
    assert chosen.version != done.base
    sides = [
        Measurement(subject=subject, dataset="halves", split="test", variant=variant)
        for subject, variant in (
            (done.base, COLD),
            (done.version, chosen.change.split(", ")[1]),
        )
    ]
    found = compare_versions(sqlite_db, actor, *sides, metric="passed", models=models)
    held_out = found.metrics[0].comparison
    assert isinstance(held_out, BinaryComparison)
    assert held_out.pairs == 34
    assert held_out.difference > 0.1
    assert held_out.verdict in {Verdict.BETTER, Verdict.NOT_WORSE}


@pytest.mark.slow
def test_examples_from_real_tickets_help_a_reader_of_examples_on_tickets_it_has_not_seen(
    sqlite_db: Database, actor: Actor, tickets: list[Item]
) -> None:
    """The reader believes nothing, and answers like the nearest example; it is no language model."""
    base = {
        "format": "text",
        "text": "Classify the support ticket.\n\n<ticket>\n{{ ticket }}\n</ticket>\n\nAnswer with "
        "the label and nothing else.",
        "variables": {"ticket": {"type": "text"}},
    }
    with sqlite_db.write(actor) as tx:
        for kind, name, spec in (
            ("prompt", "tickets", base),
            ("evaluator", "same", {"type": "equals", "metric": "correct"}),
        ):
            registry.create_artifact(tx, ArtifactDraft(kind=kind, name=name), kinds=KINDS)
            registry.create_version(tx, kind, name, VersionDraft(spec=spec), kinds=KINDS)
        datasets.put(tx, "halves", halved(tickets, 1), kinds=KINDS, evaluators=["same"])
    plan = Plan(
        target="prompt/tickets",
        method=Method.EXAMPLES,
        dataset="halves",
        base="1",
        model="reader",
        budget=Budget(max_calls=3000),
        max_examples=60,
        step=15,
        max_chars=60_000,
    )
    models = Apprentices(beliefs={}, unsure="General Inquiries", noise_words=STOP_WORDS)
    done, _ = searched(sqlite_db, actor, plan, models)
    sides = [
        Measurement(subject=one, dataset="halves", split="test", source="reader")
        for one in (done.base, done.version)
    ]
    found = compare_versions(sqlite_db, actor, *sides, models=models).metrics[0]
    assert found.verdict is Verdict.BETTER
