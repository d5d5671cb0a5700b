"""Prompts as files in a user's own repository: `kind: prompt`, one prompt a file.

A file holds what the artifact says (name, purpose, owner, criticality, tags) and, beside it,
the fields of the prompt. Reading it names file, line and column of the first thing that is
wrong. Writing is stable, and what was written reads back to the same prompt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from opsroom.kit.files import files_below, inside
from opsroom.kit.wire import Wire, adapter, plain
from opsroom.kit.yamlfile import Document, ValuePath, parse_yaml, read_yaml
from opsroom.kit.yamlwriting import write_yaml
from opsroom.registry import BadName, Criticality
from opsroom.registry.model import NAME

from .errors import PromptFilesDiffer, PromptWrong, TemplateBroken, TemplateRefused
from .model import Parameters, PromptSpec, Syntax, Variable, read_spec
from .syntax import read_template

KIND = "prompt"
SUFFIXES = (".yaml", ".yml")

_ABOUT = ("name", "purpose", "owner", "criticality", "tags")
_SPEC = tuple(field.name for field in fields(PromptSpec))
_KNOWN = ("kind", *_ABOUT, *_SPEC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile(Wire):
    """What one file says. None is what it leaves as it is."""

    name: str
    spec: PromptSpec
    purpose: str | None = None
    owner: str | None = None
    criticality: Criticality | None = None
    tags: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if NAME.fullmatch(self.name) is None:
            raise BadName(self.name)


def read_prompt(path: Path) -> PromptFile:
    """The prompt in a file. Raises what is wrong with it, by line and column."""
    return _prompt(read_yaml(path))


def parse_prompt(text: str, *, file: str = "text") -> PromptFile:
    """The prompt in the text of a file."""
    return _prompt(parse_yaml(text, file=file))


def read_prompts(path: Path) -> dict[Path, PromptFile]:
    """The prompt in a file, or every prompt below a folder.

    In a folder, YAML files that name no `kind` are somebody else's. Raises
    `PromptFilesDiffer` where two files describe one prompt.
    """
    if not path.is_dir():
        return {path: read_prompt(path)}
    found: dict[Path, PromptFile] = {}
    named: dict[str, Path] = {}
    for file in files_below(path, *SUFFIXES):
        document = read_yaml(file)
        if not isinstance(document.data, dict) or "kind" not in document.data:
            continue
        prompt = _prompt(document)
        first = named.setdefault(prompt.name, file)
        if first is not file:
            raise PromptFilesDiffer(
                str(file.relative_to(path)), prompt.name, str(first.relative_to(path))
            )
        found[file] = prompt
    return found


def read_folder(path: Path) -> list[dict[str, Any]]:
    """The prompts in a file or folder as the API takes them, without what files leave open."""
    return [
        {name: value for name, value in plain(one).items() if value is not None}
        for one in read_prompts(path).values()
    ]


def write_folder(
    folder: Path, prompts: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> list[str]:
    """Write artifacts with their versions, as the API gives them, into a folder.

    A prompt that has a file there keeps its place; one whose file says the same already, with
    whatever remarks, is left alone. Gives the names of the files that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = {prompt.name: (file, prompt) for file, prompt in read_prompts(folder).items()}
    written: list[str] = []
    for artifact, version in prompts:
        about = {key: artifact[key] for key in _ABOUT}
        prompt = adapter(PromptFile).validate_python({**about, "spec": version["spec"]})
        file, same = there.get(prompt.name, (inside(folder, f"{prompt.name}.yaml"), None))
        if same is None or _filled(same, prompt) != prompt:
            file.write_text(write_prompt(prompt), encoding="utf-8", newline="\n")
            written.append(str(file.relative_to(folder)))
    return written


def write_prompt(prompt: PromptFile) -> str:
    """The text of the file that holds this prompt, without what goes without saying."""
    about, spec = plain(prompt), plain(prompt.spec)
    data: dict[str, Any] = {"kind": KIND}
    data |= {key: about[key] for key in _ABOUT if about[key] not in (None, "", [])}
    spec["variables"] = {
        name: _told(one, Variable(), keep="type") for name, one in spec["variables"].items()
    }
    spec["model"] = _told(spec["model"], Parameters())
    if prompt.spec.syntax is Syntax.TEMPLATE:
        del spec["syntax"]
    schema = spec.pop("output_schema")
    data |= {key: one for key, one in spec.items() if one not in (None, [], {})}
    return write_yaml(data if schema is None else {**data, "output_schema": schema})


def _told(given: Mapping[str, Any], usual: object, keep: str = "") -> dict[str, Any]:
    """Only what differs from the usual."""
    unsaid = plain(usual)
    return {key: one for key, one in given.items() if key == keep or one != unsaid[key]}


def _filled(file: PromptFile, stored: PromptFile) -> PromptFile:
    """What a file says, with what it leaves open as it is stored."""
    about = {
        name: getattr(stored if getattr(file, name) is None else file, name) for name in _ABOUT
    }
    return PromptFile(spec=file.spec, **about)


def _prompt(document: Document) -> PromptFile:
    data = _mapping(document)
    for key in data:
        if key not in _KNOWN:
            near = get_close_matches(key, _KNOWN, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"fields are {', '.join(_KNOWN)}"
            raise document.wrong((key,), f"there is no field {key[:80]!r}", fix=fix)
    if data.get("kind") != KIND:
        fix = f"write `kind: {KIND}`"
        raise document.wrong(("kind",), f"unknown kind {str(data.get('kind'))[:80]!r}", fix=fix)
    about = {key: data[key] for key in _ABOUT if data.get(key) is not None}
    spec = {key: data[key] for key in _SPEC if key in data}
    spec.setdefault("format", "chat" if "messages" in spec else "text")
    try:
        read = read_spec(spec)
        prompt = adapter(PromptFile).validate_python({**about, "spec": read})
    except PromptWrong as error:
        raise document.wrong(
            _path(error.place), f"{error.place}: {error.why}", fix=error.hint
        ) from error
    except BadName as error:
        raise document.wrong(("name",), str(error), fix=error.hint) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise document.wrong(first["loc"], f"{where}: {first['msg']}") from error
    _check_templates(read, document)
    return prompt


def _mapping(document: Document) -> Mapping[str, Any]:
    if not isinstance(document.data, dict):
        fix = f"start with `kind: {KIND}`"
        raise document.wrong((), "a prompt file holds fields with names", fix=fix)
    found: Mapping[str, Any] = document.data
    return found


def _check_templates(spec: PromptSpec, document: Document) -> None:
    if spec.syntax is Syntax.LITERAL:
        return
    for part in spec.parts:
        try:
            read_template(part.template, place=part.place)
        except (TemplateBroken, TemplateRefused) as error:
            fix = error.hint.format(error)
            raise document.wrong(_path(part.place), str(error), fix=fix) from error


def _path(place: str) -> ValuePath:
    return tuple(int(one) if one.isdecimal() else one for one in place.split("."))
