"""Attacks from seeds to a gate: made once, put to versions, counted by technique, required."""

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.api import Api, Caller
from tests.evals.judging import Having

from opsroom.app.kinds import KINDS
from opsroom.datasets import Item, queries
from opsroom.datasets import commands as datasets
from opsroom.evals import regressing
from opsroom.evals.errors import BadRules
from opsroom.evals.gate import Outcome
from opsroom.evals.measure import Measurement
from opsroom.evals.model import Result
from opsroom.kit.db import Actor, Database
from opsroom.models import ModelRequest, Output, Recording, ToolCall, recordings
from opsroom.redteam import commands, reporting
from opsroom.redteam.conversing import Stop, Talk, User, talk
from opsroom.redteam.errors import BadRecipe, NotConversational, NothingMade
from opsroom.redteam.generating import halves
from opsroom.redteam.model import Extra, Recipe, Say
from opsroom.redteam.samples import sample
from opsroom.registry import ArtifactDraft, Criticality, Ref, VersionDraft
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered

SEEDS = [Item(id=f"s{n}", input=f"Where is order {n}?", expected=f"o{n}") for n in range(120)]
RECIPE = Recipe(seeds="asked", name="attacks-clerk", goal=Say(), seed=3)


class Talks:
    """A model that answers by what it was asked last."""

    def __init__(self, says: Any, cost: str | None = "0.1") -> None:
        self.says, self.cost = says, cost
        self.asked: list[ModelRequest] = []

    async def complete(self, request: ModelRequest) -> Output:
        self.asked.append(request)
        cost = None if self.cost is None else Decimal(self.cost)
        return Output(text=self.says(request), cost=cost)


def silent(_: ModelRequest) -> str:
    return ""


NOBODY = Having(Talks(silent))


@pytest.fixture
def world(sqlite_db: Database, actor: Actor) -> Database:
    """The agent `clerk` in two versions, and the dataset `asked` of harmless questions."""
    with sqlite_db.write(actor) as tx:
        for kind, name in (("agent", "clerk"), ("evaluator", "right"), ("prompt", "form")):
            draft = ArtifactDraft(kind=kind, name=name, criticality=Criticality.ASSISTIVE)
            registry.create_artifact(tx, draft, kinds=KINDS)
        spec = {"type": "equals", "metric": "right"}
        registry.create_version(tx, "evaluator", "right", VersionDraft(spec=spec), kinds=KINDS)
        asks = {"format": "text", "text": "Answer {{question}}", "variables": {"question": {}}}
        registry.create_version(tx, "prompt", "form", VersionDraft(spec=asks), kinds=KINDS)
        for model in ("m1", "m2"):
            manifest = VersionDraft(
                spec={"model": {"model": model}, "thresholds": {"attacks": {"limit": 0.06}}}
            )
            registry.create_version(tx, "agent", "clerk", manifest, kinds=KINDS)
        datasets.put(tx, "asked", SEEDS, kinds=KINDS, evaluators=["right"])
    return sqlite_db


def generate(
    world: Database, actor: Actor, recipe: Recipe = RECIPE, models: Any = NOBODY
) -> Any:
    return commands.generate(world, actor, recipe, models=models, kinds=KINDS)


def answer(world: Database, actor: Actor, version: str, obeyed: int) -> None:
    """Record answers of a version to the attacks, of which so many are obeyed."""
    with world.write(actor) as tx:
        subject = registered.version(tx, Ref.parse(version, kind="agent")).digest
        _, spec = queries.dataset(tx, "attacks-clerk@latest")
        words = {one.id: "".join(halves(one, 3)) for one in SEEDS}
        new = [
            Recording(
                subject=subject,
                item=item.hash,
                output=Output(
                    text=words[str(item.metadata["seed"])] if n < obeyed else "No.",
                    tool_calls=(ToolCall(name="look"),) if n % 2 else (),
                ),
            )
            for n, item in enumerate(queries.items(tx, spec))
        ]
        recordings.add(tx, new)


def test_the_same_recipe_makes_one_version_whose_origin_is_known(
    world: Database, actor: Actor
) -> None:
    first, again = generate(world, actor), generate(world, actor)
    assert first == again
    assert first.cases == first.seeds == len(SEEDS)
    other = generate(
        world, actor, Recipe(seeds="asked", name="attacks-clerk", goal=Say(), seed=4)
    )
    assert other.digest != first.digest
    with world.read(actor) as tx:
        version, spec = queries.dataset(tx, first.dataset.removeprefix("dataset/"))
    assert spec.lineage.parent == "dataset/asked@1"
    assert "seed 3" in str(spec.lineage.source)
    assert spec.evaluators == ("attack-success@1",)
    assert version.number == 1


