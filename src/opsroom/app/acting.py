"""What the gate of actions gets from above it: who serves a subject, and who carries things out."""

from opsroom.actions.ports import Executor, Executors
from opsroom.actions.turning import Serving
from opsroom.kit.db import Tx
from opsroom.registry import Ref
from opsroom.registry import queries as registry
from opsroom.releases import queries as releases
from opsroom.vault import Secrets

from .settings import Settings


def serve(tx: Tx, agent: str, subject: str, environment: str) -> Serving:
    """The version of an agent that serves a subject now, as releases split them."""
    if not subject:
        version = registry.version(tx, Ref("agent", agent, environment))
        return Serving(number=version.number)
    found = releases.resolve(tx, "agent", agent, subject, environment=environment)
    return Serving(number=found.number, release=found.release_id, arm=found.arm.value)


def executors(settings: Settings, secrets: Secrets) -> Executors:
    """Who carries out what opsroom executes itself, each made when it is first needed."""
    made: dict[str, Executor] = {}

    def find(kind: str) -> Executor | None:
        if kind not in made and (executor := _make(kind, settings, secrets)) is not None:
            made[kind] = executor
        return made.get(kind)

    return find


def _make(kind: str, settings: Settings, secrets: Secrets) -> Executor | None:
    match kind:
        case "http":
            from opsroom.engines.http_actions import HttpExecutor  # noqa: PLC0415

            return HttpExecutor(allow=settings.allowed_hosts, secrets=secrets)
        case "mcp":
            from opsroom.engines.mcp_actions import McpExecutor  # noqa: PLC0415

            return McpExecutor(allow=settings.allowed_hosts, secrets=secrets)
        case _:
            return None
