"""From a name to what is asked: which route, which version of which agent, who spends."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from opsroom.access import commands as access
from opsroom.access.errors import MayNot
from opsroom.actions import turning
from opsroom.actions.errors import TurnNotFound
from opsroom.actions.model import Turn
from opsroom.actions.turning import Serve, Serving
from opsroom.agents import queries as agents
from opsroom.agents.errors import BrokenManifest
from opsroom.agents.model import AgentSpec
from opsroom.agents.queries import Manifest
from opsroom.autonomy import queries as autonomy
from opsroom.budgets import Spender
from opsroom.kit.db import Actor, Tx
from opsroom.kit.errors import NotFound
from opsroom.kit.wire import adapter, plain
from opsroom.models import NoModelConfigured
from opsroom.models.route import ROUTE, RouteSpec, Target
from opsroom.prompts import queries as prompts
from opsroom.prompts.model import PromptSpec
from opsroom.prompts.rendering import render
from opsroom.registry import Ref, environments
from opsroom.registry import queries as registry
from opsroom.registry.errors import BadReference
from opsroom.registry.model import PRODUCTION, Stamp

from .errors import AgentsOnlyChat, AgentStopped, NoSuchModel
from .model import Asked, Path, Told, spoken

SYSTEM = "system"
AUTHOR = "author"
KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that may be made. `route` and `digest` name the version whose models are asked (that
    of the agent, where it names models itself); `facts` are what an answer says of it in headers,
    and `added` is how many bytes longer than it came the request is.
    """

    id: str
    actor: Actor
    asked: Asked
    route: str
    digest: str
    spec: RouteSpec
    spender: Spender
    environment: str
    added: int = 0
    facts: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def share(self) -> str:
        """What decides which of several models is asked first."""
        return f"{self.digest}\0{self.asked.extra.subject or self.id}"


class Routes:
    """Versions of routes that were read, the latest of them: they never change."""

    def __init__(self) -> None:
        self._read: dict[Stamp, RouteSpec] = {}
        self._lock = threading.Lock()

    def at(self, tx: Tx, ref: Ref) -> tuple[str, str, RouteSpec]:
        """The reference, the digest and the spec of what `ref` names now."""
        stamp = registry.stamp(tx, ref)
        found = self._read.get(stamp)
        if found is None:
            version = registry.version(tx, replace(ref, at=str(stamp.number)))
            found = adapter(RouteSpec).validate_python(version.spec)
            with self._lock:
                self._read[stamp] = found
                while len(self._read) > KEPT:
                    del self._read[next(iter(self._read))]
        return f"route/{ref.name}@{stamp.number}", stamp.digest, found


def prepare(
    tx: Tx,
    asked: Asked,
    *,
    counted: bool,
    routes: Routes,
    serve: Serve,
    endpoint: str,
    seen: Callable[[Tx, str], None],
) -> Call:
    """What a request asks for, once it is clear that whoever asks may. Whose budgets it spends is
    looked up where anything is `counted`. `endpoint` stands in for targets without one; `seen` is
    told which agent is called.

    Raises `AgentStopped`, `NoSuchModel`, `NoModelConfigured`, and what finding an agent, a version or a turn raises.
    """
    environment = asked.extra.environment or tx.actor.environment or PRODUCTION
    environments.check_within(tx, environment)
    found = (
        _of_agent(tx, asked, environment, routes=routes, serve=serve, seen=seen)
        if asked.agent
        else _of_route(tx, asked, environment, routes, counted=counted)
    )
    spec = found.spec
    if not endpoint and (bare := next((t for t in spec.everybody if not t.endpoint), None)):
        raise NoModelConfigured(bare.model)
    return replace(
        found,
        spec=replace(
            spec,
            targets=tuple(_at(one, endpoint) for one in spec.targets),
            fallbacks=tuple(_at(one, endpoint) for one in spec.fallbacks),
        ),
    )


def _at(target: Target, endpoint: str) -> Target:
    return target if target.endpoint else replace(target, endpoint=endpoint)


def _of_route(tx: Tx, asked: Asked, environment: str, routes: Routes, *, counted: bool) -> Call:
    agent, team = tx.actor.agent, ""
    turn = _turn(tx, asked, agent)
    if agent:
        _admit(tx, agent, asked, turn)
        team = _team(tx, agent, environment) if counted else ""
    name, _, at = asked.model.removeprefix(ROUTE).partition("@")
    environments.check_within(tx, at or environment)
    try:
        named = Ref.parse(f"{ROUTE}{name}@{at or environment}")
        ref, digest, spec = routes.at(tx, named)
    except (NotFound, BadReference):
        raise NoSuchModel(asked.model[:100], at or environment) from None
    if at:
        _check_looked_at(tx, Ref.parse(ref))
    return Call(
        id=tx.ids.new("mdl"),
        actor=tx.actor,
        asked=asked,
        route=ref,
        digest=digest,
        spec=spec,
        spender=_spender(asked, agent, team, turn),
        environment=environment,
        facts={"route": ref},
    )


def _check_looked_at(tx: Tx, ref: Ref) -> None:
    """Let only authors ask a version that no label names: it may lead anywhere, with credentials
    of the environment, and nobody else has looked at it.
    """
    named = {str(one.number) for one in registry.labels(tx, ref.kind, ref.name)}
    if ref.at not in named and AUTHOR not in tx.actor.may:
        raise MayNot(tx.actor.name, AUTHOR)


def _turn(tx: Tx, asked: Asked, agent: str) -> Turn | None:
    """The turn that a call belongs to, which is one of the agent's own."""
    if not asked.extra.turn:
        return None
    turn = turning.get(tx, asked.extra.turn)
    if turn.agent != agent:
        raise TurnNotFound(asked.extra.turn)
    return turn


