"""A judge with labelled answers, for the tests of calibrations and of gates that rest on them."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from typing import Any

from tests.model_server import Asked, ModelServer, Reply, say

from opsroom.app import Settings
from opsroom.app.kinds import KINDS
from opsroom.app.models import ConfiguredModels
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.evals.calibration import Counts, Judged
from opsroom.kit.db import Actor, Database
from opsroom.models import Find, Model, ModelRequest, Models, Output
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft
from opsroom.registry import commands as registry

RUBRIC = {"type": "llm-judge", "rubric": "The answer is polite.", "model": "gpt-4o-2024-11-20"}


def counts(
    good: tuple[int, ...], bad: tuple[int, ...], *, domain: str = "desk", **more: Any
) -> Counts:
    """Good answers passed, failed (and outside), then bad ones."""
    said: dict[str, Any] = {
        **dict(zip(("good_passed", "good_failed", "good_outside"), good, strict=False)),
        **dict(zip(("bad_passed", "bad_failed", "bad_outside"), bad, strict=False)),
    }
    return Counts(domain=domain, **said, **more)


def judged(verdicts: Iterable[tuple[bool, bool | None]], cost: str = "0.01") -> list[Judged]:
    """One labelled answer each: whether it is good, and what the judge said."""
    return [
        Judged(item=f"i{n}", domain="desk", good=good, said=said, cost=Decimal(cost))
        for n, (good, said) in enumerate(verdicts)
    ]


def labelled(
    name: str, good: bool, *, domain: str = "desk", answer: str = "", **more: Any
) -> Item:
    """A labelled answer as an annotation queue exports it."""
    return Item(
        id=name,
        input={"input": f"question {name}", "answer": answer or f"answer {name}", **more},
        expected="pass" if good else "fail",
        metadata={"domain": domain, "trace": f"trace-{name}"},
    )


def put(db: Database, actor: Actor, name: str, items: list[Item], *cited: str) -> None:
    with db.write(actor) as tx:
        datasets.put(tx, name, items, kinds=KINDS, evaluators=list(cited))


def put_judge(db: Database, actor: Actor, name: str = "polite", **spec: Any) -> None:
    """A version of a judge; the first one makes the artifact."""
    with db.write(actor) as tx:
        draft = ArtifactDraft(kind="evaluator", name=name, criticality=Criticality.ASSISTIVE)
        registry.create_artifact(tx, draft, kinds=KINDS)
        registry.create_version(
            tx, "evaluator", name, VersionDraft(spec={**RUBRIC, **spec}), kinds=KINDS
        )


def verdict(said: str) -> Output:
    return Output(
        text=json.dumps({"verdict": said, "reason": "because"}), cost=Decimal("0.002")
    )


class Speaks:
    """A judge that passes answers with a word in them, unless it is told of a misjudgement."""

    def __init__(self, good: str = "good", *, wrong: Iterable[str] = ()) -> None:
        self.good = good
        self.wrong = set(wrong)
        self.asked: list[ModelRequest] = []
        self.fails_at: int | None = None

    async def complete(self, request: ModelRequest) -> Output:
        self.asked.append(request)
        if self.fails_at is not None and len(self.asked) > self.fails_at:
            raise TimeoutError
        material = json.loads(request.messages[1].content)
        return verdict(self.says(material))

    def says(self, material: dict[str, Any]) -> str:
        right = self.good in material["answer"]
        return "pass" if right is not (material["answer"] in self.wrong) else "fail"


class Having:
    """Models of which every name is one model."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        def find(name: str) -> Model:
            assert name
            return self.model

        yield find


@contextmanager
def live(says: Any) -> Iterator[tuple[ModelServer, Models]]:
    """A model server on loopback whose verdicts are `says` of the material, and the way there."""

    def reply(asked: Asked) -> Reply:
        return say(says(json.loads(asked.body["messages"][1]["content"])))

    with ModelServer(reply) as server:
        host = server.url.removeprefix("http://").partition("/")[0]
        yield server, ConfiguredModels(Settings(model_url=server.url, allowed_hosts=(host,)))
