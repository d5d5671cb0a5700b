"""Whether edited arguments fit what the action takes."""

from collections.abc import Mapping
from typing import Any

from opsroom.contracts.canonical import canonicalise
from opsroom.contracts.model import ContractSpec

from .model import Request


def fitted(request: Request, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments in canonical form. Raises `BrokenContract` where they do not fit."""
    shape = dict(request.schema) or {"type": "object"}
    spec = ContractSpec(tool=request.tool, input=shape)
    return dict(canonicalise(spec, arguments).arguments)