def _of(turn: Turn) -> Serving:
    """A turn stays with the version that it began under, whatever is released meanwhile."""
    number = int(Ref.parse(turn.version).at)
    return Serving(number=number, release=turn.release, arm=turn.arm)


def _admit(tx: Tx, agent: str, asked: Asked, turn: Turn | None) -> None:
    """Let an agent think at all: also one that only thinks spends, and says things to people. Of
    one that winds down, a turn that was let in is not asked again for whom it is.
    """
    agents.admit(tx, agent, None if turn is not None else asked.extra.subject or None)
    if (why := autonomy.stopped(tx, agent)) is not None:
        raise AgentStopped(agent, why)


def _team(tx: Tx, agent: str, environment: str) -> str:
    """Whose budgets an agent spends; a name that has no manifest yet belongs to no team."""
    try:
        return agents.manifest(tx, agent, environment).spec.team
    except NotFound:
        return ""


def _of_agent(
    tx: Tx,
    asked: Asked,
    environment: str,
    *,
    routes: Routes,
    serve: Serve,
    seen: Callable[[Tx, str], None],
) -> Call:
    agent = asked.agent
    access.check_acts_for(tx.actor, agent)
    seen(tx, agent)
    turn = _turn(tx, asked, agent)
    _admit(tx, agent, asked, turn)
    if asked.path not in {Path.CHAT, Path.RESPONSES}:
        raise AgentsOnlyChat(asked.path.value)
    serving = serve(tx, agent, asked.extra.subject, environment) if turn is None else _of(turn)
    environment = environment if turn is None else turn.environment
    environments.check_within(tx, environment)
    manifest = agents.manifest(tx, agent, environment, serving.number)
    version = manifest.version.ref
    ref, digest, spec = _model_of(tx, manifest, routes)
    told = _told(tx, manifest, asked.extra.variables)
    facts = {
        "agent": agent,
        "version": version,
        "manifest": manifest.digest,
        "route": ref,
        "release": serving.release or "",
        "arm": serving.arm if serving.release else "",
    }
    return Call(
        id=tx.ids.new("mdl"),
        actor=tx.actor,
        asked=replace(asked, body=spoken(asked, told)),
        added=told.size,
        route=ref,
        digest=digest,
        spec=spec,
        spender=_spender(asked, agent, manifest.spec.team, turn),
        environment=environment,
        facts={name: value for name, value in facts.items() if value},
    )


def _model_of(tx: Tx, manifest: Manifest, routes: Routes) -> tuple[str, str, RouteSpec]:
    """Which models a manifest names: those of the route that it cites, or models by their names;
    then its own fallbacks, each of which is either.
    """
    model = manifest.spec.model
    fallbacks: list[Target] = []
    for one in model.fallbacks:
        if one.startswith(ROUTE):
            fallbacks += _cited(tx, manifest, one, routes)[2].everybody
        else:
            fallbacks.append(Target(model=one))
    if model.model.startswith(ROUTE):
        ref, digest, spec = _cited(tx, manifest, model.model, routes)
        return ref, digest, replace(spec, fallbacks=(*spec.fallbacks, *fallbacks))
    spec = RouteSpec(
        targets=(Target(model=model.model),), fallbacks=tuple(fallbacks), breaker=model.breaker
    )
    return manifest.version.ref, manifest.digest, spec


def _cited(
    tx: Tx, manifest: Manifest, reference: str, routes: Routes
) -> tuple[str, str, RouteSpec]:
    found = routes.at(tx, Ref.parse(reference))
    if manifest.spec.cites.get(found[0]) != found[1]:
        raise BrokenManifest(manifest.version.ref, found[0])
    return found


def _told(tx: Tx, manifest: Manifest, variables: Mapping[str, Any]) -> Told:
    """What the version says first, and how it asks."""
    cited = _prompt_of(manifest.spec)
    parameters = dict(manifest.spec.model.parameters)
    if cited is None:
        return Told(version=manifest.version.ref, parameters=parameters)
    of = registry.version(tx, Ref.parse(cited, kind="prompt"))
    if manifest.spec.cites.get(of.ref) != of.digest:
        raise BrokenManifest(manifest.version.ref, of.ref)
    reading = prompts.reading(tx, of)
    rendered = render(reading.spec, variables, include=reading.includes.__getitem__)
    messages = (
        ((SYSTEM, rendered.text),)
        if rendered.text is not None
        else tuple((one.role.value, one.content) for one in rendered.messages)
    )
    return Told(
        version=manifest.version.ref,
        messages=messages,
        parameters={**_parameters(reading.spec), **parameters},
    )


def _prompt_of(spec: AgentSpec) -> str | None:
    """The prompt an agent begins with: the one for the role `system`, or its only one."""
    only = next(iter(spec.prompts.values())) if len(spec.prompts) == 1 else None
    return spec.prompts.get(SYSTEM, only)


def _parameters(spec: PromptSpec) -> dict[str, Any]:
    """What a prompt asks of its model, without what it leaves open."""
    asked: dict[str, Any] = plain(spec.model)
    extra = asked.pop("extra")
    asked.pop("name")
    return {
        name: value for name, value in {**asked, **extra}.items() if value not in (None, [])
    }


def _spender(asked: Asked, agent: str, team: str, turn: Turn | None) -> Spender:
    session = turn.session if turn is not None else ""
    return Spender(
        agent=agent,
        turn=asked.extra.turn,
        session=session or asked.extra.session,
        team=team,
    )
