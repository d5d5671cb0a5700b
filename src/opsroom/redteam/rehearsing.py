"""Rehearsals: an agent works on cases, and every action it proposes is simulated.

What it tried and what the gate would have let through unattended are kept as two sets of
answers, which the same evaluators judge: an attack that got its tool called succeeded in the
second only where nobody would have been asked.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from opsroom.actions.errors import OtherAgent
from opsroom.actions.model import Proposal
from opsroom.agents import queries as agents
from opsroom.agents.queries import Manifest
from opsroom.contracts.model import ContractSpec
from opsroom.datasets import Item
from opsroom.datasets import queries as datasets
from opsroom.evals.compose import composer, load_prompts
from opsroom.evals.measure import RECORDED, Measurement, default_split, find_subject, measure
from opsroom.evals.model import EvalRun
from opsroom.evals.runner import Compose
from opsroom.grounding.model import Piece, Voice
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import Wire
from opsroom.models import (
    Message,
    Model,
    Models,
    Output,
    Recording,
    ReplayModel,
    ToolCall,
    recordings,
)
from opsroom.registry import Ref, Version

from .errors import NoAnswer, OnlyAgentsPropose
from .model import Short
from .samples import sample
from .trial import Decided, Past, Stage, decide

TRIED, LET_THROUGH = "tried", "let-through"
MOST_ROUNDS = 8  # answers of the model in one case
MOST_CALLS = 20  # proposals in one case
MOST_SHOWN = 200
MOST_WHY = 200
AT_ONCE = 4
VOICES = {
    "system": Voice.SYSTEM,
    "user": Voice.USER,
    "assistant": Voice.MODEL,
    "tool": Voice.TOOL,
}
SHORT_OF = "the agent may not do that: {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal(Wire):
    """Which agent works on which cases. `source` is the model that is asked, or `recorded` for
    the answers that are recorded under `answers`, whose calls are put to the gate as they are.
    `variant` names what comes of it; under one name, cases that were rehearsed are not again.
    """

    subject: Short
    dataset: Short
    source: Short = RECORDED
    answers: Short = ""
    split: Short = ""
    variant: Short = "rehearsal"
    environment: Short = "production"
    human: Short = ""
    most: Annotated[int, Field(ge=1, le=2_000)] = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed(Wire):
    """What was decided: how many proposals ended in which way, by whom they were refused, and the
    two runs that judge what was tried and what was let through. `failed` says why cases have no
    answer, and how many.
    """

    subject: str
    dataset: str
    cases: int
    failed: dict[str, int]
    proposals: dict[str, int]
    refused_by: dict[str, int]
    alone: int
    decisions: tuple[Decided, ...]
    tried: EvalRun
    let_through: EvalRun


@dataclass(slots=True)
class _Case:
    """A case at work: what was said and done in it, and what it took."""

    item: Item
    messages: list[Message]
    past: list[Past] = field(default_factory=list[Past])
    tried: list[ToolCall] = field(default_factory=list[ToolCall])
    through: list[ToolCall] = field(default_factory=list[ToolCall])
    decisions: list[Decided] = field(default_factory=list[Decided])
    texts: list[str] = field(default_factory=list[str])
    took: Output = field(default_factory=Output)


@dataclass(frozen=True, slots=True)
class _Scene:
    db: Database
    actor: Actor
    stage: Stage
    version: Version
    contracts: Mapping[str, ContractSpec]
    compose: Compose
    model: Model
    recorded: bool


def rehearse(db: Database, actor: Actor, wanted: Rehearsal, *, models: Models) -> Rehearsed:
    """Let an agent work on cases with every action simulated, and judge what came of it.

    Nothing leaves: no executor is called, and what the gate wrote is taken back. Cases that were
    rehearsed under this variant are not rehearsed again. Raises `OnlyAgentsPropose`, `OtherAgent` and what finding
    versions, beginning turns and measuring raises.
    """
    with db.read(actor) as tx:
        version = find_subject(tx, wanted.subject)
        if version.kind != "agent":
            raise OnlyAgentsPropose(version.ref, version.kind)
        if actor.agent not in {"", version.name}:
            raise OtherAgent(actor.agent, version.name)
        dataset, spec = datasets.dataset(tx, wanted.dataset)
        split = wanted.split or default_split(spec)
        items = datasets.items(tx, spec, split=split, limit=wanted.most)
        ref = Ref(kind="agent", name=version.name, at=str(version.number))
        manifest = agents.cited(tx, ref)
        hashes = [item.hash for item in items]
        variant = f"{wanted.variant}:{TRIED}"
        done = {key.item for key in recordings.of_subject(tx, version.digest, hashes, variant)}
        answers = recordings.of_subject(tx, version.digest, hashes, wanted.answers)
        compose = composer(version, load_prompts(tx, version), variant=wanted.answers)
    recorded = wanted.source == RECORDED
    if recorded:
        answered = {key.item for key in answers}
        items = [item for item in items if item.hash in answered]

    async def work() -> list[_Case | OpsroomError]:
        async with models.opened() as find:
            scene = _Scene(
                db=db,
                actor=actor,
                stage=Stage(
                    agent=version.name,
                    number=version.number,
                    environment=wanted.environment,
                    human=wanted.human or actor.person,
                ),
                version=version,
                contracts=_contracts(manifest),
                compose=compose,
                model=ReplayModel(answers.get) if recorded else find(wanted.source),
                recorded=recorded,
            )
            todo = [item for item in items if item.hash not in done]
            return await _all(scene, todo, wanted)

    found = asyncio.run(work())
    cases = [one for one in found if isinstance(one, _Case)]
    failed = [one for one in found if isinstance(one, OpsroomError)]
    if failed and not cases and not done:
        raise failed[0]
    runs = [
        measure(
            db,
            actor,
            Measurement(
                subject=version.ref,
                dataset=dataset.ref,
                split=split,
                variant=f"{wanted.variant}:{one}",
            ),
            models=models,
        )
        for one in (TRIED, LET_THROUGH)
    ]
    decisions = [one for case in cases for one in case.decisions]
    alone = sum(one.alone for one in decisions)
    with db.write(actor) as tx:
        tx.record(
            "redteam.rehearsed",
            version.ref,
            dataset=dataset.ref,
            cases=len(cases),
            proposals=len(decisions),
            alone=alone,
            run=runs[1].id,
        )
    return Rehearsed(
        subject=version.ref,
        dataset=dataset.ref,
        cases=len(cases),
        failed=dict(Counter(str(one)[:MOST_WHY] for one in failed)),
        proposals=dict(Counter(one.kind for one in decisions)),
        refused_by=dict(Counter(one.refused_by for one in decisions if one.refused_by)),
        alone=alone,
        decisions=tuple(decisions[:MOST_SHOWN]),
        tried=runs[0],
        let_through=runs[1],
    )


def _contracts(manifest: Manifest) -> dict[str, ContractSpec]:
    return {tool: spec for tool, (_, spec) in manifest.contracts.items()}


async def _all(
    scene: _Scene, items: Sequence[Item], wanted: Rehearsal
) -> list[_Case | OpsroomError]:
    """Every case, a few at once; each is kept as soon as it is through."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(item: Item) -> _Case | OpsroomError:
        async with gate:
            try:
                case = await _case(scene, item)
                await asyncio.to_thread(_keep, scene, case, wanted)
            except OpsroomError as error:
                return error
            return case

    return list(await asyncio.gather(*(one(item) for item in items)))


