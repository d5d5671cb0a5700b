"""Prompt histories: one line a version, oldest first, with commit, author and time.

The texts are taken literally: nobody said that their braces are a template.
"""

from datetime import datetime
from pathlib import Path

from opsroom.importing.model import Bundle, NewVersion
from opsroom.kit.texts import as_name
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft

from .lines import Line, files, lines, source_file, stem


def read(path: Path) -> Bundle:
    """Every version in a file, or in all files of a folder, oldest first."""
    found = files(path, "prompt-history")
    artifacts: dict[str, ArtifactDraft] = {}
    versions: list[NewVersion] = []
    for file in found:
        for line in lines(file):
            name = as_name(line.text("prompt"))
            artifacts.setdefault(
                name,
                ArtifactDraft(
                    kind="prompt",
                    name=name,
                    criticality=Criticality.ADVISORY,
                    tags=(as_name(stem(file)),),
                ),
            )
            versions.append(NewVersion(kind="prompt", name=name, draft=_draft(line)))
    return Bundle(
        format="prompt-history",
        files=tuple(source_file(file) for file in found),
        artifacts=tuple(artifacts.values()),
        versions=tuple(versions),
    )


def _draft(line: Line) -> VersionDraft:
    text = line.text("committed_at")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise line.wrong(f"{text!r} is not a time in ISO 8601") from None
    if at.tzinfo is None:
        raise line.wrong(f"{text!r} has no time zone")
    return VersionDraft(
        spec={"format": "text", "syntax": "literal", "text": line.text("text")},
        message=line.text("message"),
        author=line.text("author"),
        at=at,
        source=f"{line.text('path')}@{line.text('commit')}#{int(line.number('version'))}",
    )
