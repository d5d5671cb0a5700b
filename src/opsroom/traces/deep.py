"""Values that ClickHouse keeps as the bytes they came in: lists within lists, and pairs."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import ArrayValue, KeyValueList

from .view import DEEP

_WITHIN = re.compile(rf"(?<![\w\"]){DEEP}(?:array|kvlist|bytes):[A-Za-z0-9+/=]*")


def told(attributes: Mapping[str, str]) -> dict[str, str]:
    """`attributes` with such values as JSON; all others are what they are."""
    return {
        name: _told(value) if DEEP in value else value for name, value in attributes.items()
    }


def _told(value: str) -> str:
    if value.startswith("["):
        return _WITHIN.sub(lambda found: _item(found[0]), value)
    return _item(value)


def _item(text: str) -> str:
    kind, _, packed = text.removeprefix(DEEP).partition(":")
    if not text.startswith(DEEP) or kind not in {"array", "kvlist", "bytes"}:
        return text
    try:
        raw = b64decode(packed, validate=True)
        if kind == "bytes":
            return packed
        plain = _plain_list(raw) if kind == "array" else _plain_pairs(raw)
    except (ValueError, DecodeError):
        return text
    return json.dumps(plain, ensure_ascii=False)


def _plain_list(raw: bytes) -> list[Any]:
    return [_plain(one) for one in ArrayValue.FromString(raw).values]


def _plain_pairs(raw: bytes) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in KeyValueList.FromString(raw).values}


def _plain(value: Any) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [_plain(one) for one in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case "bytes_value":
            return b64encode(value.bytes_value).decode()
        case None:
            return None
        case name:
            return getattr(value, name)
