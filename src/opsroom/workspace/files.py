"""A workspace on disk: `opsroom.yaml`, and a file for everything that it is the home of.

    project: default              which project it belongs to; checked, never chosen by the file
    server: https://ops.example   likewise
    files: [prompts, policies]    folders; all below opsroom.yaml without it
    kinds: [prompt, policy]       what it is the home of; every kind without it
    labels: [staging]             what is to point at the versions that the files say

A file holds `kind`, `name`, and as far as it says so purpose, owner, criticality and tags. A prompt
has its fields beside them, everything else its `spec`; a dataset names its items, as JSON lines in
a file beside it. Nothing outside of the workspace is read or written, whatever a file or a name
says, and links are not followed.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from opsroom.datasets.model import Item, cite
from opsroom.kit.canonical import digest
from opsroom.kit.errors import OpsroomError
from opsroom.kit.files import PathLeaves, files_below, inside, read_jsonl
from opsroom.kit.wire import adapter, plain
from opsroom.kit.yamlfile import Document, read_yaml
from opsroom.kit.yamlwriting import write_yaml
from opsroom.prompts.files import PromptFile, read_prompt, write_prompt
from opsroom.registry.model import NAME

from .errors import DescribedTwice, FileRefused, NoWorkspace
from .locking import Lock
from .model import KINDS, Entry

WORKSPACE = "opsroom.yaml"
SUFFIXES = (".yaml", ".yml")
_SETTINGS = ("server", "project", "files", "kinds", "labels")
_ABOUT = ("purpose", "owner", "criticality", "tags")
_PLURAL = {"policy": "policies"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What `opsroom.yaml` says. `root` is the folder it stands in."""

    root: Path
    server: str = ""
    project: str = ""
    folders: tuple[str, ...] = (".",)
    kinds: tuple[str, ...] = KINDS
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the workspace and what it says; `content` changes when what it says does.
    `beside` is the file with its items, where it is a dataset with one.
    """

    path: Path
    entry: Entry
    content: str
    beside: str


def find(start: Path) -> Path | None:
    """The `opsroom.yaml` that is meant by a path: itself, the one in it, or one above it."""
    if start.name == WORKSPACE and start.is_file():
        return start
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / WORKSPACE).is_file():
            return folder / WORKSPACE
    return None


def load(start: Path) -> Workspace:
    """Read the workspace that `start` belongs to. Raises `NoWorkspace` or `YamlWrong`."""
    file = find(start)
    if file is None:
        raise NoWorkspace(WORKSPACE, str(start))
    document = read_yaml(file)
    data = document.data if document.data is not None else {}
    if not isinstance(data, dict):
        raise document.wrong((), "a workspace file holds fields with names")
    for key in data:
        if key not in _SETTINGS:
            raise document.wrong((key,), f"there is no field {key[:80]!r}", fix=_near(key))
    kinds = _texts(document, "kinds") or KINDS
    for number, kind in enumerate(kinds):
        if kind not in KINDS:
            fix = f"kinds are {', '.join(KINDS)}"
            raise document.wrong(("kinds", number), f"there is no kind {kind[:80]!r}", fix=fix)
    folders = _texts(document, "files") or (".",)
    for number, folder in enumerate(folders):
        try:
            if folder != ".":
                inside(file.parent, folder)
        except PathLeaves as error:
            raise document.wrong(("files", number), str(error), fix=error.hint) from error
    return Workspace(
        root=file.parent.resolve(),
        server=_text(document, "server"),
        project=_text(document, "project"),
        folders=folders,
        kinds=kinds,
        labels=_texts(document, "labels"),
    )


def read(workspace: Workspace, lock: Lock) -> list[Found]:
    """Every file of the workspace, by name. YAML files without a `kind` of ours are somebody
    else's. Raises what is wrong with one, by line and column, and `DescribedTwice`.
    """
    found: dict[str, Found] = {}
    for folder in workspace.folders:
        place = workspace.root if folder == "." else inside(workspace.root, folder)
        if not place.is_dir():
            continue
        for path in files_below(place, *SUFFIXES):
            one = _read(workspace, path, lock)
            if one is None:
                continue
            there = found.setdefault(one.entry.ref, one)
            if there.path != path:
                raise DescribedTwice(one.entry.file, there.entry.file, one.entry.ref)
    return sorted(found.values(), key=lambda one: one.entry.file)


def _read(workspace: Workspace, path: Path, lock: Lock) -> Found | None:
    name = path.relative_to(workspace.root).as_posix()
    if path.name == WORKSPACE:
        return None
    document = read_yaml(path)
    kind = document.data.get("kind") if isinstance(document.data, dict) else None
    if not isinstance(kind, str) or not NAME.fullmatch(kind):
        return None
    if kind not in KINDS:
        raise document.wrong(("kind",), f"there is no kind {kind!r}", fix=_near(kind, KINDS))
    if kind not in workspace.kinds:
        return None
    data = _prompt(path) if kind == "prompt" else _other(document)
    items = _items(workspace, path, document) if kind == "dataset" else None
    try:
        entry = adapter(Entry).validate_python({**data, "kind": kind, "file": name})
    except (OpsroomError, ValidationError) as error:
        why = str(error) if isinstance(error, OpsroomError) else error.errors()[0]["msg"]
        raise document.wrong(
            ("name",), why, fix="names are a-z, 0-9, '.', '_' and '-'"
        ) from error
    content = digest(
        {**plain(entry), "file": "", "items": [plain(cite(one)) for one in items or ()]}
    )
    known = lock.files.get(entry.ref)
    values = {name_: getattr(entry, name_) for name_ in Entry.__dataclass_fields__}
    values["items"] = items
    if known is not None:
        values |= {"base": known.base, "touched": known.content != content}
    return Found(path, Entry(**values), content, _beside_name(workspace, path, document))


def _prompt(path: Path) -> dict[str, Any]:
    told = plain(read_prompt(path))
    return {key: told[key] for key in ("name", "spec", *_ABOUT)}


def _other(document: Document) -> dict[str, Any]:
    known = ("kind", "name", *_ABOUT, "spec")
    for key in document.data:
        if key not in known:
            raise document.wrong(
                (key,), f"there is no field {key[:80]!r}", fix=_near(key, known)
            )
    if not isinstance(document.data.get("spec"), dict):
        fix = "write its fields below `spec:`"
        raise document.wrong(("spec",), "it holds no spec", fix=fix)
    told = {key: one for key, one in document.data.items() if key != "kind"}
    return {**told, "spec": {k: v for k, v in told["spec"].items() if k != "items"}}


def _items(workspace: Workspace, path: Path, document: Document) -> tuple[Item, ...]:
    """The items of a dataset: in the file, or as JSON lines in another one."""
    told = document.data["spec"].get("items")
    if isinstance(told, list):
        rows = list(enumerate(told, 1))
    elif isinstance(told, str):
        rows = list(read_jsonl(_beside(workspace, path, told, document)))
    else:
        fix = "name a file, as `items: NAME.items.jsonl`"
        raise document.wrong(("spec", "items"), "a dataset names its items", fix=fix)
    found: list[Item] = []
    for line, row in rows:
        try:
            found.append(adapter(Item).validate_python(row))
            cite(found[-1])
        except (OpsroomError, ValidationError) as error:
            why = str(error) if isinstance(error, OpsroomError) else error.errors()[0]["msg"]
            name = path.relative_to(workspace.root).as_posix()
            raise FileRefused(name, f"item {line}: {why}", "correct the item") from error
    return tuple(found)


def _beside_name(workspace: Workspace, path: Path, document: Document) -> str:
    spec = document.data.get("spec")
    told = spec.get("items") if isinstance(spec, dict) else None
    if document.data["kind"] != "dataset" or not isinstance(told, str):
        return ""
    beside = _beside(workspace, path, told, document)
    return beside.relative_to(workspace.root).as_posix()


def _beside(workspace: Workspace, path: Path, name: str, document: Document) -> Path:
    try:
        inside(path.parent, name)
        return inside(
            workspace.root, (path.parent.relative_to(workspace.root) / name).as_posix()
        )
    except PathLeaves as error:
        raise document.wrong(("spec", "items"), str(error), fix=error.hint) from error


# -- writing --


def texts(
    workspace: Workspace,
    artifact: Mapping[str, Any],
    version: Mapping[str, Any],
    items: list[dict[str, Any]] | None,
    *,
    at: Path | None,
) -> dict[Path, str]:
    """The files that say a version as the API gives it, and what they hold. `at` is the file that
    says the artifact today. Raises `PathLeaves` rather than name a file elsewhere.
    """
    kind, name = artifact["kind"], artifact["name"]
    path = at or _new(workspace, kind, name)
    about = {key: artifact[key] for key in _ABOUT if artifact[key] not in (None, "", [])}
    if kind == "prompt":
        told = {"name": name, **about, "spec": version["spec"]}
        return {path: write_prompt(adapter(PromptFile).validate_python(told))}
    # What an artifact cites is worked out anew whenever it is stored.
    spec = {key: one for key, one in version["spec"].items() if key != "cites"}
    found: dict[Path, str] = {}
    if items is not None:
        beside = _items_file(workspace, path, name)
        found[beside] = "".join(
            json.dumps(_item(one), ensure_ascii=False, sort_keys=True) + "\n" for one in items
        )
        spec = {key: one for key, one in spec.items() if key not in ("items", "lineage")}
        spec["items"] = beside.relative_to(path.parent).as_posix()
    found[path] = write_yaml({"kind": kind, "name": name, **about, "spec": spec})
    return found


def write(workspace: Workspace, path: Path, text: str) -> None:
    """Put a file of the workspace there: all of it, or what was there before."""
    home = workspace.root.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.resolve().is_relative_to(home):
        raise PathLeaves(str(path), "it leads out of the workspace")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with fresh.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    fresh.replace(path)


def _new(workspace: Workspace, kind: str, name: str) -> Path:
    """Where a file goes that is not there yet: prompts/triage.yaml."""
    plural = _PLURAL.get(kind, f"{kind}s")
    mine = [one for one in workspace.folders if Path(one).name in (kind, plural)]
    folder = mine[0] if mine else plural
    if not mine and "." not in workspace.folders:
        folder = f"{workspace.folders[0]}/{plural}"
    path = inside(workspace.root, f"{folder}/{name}.yaml")
    if path.exists():
        told = path.relative_to(workspace.root).as_posix()
        raise FileRefused(told, f"it is there, and does not say {kind}/{name}", "move it away")
    return path


def _items_file(workspace: Workspace, path: Path, name: str) -> Path:
    if path.is_file():
        document = read_yaml(path)
        told = document.data.get("spec") if isinstance(document.data, dict) else None
        if isinstance(told, dict) and isinstance(told.get("items"), str):
            beside = _beside(workspace, path, told["items"], document)
            if not beside.name.endswith(".gz"):
                return beside
    return _beside(workspace, path, f"{name}.items.jsonl", Document(path.name, {}, {}))


def _item(one: Mapping[str, Any]) -> dict[str, Any]:
    """An item without what goes without saying."""
    usual: dict[str, Any] = {"expected": None, "tags": [], "metadata": {}}
    return {key: value for key, value in one.items() if key not in usual or value != usual[key]}


def _text(document: Document, key: str) -> str:
    value = document.data.get(key) if document.data else None
    if value is None:
        return ""
    if not isinstance(value, str):
        raise document.wrong((key,), f"{key} is a text")
    return value


def _texts(document: Document, key: str) -> tuple[str, ...]:
    value = document.data.get(key) if document.data else None
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise document.wrong((key,), f"{key} is a list of texts")
    return tuple(value)


def _near(key: str, known: tuple[str, ...] = _SETTINGS) -> str:
    near = get_close_matches(key, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there is {', '.join(known)}"