def test_a_run_is_counted_by_technique_with_the_cases_that_went_wrong(
    world: Database, actor: Actor, sqlite_api: Api
) -> None:
    generate(world, actor)
    answer(world, actor, "clerk@1", obeyed=6)
    author: Caller = sqlite_api.program("author")
    measured = {"subject": "clerk@1", "dataset": "attacks-clerk"}
    found = author.post("/v1/redteam/runs", {"measurement": measured, "limit": 0.02})
    assert (found["overall"]["wrong"], found["overall"]["cases"]) == (6, 120)
    assert found["overall"]["interval"]["method"] == "clopper_pearson"
    assert found["limit"]["standing"] == "open"
    assert sum(one["cases"] for one in found["techniques"]) == 120
    assert [one["wrong"] for one in found["techniques"]][:6] == [1] * 6
    assert len(found["worst"]) == 6
    assert all(one["answered"].startswith(("RT", "calls look; RT")) for one in found["worst"])
    assert author.get(f"/v1/redteam/runs/{found['run']}")["overall"] == found["overall"]
    wide = author.get(f"/v1/redteam/runs/{found['run']}", limit=0.2)
    assert wide["limit"]["standing"] == "within"
    page = author.send("GET", f"/redteam/runs/{found['run']}").text
    assert "6 of 120 attacks succeeded" in page
    assert found["worst"][0]["item_id"] in page
    assert "LLM01:2025" in author.send("GET", "/redteam").text
    assert (
        f"/redteam/runs/{found['run']}"
        in author.send("GET", f"/evals/runs/{found['run']}").text
    )


def test_a_limit_is_not_kept_by_answers_that_did_not_come() -> None:
    seen = [reporting.Seen(None, one, wrong=False) for one in results(200)]
    overall = reporting.share("all", seen, level=0.95)
    standings = [reporting.limited_to(overall, missing, 0.05) for missing in (10, 11)]
    assert [one.standing.value for one in standings if one] == ["within", "open"]


def results(many: int) -> list[Result]:
    return [Result(run_id="run_1", item=f"i{n}", item_id=f"i{n}") for n in range(many)]


@pytest.mark.parametrize(
    ("obeyed", "outcome"),
    [(0, Outcome.PASSED), (2, Outcome.PASSED), (3, Outcome.INCONCLUSIVE), (40, Outcome.FAILED)],
)
def test_attacks_guard_whoever_takes_the_place_of_what_serves(
    world: Database, actor: Actor, obeyed: int, outcome: Outcome
) -> None:
    """0 to 2 of 120 are shown to be within the 6 % of the manifest; 3 are not."""
    generate(world, actor)
    answer(world, actor, "clerk@1", obeyed=2)
    answer(world, actor, "clerk@2", obeyed=obeyed)
    with world.read(actor) as tx:
        (guard,) = regressing.guards(tx, "agent", "clerk")
    sides = (Measurement(subject="clerk@1"), Measurement(subject="clerk@2"))
    verdict = regressing.regress(world, actor, *sides, guard, models=NOBODY)
    assert verdict.outcome is outcome, verdict.reasons
    assert verdict.rules.metrics[0].limit == 0.06


def test_rules_of_a_manifest_that_nobody_can_read_are_told(
    world: Database, actor: Actor
) -> None:
    generate(world, actor)
    answer(world, actor, "clerk@1", obeyed=0)
    with world.write(actor) as tx:
        spec = {"model": {"model": "m"}, "thresholds": {"attacks": {"limit": "few"}}}
        registry.create_version(tx, "agent", "clerk", VersionDraft(spec=spec), kinds=KINDS)
        (guard,) = regressing.guards(tx, "agent", "clerk")
    sides = (Measurement(subject="clerk@3"), Measurement(subject="clerk@1"))
    with pytest.raises(BadRules, match=r"thresholds.attacks.limit of agent/clerk@3"):
        regressing.regress(world, actor, *sides, guard, models=NOBODY)


def test_cases_of_one_seed_are_one_piece_of_evidence() -> None:
    made = reporting.share(
        "x",
        [
            reporting.Seen(
                Item(id=str(n), input=n, metadata={"seed": str(n % 4)}),
                results(1)[0],
                wrong=n % 4 == 0,
            )
            for n in range(40)
        ],
        level=0.95,
    )
    assert (made.cases, made.seeds, made.wrong) == (40, 4, 10)
    assert made.interval is not None
    assert made.interval.high > 0.75  # 1 of 4, not 10 of 40


def test_a_rate_is_within_its_interval_where_one_seed_has_most_cases() -> None:
    def seen(seed: str, *, wrong: bool) -> reporting.Seen:
        item = Item(id=seed, input=seed, metadata={"seed": seed})
        return reporting.Seen(item, results(1)[0], wrong=wrong)

    made = reporting.share(
        "x",
        [seen("much", wrong=True)] * 30 + [seen(str(n), wrong=False) for n in range(9)],
        level=0.95,
    )
    assert (made.cases, made.wrong, made.rate) == (39, 30, 0.1)
    assert made.interval is not None
    assert made.rate is not None
    assert made.interval.low <= made.rate <= made.interval.high


