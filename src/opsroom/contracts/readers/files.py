"""Contracts out of a file, by the name of its format."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from opsroom.contracts.errors import Unreadable
from opsroom.contracts.model import ContractSpec
from opsroom.kit.wire import adapter
from opsroom.kit.yamlfile import read_yaml

from . import Found
from .openapi import read_openapi
from .tools import read_mcp, read_openai

FORMATS = ("mcp", "openapi", "openai", "json")
MOST_BYTES = 16 * 1024 * 1024


def read_file(source: str, path: Path, *, url: str = "", secret: str = "") -> Found:
    """The contracts that a file describes. Raises `Unreadable` for one of another format."""
    data = _data(path)
    match source:
        case "mcp":
            return read_mcp(data, url=url, secret=secret)
        case "openapi":
            return read_openapi(data, server=url, secret=secret)
        case "openai":
            return read_openai(data)
        case _:
            return _specs(path, data)


def read_arguments(text: str) -> dict[str, Any]:
    """The arguments of a call as JSON text. A field that is there twice is refused: each
    reader of such a text may believe another one.
    """
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the arguments", str(error)) from error
    if not isinstance(found, dict):
        raise Unreadable("the arguments", "they are no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, _ in pairs if sum(name == one for one, _ in pairs) > 1)
        raise ValueError(f"{twice!r} is there twice")
    return found


def _data(path: Path) -> Any:
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable(path.name, f"it is larger than {MOST_BYTES // 1024**2} MB")
    if path.suffix in {".yaml", ".yml"}:
        return read_yaml(path).data
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Unreadable(path.name, str(error)) from error


def _specs(path: Path, data: Any) -> Found:
    try:
        read = adapter(ContractSpec).validate_python
        specs = [read(one) for one in (data if isinstance(data, list) else [data])]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Unreadable(path.name, f"{place} {first['msg']}") from error
    return Found(contracts=tuple(specs))
