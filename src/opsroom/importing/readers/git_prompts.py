"""Prompt folders with their git history: each commit that changed a file is a version of it.

Plain texts are taken literally: nobody said that their braces are a template. YAML files of kind
`prompt` are read as such. Author, time and message are those of the commit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from opsroom.importing.errors import NothingToImport
from opsroom.importing.model import Bundle, NewVersion, SourceFile
from opsroom.kit.canonical import sha256
from opsroom.kit.errors import OpsroomError
from opsroom.kit.texts import as_name
from opsroom.kit.wire import plain
from opsroom.prompts.files import KIND, PromptFile, parse_prompt
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft
from opsroom.workspace import git
from opsroom.workspace.errors import DescribedTwice, NoRepository
from opsroom.workspace.git import Change
from opsroom.workspace.model import Entry, in_order

TEXTS = (".txt", ".md", ".prompt", ".j2", ".jinja", ".jinja2", ".mustache")
FILES = (".yaml", ".yml")
MAX_SIZE = 1024 * 1024
MAX_TOTAL = 32 * 1024 * 1024
MAX_VERSIONS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """A prompt as one commit left it."""

    entry: Entry
    change: Change
    draft: VersionDraft
    sha256: str


def read(path: Path) -> Bundle:
    """Every state of every prompt in a folder of a git repository, or of one file.

    A state that cannot be read as a prompt is left out, and the next one says so. Raises
    `NoRepository`, also where the history is longer than 5,000 versions or 32 MB, and
    `DescribedTwice` where two files are of one prompt.
    """
    folder = path if path.is_dir() else path.parent
    changes = [
        one
        for one in git.history(folder)
        if one.path.endswith((*TEXTS, *FILES)) and (path.is_dir() or one.path == path.name)
    ]
    if len(changes) > MAX_VERSIONS:
        raise NoRepository(str(path), f"it has more than {MAX_VERSIONS:,} versions")
    artifacts: dict[str, ArtifactDraft] = {}
    versions: list[NewVersion] = []
    files: dict[str, SourceFile] = {}
    for _, states in groupby(_states(folder, changes), key=lambda one: one.change.commit):
        together = {one.entry.name: one for one in states}
        for entry in in_order([one.entry for one in together.values()]):
            state = together[entry.name]
            artifacts.setdefault(
                entry.name,
                ArtifactDraft(kind=KIND, name=entry.name, criticality=Criticality.ADVISORY),
            )
            versions.append(NewVersion(kind=KIND, name=entry.name, draft=state.draft))
            files[entry.file] = SourceFile(name=entry.file, sha256=state.sha256)
    if not versions:
        raise NothingToImport(str(path), "git-prompts", "*" + ", *".join((*TEXTS, *FILES)))
    return Bundle(
        format="git-prompts",
        files=tuple(files.values()),
        artifacts=tuple(artifacts.values()),
        versions=tuple(versions),
    )


def _states(folder: Path, changes: list[Change]) -> Iterator[_State]:
    total = 0
    blobs: dict[str, str] = {}
    files: dict[str, str] = {}
    left_out: dict[str, list[str]] = {}
    for one in changes:
        if blobs.get(one.path) == one.blob:
            continue
        blobs[one.path] = one.blob
        raw = git.blob(folder, one.blob, most=MAX_SIZE)
        total += len(raw or b"")
        if total > MAX_TOTAL:
            raise NoRepository(str(folder), "its history is longer than 32 MB")
        read = None if raw is None else _read(one.path, raw)
        if raw is None or read is None:
            left_out.setdefault(one.path, []).append(one.commit[:12])
            continue
        name, spec = read
        if (other := files.setdefault(name, one.path)) != one.path:
            raise DescribedTwice(one.path, other, f"{KIND}/{name}")
        yield _State(
            entry=Entry(kind=KIND, name=name, file=one.path, spec=spec),
            change=one,
            draft=_draft(one, spec, left_out.pop(one.path, [])),
            sha256=sha256(raw),
        )


def _read(path: str, raw: bytes) -> tuple[str, dict[str, Any]] | None:
    """The name and the spec of a prompt; None where a file is none, or not readable as one."""
    try:
        text = raw.decode()
        if not text.strip():
            return None
        if path.endswith(TEXTS):
            name = as_name(path.rpartition(".")[0]) or "prompt"
            return name, {"format": "text", "syntax": "literal", "text": text}
        found: PromptFile = parse_prompt(text, file=path)
    except (UnicodeDecodeError, OpsroomError):
        return None
    return found.name, plain(found.spec)


def _draft(change: Change, spec: dict[str, Any], left_out: list[str]) -> VersionDraft:
    message = change.message
    if left_out:
        message += f"\n\nLeft out before this, not readable as a prompt: {', '.join(left_out)}"
    return VersionDraft(
        spec=spec,
        message=message,
        author=change.author,
        at=change.at,
        source=f"{change.path}@{change.commit}",
    )
