"""What a scraper reads: the text format 0.0.4, taken apart by its specification."""

import re
from dataclasses import dataclass, field

_LINE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)", re.ASCII | re.DOTALL)
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)', re.ASCII)
_BACK = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
Labels = tuple[tuple[str, str], ...]


@dataclass
class Family:
    help: str
    kind: str = ""
    samples: dict[Labels, float] = field(default_factory=dict)


def parse(text: str) -> dict[str, Family]:
    """Families by name. Fails on whatever a scraper would not read, or would read twice."""
    found: dict[str, Family] = {}
    assert not text or text.endswith("\n")
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            name, _, said = line.removeprefix("# HELP ").partition(" ")
            assert name not in found, f"{name} is told in two places"
            found[name] = Family(re.sub(r"\\[\\n]", lambda m: _BACK[m[0]], said))
        elif line.startswith("# TYPE "):
            name, _, kind = line.removeprefix("# TYPE ").partition(" ")
            assert not found[name].samples
            found[name].kind = kind
        else:
            match = _LINE.fullmatch(line)
            assert match is not None, line
            family = next(reversed(found.values()))
            assert found[match[1]] is family, f"{match[1]} stands under another's name"
            labels = _labels(match[2] or "")
            assert labels not in family.samples, line
            family.samples[labels] = float(match[3])
    return found


def _labels(text: str) -> Labels:
    found: list[tuple[str, str]] = []
    while text:
        match = _LABEL.match(text)
        assert match is not None, text
        found.append((match[1], re.sub(r"\\.", lambda m: _BACK[m[0]], match[2])))
        text = text[match.end() :]
    return tuple(found)
