"""Making datasets of attacks and edge cases."""

import asyncio
from collections import Counter
from decimal import Decimal

from opsroom.datasets import DatasetSpec, Item, Lineage
from opsroom.datasets import commands as datasets
from opsroom.datasets import queries as known
from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.wire import plain
from opsroom.models import Models
from opsroom.registry import ArtifactDraft, Kinds, Version, VersionDraft
from opsroom.registry import commands as registry

from .errors import BadRecipe, NothingMade
from .generating import make
from .model import GENERATOR, METRIC, Extra, Generated, Recipe, Rubric, chosen
from .writing import Written, write

MOST_SEEDS = 5_000


def generate(
    db: Database, actor: Actor, recipe: Recipe, *, models: Models, kinds: Kinds
) -> Generated:
    """Make the cases of a recipe and keep them as the next version of its dataset.

    Safe to repeat: the same recipe on the same seeds gives the version that is there, as long as
    no model writes any. What a version came from stands in its lineage. Raises `BadRecipe`,
    `UnknownTechnique`, `NothingMade` and what finding and keeping datasets raises.
    """
    chosen(recipe)
    with db.read(actor) as tx:
        version, spec = known.dataset(tx, recipe.seeds)
        if version.name == recipe.name:
            raise BadRecipe(f"{recipe.name!r} would grow out of itself")
        seeds = known.items(tx, spec, split=recipe.split or None, limit=MOST_SEEDS)
    if recipe.goal is None and not spec.evaluators:
        raise BadRecipe(f"nothing judges answers to {version.ref}; give it evaluators")
    made = make(seeds, recipe)
    written = _written(seeds, recipe, models)
    items = _together(made.items, written.items)
    if not items:
        raise NothingMade(version.ref, len(seeds), ", ".join(made.left_out) or "there are none")
    left_out = dict(made.left_out)
    if written.stopped:
        left_out[f"written by a model: {written.stopped}"] = (
            recipe.extra.cases if recipe.extra else 0
        ) - len(written.items)
    with db.write(actor) as tx:
        kept = _keep(tx, recipe, version, spec, items, kinds=kinds)
    return Generated(
        dataset=kept.ref,
        digest=kept.digest,
        cases=len(items),
        seeds=len({str(one.metadata["seed"]) for one in items}),
        techniques=dict(Counter(str(one.metadata["technique"]) for one in items)),
        left_out=left_out,
        cost=written.cost,
    )


def _written(seeds: list[Item], recipe: Recipe, models: Models) -> Written:
    extra = recipe.extra
    if extra is None:
        return Written(cost=Decimal(0))

    async def ask(extra: Extra) -> Written:
        async with models.opened() as find:
            return await write(seeds, recipe, extra, find(extra.model))

    return asyncio.run(ask(extra))


def _together(made: tuple[Item, ...], written: list[Item]) -> list[Item]:
    there = {one.hash for one in made}
    return [*made, *(one for one in written if one.hash not in there)]


def _keep(
    tx: Tx,
    recipe: Recipe,
    seeds: Version,
    spec: DatasetSpec,
    items: list[Item],
    *,
    kinds: Kinds,
) -> Version:
    evaluators = spec.evaluators
    if recipe.goal is not None:
        evaluators = (evaluator_for(tx, recipe, kinds=kinds),)
    said = plain(recipe) | {"message": ""}
    kept = datasets.put(
        tx,
        recipe.name,
        items,
        kinds=kinds,
        description=f"{recipe.purpose} out of {seeds.ref}",
        message=recipe.message or f"{len(items)} {recipe.purpose} out of {seeds.ref}",
        lineage=Lineage(
            source=f"{GENERATOR} seed {recipe.seed}, recipe {digest(said)[:16]}",
            parent=seeds.ref,
            made_by=GENERATOR,
        ),
        evaluators=evaluators,
    )
    tx.record(
        "redteam.generated",
        f"dataset/{recipe.name}",
        version=kept.ref,
        cases=len(items),
        seeds=seeds.ref,
        seed=recipe.seed,
        purpose=recipe.purpose,
    )
    return kept


def evaluator_for(tx: Tx, recipe: Recipe, *, kinds: Kinds) -> str:
    """The evaluator that counts attacks which got what they wanted; made where it is missing."""
    grader = recipe.goal.grader if isinstance(recipe.goal, Rubric) else ""
    name = METRIC if not grader else f"{METRIC}-{digest(grader)[:8]}"
    spec = {"type": "assertions", "part": "broken", "metric": METRIC, "grader": grader}
    registry.create_artifact(tx, ArtifactDraft(kind="evaluator", name=name), kinds=kinds)
    made = registry.create_version(tx, "evaluator", name, VersionDraft(spec=spec), kinds=kinds)
    return f"{made.name}@{made.number}"
