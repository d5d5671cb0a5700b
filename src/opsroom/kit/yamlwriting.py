"""Writing YAML that people read: what `parse_yaml` reads back is what was written."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from .yamlfile import YamlWrong, parse_yaml, plain_value

# Line ends of other systems and characters that editors do not show.
_UNSAFE = re.compile(
    "[^\t\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def write_yaml(data: Mapping[str, Any]) -> str:
    """JSON data as YAML that `parse_yaml` reads back to the same: stable, long texts as blocks.

    Keys keep their order. Texts of several lines are written as they look (`|`), unless they
    hold characters that would not survive it.
    """
    text = _dumped(data, _Blocks)
    if "|" in text and not _says(text, data):
        text = _dumped(data, _Quotes)
    return text


def _says(text: str, data: Mapping[str, Any]) -> bool:
    try:
        return bool(parse_yaml(text).data == data)
    except YamlWrong:
        return False


class _Quotes(yaml.SafeDumper):
    """Writes what the core schema of YAML 1.2 would take for something else in quotes."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # equal values are written twice
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        quoted = "\n" in text or _UNSAFE.search(text) or not isinstance(plain_value(text), str)
        style = '"' if quoted else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


class _Blocks(_Quotes):
    """Writes texts of several lines as blocks."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        if "\n" in text and not _UNSAFE.search(text):
            return self.represent_scalar("tag:yaml.org,2002:str", text, "|")
        return super().represent_text(text)

    def analyze_scalar(self, scalar: str) -> Any:
        found = super().analyze_scalar(scalar)
        # The emitter gives up on blocks where a line ends in a space; prose often does.
        found.allow_block = found.allow_block or not _UNSAFE.search(scalar)
        return found


_Quotes.add_representer(str, _Quotes.represent_text)
_Blocks.add_representer(str, _Blocks.represent_text)


def _dumped(data: Mapping[str, Any], dumper: type[_Quotes]) -> str:
    text: str = yaml.dump(
        data,
        Dumper=dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=1 << 30,
    )
    return text