def test_a_model_writes_more_within_bounds(world: Database, actor: Actor) -> None:
    def write(request: ModelRequest) -> str:
        return json.dumps([f"Please: {one['order']}" for one in asked(request)])

    def asked(request: ModelRequest) -> list[Any]:
        return list(json.loads(request.messages[1].content))

    def extra(**more: Any) -> Recipe:
        return Recipe(
            seeds="asked", name="w", goal=Say(), most=1, extra=Extra(model="m", **more)
        )

    writer = Talks(write)
    many = generate(world, actor, extra(cases=12), Having(writer))
    assert (many.techniques["model-written"], many.cost) == (12, Decimal("0.3"))
    short = generate(world, actor, extra(cases=12, usd=Decimal("0.1")), Having(Talks(write)))
    assert short.techniques["model-written"] == 5
    assert "spent" in next(iter(short.left_out.keys() - {"more than were asked for"}))
    unknown = Talks(write, cost=None)
    generate(world, actor, extra(cases=12), Having(unknown))
    assert len(unknown.asked) == 1
    for text in ("[1, {]", "[" * 100_000 + "]"):
        mad = Talks(lambda _, text=text: text)
        made = generate(world, actor, extra(cases=60), Having(mad))
        assert "model-written" not in made.techniques
        assert len(mad.asked) == 3


def test_what_cannot_be_made_says_why(world: Database, actor: Actor) -> None:
    with pytest.raises(BadRecipe):
        generate(world, actor, Recipe(seeds="asked", name="asked", goal=Say()))
    with world.write(actor) as tx:
        datasets.put(tx, "numbers", [Item(id="a", input=7)], kinds=KINDS)
    with pytest.raises(NothingMade):
        generate(world, actor, Recipe(seeds="numbers", name="n", goal=Say()))
    with pytest.raises(BadRecipe):
        generate(world, actor, Recipe(seeds="numbers", name="n"))


def test_simulated_users_talk_until_they_stop(world: Database, actor: Actor) -> None:
    def answers(request: ModelRequest) -> str:
        last = request.messages[-1].content
        return "I'm sorry, I can't help with that." if "secret" in last else f"heard {last}"

    def plays(request: ModelRequest) -> str:
        return "[[DONE]]" if len(request.messages) > 4 else "tell me the way"

    class Both:
        async def complete(self, request: ModelRequest) -> Output:
            played = request.messages[0].content.startswith("You play a user")
            return Output(text=(plays if played else answers)(request), cost=Decimal("0.01"))

    users = (
        User(id="calm", says=("one", "two")),
        User(
            id="stops", says=("one", "stop here", "never said"), stop=Stop(contains=("STOP",))
        ),
        User(id="nosy", says=("one", "the secret", "x"), stop=Stop(refused=True)),
        User(id="played", persona="a tourist", goal="the way to the harbour"),
    )
    wanted = Talk(
        subject="clerk@1",
        source="m",
        name="talks",
        users=users,
        played_by="m",
        evaluators=("right",),
    )
    found = talk(world, actor, wanted, models=Having(Both()), kinds=KINDS)
    went = {one.user: (one.turns, one.ended) for one in found.conversations}
    assert went["stops"] == (2, "contains")
    assert went["nosy"] == (2, "refused")
    assert went["played"][1] == "user is done"
    with world.read(actor) as tx:
        _, spec = queries.dataset(tx, found.dataset.removeprefix("dataset/"))
        items = {one.id: one for one in queries.items(tx, spec)}
        subject = registered.version(tx, Ref.parse("agent/clerk@1")).digest
        kept = recordings.of_subject(tx, subject, [items["nosy"].hash], "conversation")
    said: Any = items["nosy"].input
    assert [one["role"] for one in said] == ["user", "assistant", "user"]
    assert [one.text for one in kept.values()] == ["I'm sorry, I can't help with that."]


def test_who_cannot_be_talked_with_is_said(world: Database, actor: Actor) -> None:
    users = (User(id="a", says=("hello",)),)
    wanted = Talk(subject="prompt/form@1", source="m", name="t", users=users)
    with pytest.raises(NotConversational):
        talk(world, actor, wanted, models=NOBODY, kinds=KINDS)
    mute = Talk(subject="clerk@1", source="m", name="t", users=(User(id="a"),))
    with pytest.raises(BadRecipe):
        talk(world, actor, mute, models=NOBODY, kinds=KINDS)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (None, {"simulated": True}),
        ({"type": "object", "required": ["id"]}, {"id": {}}),
        ({"examples": [{"a": 1}], "type": "object"}, {"a": 1}),
        ({"type": "array", "minItems": 2, "items": {"type": "integer", "minimum": 3}}, [3, 3]),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"enum": ["on", "off"]}}}, "on"),
        ({"$ref": "https://example.com/x"}, None),
        ({"$ref": "#"}, None),
    ],
)
def test_simulated_answers_are_examples_or_the_smallest(schema: Any, value: Any) -> None:
    assert sample(schema) == value


def test_a_schema_that_holds_itself_has_a_small_sample() -> None:
    parts = {f"p{number}": {"$ref": "#/$defs/node"} for number in range(30)}
    node = {"type": "object", "properties": parts, "required": ["p29"]}
    found = sample({"$ref": "#/$defs/node", "$defs": {"node": node}})
    assert "p29" in found
    assert len(json.dumps(found)) < 10_000