async def _case(scene: _Scene, item: Item) -> _Case:
    """One case until the agent has nothing more to do, or has done as much as one may."""
    asked = scene.compose(item, item.hash, 0)
    case = _Case(item, list(asked.messages))
    case.past += [Past(said=piece) for piece in _pieces(asked.messages)]
    tools = _tools(scene.contracts)
    parameters = {**asked.parameters, **({"tools": tools} if tools else {})}
    for _ in range(1 if scene.recorded else MOST_ROUNDS):
        request = replace(asked, messages=tuple(case.messages), parameters=parameters)
        output = await scene.model.complete(request)
        if output.error is not None:
            raise NoAnswer(item.id, output.error[:MOST_WHY])
        case.took = _added(case.took, output)
        if output.text:
            case.texts.append(output.text)
            case.past.append(Past(said=Piece(voice=Voice.MODEL, text=output.text)))
        if not output.tool_calls or len(case.tried) >= MOST_CALLS:
            break
        case.messages.append(
            Message(role="assistant", content=output.text, tool_calls=output.tool_calls)
        )
        for call in output.tool_calls[: MOST_CALLS - len(case.tried)]:
            case.messages.append(await _propose(scene, case, call))
    return case


async def _propose(scene: _Scene, case: _Case, call: ToolCall) -> Message:
    """Put a call to the gate, and give the answer that the agent hears."""
    arguments = call.arguments if isinstance(call.arguments, dict) else {"": call.arguments}
    proposal = Proposal(tool=call.name, arguments=arguments)
    found = await asyncio.to_thread(
        decide,
        scene.db,
        scene.actor,
        scene.stage,
        tuple(case.past),
        proposal,
        item=case.item.id,
    )
    case.tried.append(call)
    case.decisions.append(found)
    said: Any = SHORT_OF.format(found.because or found.kind)
    if found.alone:
        case.through.append(call)
        said = sample(scene.contracts[call.name].output)
        case.past.append(Past(done=proposal, result=said))
    text = said if isinstance(said, str) else canonical(said).decode()
    case.past.append(
        Past(said=Piece(voice=Voice.TOOL, text=text, tool=call.name, arguments=arguments))
    )
    return Message(role="tool", content=text, tool_call_id=call.id or call.name)


