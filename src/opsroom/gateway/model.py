"""What the MCP door shows and answers, and what became of the tools behind it. No I/O.

A model sees what was approved: name, description and schema of a contract, never what the
server behind it says today. When that server says something else than it did, its tool is
quarantined until people have looked at the difference and approved a new contract.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsroom.contracts.model import ContractSpec, Mcp, Tier
from opsroom.kit.wire import Wire

KEYS = "opsroom/"  # what in the `_meta` of a call is ours
SESSION_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTool(Wire):
    """A tool as a server describes it today."""

    name: str
    description: str = ""
    input: dict[str, Any]
    output: dict[str, Any] | None = None

    @property
    def face(self) -> str:
        return ContractSpec(
            tool=self.name, description=self.description, input=self.input, output=self.output
        ).face


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined(Wire):
    """A tool that is not what was approved; `seen` is None where the server has it no more."""

    id: str
    contract: str
    digest: str
    tool: str
    url: str
    face: str
    approved: SeenTool
    seen: SeenTool | None
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMeta:
    """What a caller tells about a call beside its arguments, under `opsroom/…` in `_meta`.

    `turn` is a turn of ours, or any name of the caller's own for one task; `user` holds the
    words of the user, new since the last call; `key` makes two calls the same one.
    """

    turn: str = ""
    intent: str = ""
    subject: str = ""
    human: str = ""
    user: tuple[str, ...] = ()
    key: str = ""
    confidence: float | None = None


def approved(spec: ContractSpec) -> SeenTool:
    """What the server said of a tool when its contract was approved."""
    assert isinstance(spec.executor, Mcp), "only contracts behind an MCP server have this"
    return SeenTool(
        name=spec.executor.tool,
        description=spec.description,
        input=spec.input,
        output=spec.output,
    )


def changed(spec: ContractSpec, seen: SeenTool | None) -> bool:
    """Whether a tool is not what was approved. The name that agents call it by is ours."""
    return seen is None or seen.face != approved(spec).face


def hints(spec: ContractSpec) -> dict[str, bool]:
    """What the effects of a contract are in the words of MCP."""
    return {
        "readOnlyHint": spec.effects.read_only,
        "destructiveHint": not (spec.effects.read_only or spec.effects.reversible),
        "idempotentHint": spec.effects.idempotent or spec.effects.read_only,
        "openWorldHint": spec.risk is Tier.EXTERNAL,
    }


def in_words(tool: SeenTool) -> str:
    """A tool as people compare it."""
    parts = [tool.name, "", tool.description, "", "input:", _pretty(tool.input)]
    if tool.output is not None:
        parts += ["", "output:", _pretty(tool.output)]
    return "\n".join(parts)


def read_meta(meta: Mapping[str, Any] | None, header: str = "") -> CallMeta:
    """What of `_meta` is ours. What has the wrong shape is left out: it is a hint, and a
    caller who garbles one is no worse off than a caller without.
    """
    ours = {
        name.removeprefix(KEYS): value
        for name, value in (meta or {}).items()
        if name.startswith(KEYS)
    }

    def text(name: str) -> str:
        value = ours.get(name)
        return value if isinstance(value, str) else ""

    return CallMeta(
        turn=text("turn") or header,
        intent=text("intent"),
        subject=text("subject"),
        human=text("human"),
        user=_words(ours.get("user")),
        key=text("key"),
        confidence=_share(ours.get("confidence")),
    )


EXPLAINED = {
    "denied": "Refused: {because}.",
    "pending": (
        "A person has to approve this first. Do not repeat the call; it is carried out once "
        "it is approved. See {url}."
    ),
    "deferred": "Not now: {because}. Try again after {until}.",
    "unknown": (
        "It is not known whether this took effect. Do not repeat it; a person looks into it. "
        "{because}"
    ),
    "recommended": "Noted as a recommendation: this agent acts in shadow, so nothing was done.",
    "failed": "It failed: {error}",
    "running": "Somebody is carrying this out right now. Do not repeat the call.",
    "execute": (
        "Permitted, but only the agent's own process can carry it out: its contract is "
        "in-process. Use the SDK for this tool. Nothing was done."
    ),
}


def explained(outcome: Mapping[str, Any]) -> str:
    """Why a call was not carried out, in a sentence or two that a model can act on."""
    known = {name: str(value or "") for name, value in outcome.items()}
    missing = dict.fromkeys(("because", "url", "until", "error"), "")
    return EXPLAINED[outcome["kind"]].format_map(missing | known).strip()


def _words(given: Any) -> tuple[str, ...]:
    many: Sequence[Any] = given if isinstance(given, list) else [given]
    return tuple(one for one in many if isinstance(one, str) and one)


def _share(given: Any) -> float | None:
    fits = isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= 1
    return float(given) if fits else None


def _pretty(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False)
