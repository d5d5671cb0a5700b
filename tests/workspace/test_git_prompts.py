"""A folder of prompts comes with everything that its repository remembers."""

import os
from pathlib import Path

import pytest
from tests.workspace.test_cli import commit, git

from opsroom.importing.readers import read
from opsroom.workspace import git as asking
from opsroom.workspace.errors import NoRepository
from opsroom.workspace.git import blob, head, is_before


def test_each_commit_that_changed_a_file_is_a_version(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    (folder / "support").mkdir(parents=True)
    git(tmp_path, "init", "-q", "-b", "main")
    triage, yaml = folder / "support" / "triage.md", folder / "tone.yaml"
    triage.write_text("Sort it.\n" * 9)
    yaml.write_text("kind: prompt\nname: tone\ntext: Be {{ how }}.\nvariables: {how: {}}\n")
    first = commit(tmp_path, "Begin")
    yaml.write_text("kind: prompt\nname: tone\ntext: [broken\n")
    broken = commit(tmp_path, "Break")
    git(tmp_path, "checkout", "-q", "-b", "side")
    git(folder, "mv", "support/triage.md", "support/sorting.md")
    renamed = folder / "support" / "sorting.md"
    renamed.write_text("Sort it.\n" * 9 + "Calmly.\n")
    side = commit(tmp_path, "Calm down\n\nIt was too loud.")
    git(tmp_path, "checkout", "-q", "main")
    yaml.write_text("kind: prompt\nname: tone\ntext: Be brief.\n")
    mended = commit(tmp_path, "Mend")
    git(tmp_path, "merge", "-q", "--no-ff", "-m", "Merge side", "side")
    (folder / "notes.csv").write_text("no,prompt\n")
    (folder / "link.md").symlink_to("/etc/passwd")
    commit(tmp_path, "Add what is none")
    bundle = read("git-prompts", folder)
    assert sorted(one.name for one in bundle.artifacts) == ["support-sorting", "tone"]
    by_name = {
        name: [one.draft for one in bundle.versions if one.name == name]
        for name in ("support-sorting", "tone")
    }
    assert [one.source for one in by_name["support-sorting"]][:2] == [
        f"support/sorting.md@{first}",
        f"support/sorting.md@{side}",
    ]
    assert by_name["support-sorting"][1].message == "Calm down\n\nIt was too loud."
    assert by_name["support-sorting"][-1].spec["text"] == renamed.read_text()
    assert [one.source for one in by_name["tone"]] == [
        f"tone.yaml@{first}",
        f"tone.yaml@{mended}",
    ]
    assert broken[:12] in by_name["tone"][1].message
    assert {one.author for one in by_name["tone"]} == {"Ada L"}
    assert read("git-prompts", yaml).versions == tuple(
        one for one in read("git-prompts", folder).versions if one.name == "tone"
    )


def test_what_is_included_comes_before_what_includes_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for name, other in (("a", "b"), ("b", "c"), ("c", "")):
        cited = f"includes: {{x: {other}}}\n" if other else ""
        text = "\"{% include 'x' %}\"" if other else "Hello."
        told = f"kind: prompt\nname: {name}\ntext: {text}\n{cited}"
        (tmp_path / f"{name}.yaml").write_text(told)
    commit(tmp_path, "All at once")
    assert [one.name for one in read("git-prompts", tmp_path).versions] == ["c", "b", "a"]


def test_a_commit_of_another_history_is_not_before_ours(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert head(tmp_path) is None
    (tmp_path / "a.txt").write_text("a")
    first = commit(tmp_path, "A\n\nb")
    (tmp_path / "a.txt").write_text("b")
    found = head(tmp_path)
    assert found is not None
    assert (found.hash, found.subject, found.dirty) == (first, "A", frozenset({"a.txt"}))
    assert found.trailer("c.yaml", "").startswith(f"Git-Commit: {first}\n")
    assert found.trailer("c.yaml", "a.txt").startswith(f"Git-Commit: {first} dirty\n")
    assert is_before(tmp_path, first)
    assert not is_before(tmp_path, "0" * 40)
    assert not is_before(tmp_path, "--upload-pack=x")


def test_nothing_that_a_repository_names_is_run(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text("a")
    commit(tmp_path, "A")
    (tmp_path / "evil").write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    (tmp_path / "evil").chmod(0o755)
    evil = str(tmp_path / "evil")
    (tmp_path / ".gitattributes").write_text("*.txt diff=evil filter=evil\n")
    for name in (
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "diff.evil.textconv",
        "core.sshCommand",
    ):
        git(tmp_path, "config", name, evil)
    head(tmp_path)
    read("git-prompts", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_folder_without_history_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoRepository):
        read("git-prompts", tmp_path)


def test_neither_filters_of_a_repository_nor_where_it_left_things_are_asked(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    git(folder, "init", "-q")
    for name in ("clean", "process"):
        (folder / f"{name}.md").write_text("Be brief.")
    (folder / ".gitattributes").write_text("clean.md filter=a=b.c\nprocess.md filter=P\n")
    commit(folder, "Begin")
    ran = tmp_path / "ran"
    git(folder, "config", "filter.a=b.c.clean", f"touch '{ran}'; cat")
    git(folder, "config", "filter.P.process", f"touch '{ran}'")
    git(folder, "config", "filter.P.required", "true")
    for name in ("clean", "process"):
        (folder / f"{name}.md").write_text("Be short.")  # as long as before: git has to look
    found = head(folder)
    assert found is not None
    assert found.dirty == {"clean.md", "process.md"}
    # What is missing would be fetched from where it was left, by a program of their choice.
    git(folder, "config", "extensions.partialClone", "origin")
    git(folder, "config", "core.repositoryFormatVersion", "1")
    git(folder, "config", "remote.origin.url", "ssh://example.org/theirs")
    git(folder, "config", "core.sshCommand", f"touch '{ran}'; false")
    with pytest.raises(NoRepository):
        blob(folder, "1" * 40, most=100)
    assert not ran.exists()


def test_a_history_may_hold_whatever_git_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.md").write_text("Be brief.")
    commit(tmp_path, "Odd \x01\x02\x02 one\n\n:100644 100644 0 0 M\n\x01" + "1" * 40)
    Path(os.fsdecode(bytes(tmp_path) + b"/odd\xff.md")).write_text("Be calm.")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "@99999999999999 +9900")
    commit(tmp_path, "Much later")
    first, second = [one.draft for one in read("git-prompts", tmp_path).versions]
    assert first.message.startswith("Odd \x01\x02\x02 one\n\n:100644")
    assert second.at is None
    assert second.source is not None
    assert second.source.encode().startswith("odd\N{REPLACEMENT CHARACTER}.md@".encode())


def test_no_more_is_read_of_a_history_than_we_are_willing_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.md").write_text("Be brief.")
    commit(tmp_path, "Begin" * 9_000)
    monkeypatch.setattr(asking, "MAX_OUTPUT", 30_000)
    with pytest.raises(NoRepository, match="too long"):
        read("git-prompts", tmp_path)