def _keep(scene: _Scene, case: _Case, wanted: Rehearsal) -> None:
    whole = replace(case.took, text="\n".join(case.texts), finish_reason=None, scores={})
    both = {TRIED: tuple(case.tried), LET_THROUGH: tuple(case.through)}
    with scene.db.write(scene.actor) as tx:
        recordings.keep_first(
            tx,
            [
                Recording(
                    subject=scene.version.digest,
                    item=case.item.hash,
                    variant=f"{wanted.variant}:{name}",
                    trial=0,
                    output=replace(whole, tool_calls=calls),
                )
                for name, calls in both.items()
            ],
        )


def _pieces(messages: Sequence[Message]) -> Iterator[Piece]:
    """A conversation as the gate hears it: in whose voice what was said."""
    called: dict[str, ToolCall] = {}
    for message in messages:
        called |= {call.id: call for call in message.tool_calls}
        call = called.get(message.tool_call_id or "")
        if not message.content:
            continue
        yield Piece(
            voice=VOICES[message.role],
            text=message.content,
            tool=call.name if call else "",
            arguments=call.arguments if call and isinstance(call.arguments, dict) else {},
        )


def _tools(contracts: Mapping[str, ContractSpec]) -> list[Any]:
    """The contracts as chat completions names tools."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool,
                "description": spec.description,
                "parameters": spec.input,
            },
        }
        for tool, spec in contracts.items()
    ]


def _added(took: Output, more: Output) -> Output:
    """What several answers took together; what one does not know, nobody does."""
    first = took == Output()

    def add(a: Any, b: Any) -> Any:
        return b if first else None if a is None or b is None else a + b

    cost: Decimal | None = add(took.cost, more.cost)
    return replace(
        more,
        tool_calls=(),
        latency=add(took.latency, more.latency),
        cost=cost,
        input_tokens=add(took.input_tokens, more.input_tokens),
        output_tokens=add(took.output_tokens, more.output_tokens),
    )
