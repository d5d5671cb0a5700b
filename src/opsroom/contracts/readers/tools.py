"""Contracts of tool lists: those of MCP servers, and those that models are given (OpenAI)."""

from collections.abc import Callable, Mapping
from typing import Any

from opsroom.contracts.checking import checker
from opsroom.contracts.closing import closed
from opsroom.contracts.errors import BadContract, Unreadable
from opsroom.contracts.infer import tier_of, trust_of
from opsroom.contracts.model import ContractSpec, Effects, Executor, InProcess, Mcp, Tier

from . import Found, LeftOut, graver

NOTHING = {"type": "object", "properties": {}}


def read_mcp(data: Any, *, url: str = "", secret: str = "") -> Found:
    """Contracts of what `tools/list` answered. With `url`, opsroom calls that server itself.

    Annotations come from the server, so `destructiveHint` and `openWorldHint` make a tool
    graver, while `readOnlyHint` and `idempotentHint` are not believed.
    """

    def read(tool: Mapping[str, Any]) -> ContractSpec:
        name = str(tool["name"])
        hints = tool.get("annotations") or {}
        executor: Executor = Mcp(url=url, tool=name, secret=secret) if url else InProcess()
        return _contract(
            name,
            tool.get("description"),
            tool.get("inputSchema"),
            output=tool.get("outputSchema"),
            executor=executor,
            claimed=_claimed(hints if isinstance(hints, Mapping) else {}),
        )

    return _each("mcp", _listed("mcp", data, "tools"), read)


def read_openai(data: Any) -> Found:
    """Contracts of `tools` as chat completions or the responses API take them."""

    def read(tool: Mapping[str, Any]) -> ContractSpec:
        said = tool.get("function", tool)
        return _contract(str(said["name"]), said.get("description"), said.get("parameters"))

    return _each("openai", _listed("openai", data, "tools"), read)


def _claimed(hints: Mapping[str, Any]) -> Tier:
    """How grave a server says that its tool is, at most as it says itself."""
    if hints.get("readOnlyHint") is True:
        return Tier.READ
    if hints.get("openWorldHint") is True:
        return Tier.EXTERNAL
    return Tier.IRREVERSIBLE if hints.get("destructiveHint") is True else Tier.READ


def _contract(
    tool: str,
    description: Any,
    schema: Any,
    *,
    output: Any = None,
    executor: Executor | None = None,
    claimed: Tier = Tier.READ,
) -> ContractSpec:
    says, takes = str(description or ""), schema or NOTHING
    if not isinstance(takes, Mapping):
        raise Unreadable(tool, "its schema is no object")
    risk = graver(tier_of(tool, says, takes), claimed)
    spec = ContractSpec(
        tool=tool,
        description=says,
        input=closed(takes),
        output=output if isinstance(output, dict) else None,
        risk=risk,
        effects=Effects(read_only=risk is Tier.READ),
        returns=trust_of(tool, says, takes),
        executor=executor or InProcess(),
    )
    checker(spec.input, tool=tool)
    if spec.output is not None:
        checker(spec.output, tool=tool, place="output")
    return spec


def _listed(source: str, data: Any, word: str) -> list[Any]:
    if isinstance(data, Mapping) and isinstance(data.get("result"), Mapping):
        data = data["result"]
    found = (
        data.get(word, [data] if "name" in data or "function" in data else None)
        if isinstance(data, Mapping)
        else data
    )
    if not isinstance(found, list):
        raise Unreadable(source, f"it holds no list of {word}")
    return found


def _each(
    source: str, tools: list[Any], read: Callable[[Mapping[str, Any]], ContractSpec]
) -> Found:
    made: list[ContractSpec] = []
    left_out: list[LeftOut] = []
    for number, tool in enumerate(tools):
        if not isinstance(tool, Mapping):
            raise Unreadable(source, f"tool {number + 1} is no object")
        try:
            made.append(read(tool))
        except KeyError as error:
            raise Unreadable(source, f"tool {number + 1} has no {error.args[0]}") from error
        except (BadContract, Unreadable) as error:
            named = tool.get("name") or f"tool {number + 1}"
            left_out.append(LeftOut(tool=str(named), why=str(error)))
    return Found(contracts=tuple(made), left_out=tuple(left_out))
