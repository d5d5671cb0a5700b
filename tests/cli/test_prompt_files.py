"""Prompts as files: diff, push, pull; and nothing half done when one of them is wrong."""

import gzip
from pathlib import Path

import pytest
from tests.installation import Shell

from opsroom.sdk import Opsroom

GREETING = """\
kind: prompt
name: greeting
text: "{% include 'tone' %} Hello, {{ who }}."
includes:
  tone: tone
variables:
  who: {}
"""
TONE = "kind: prompt\nname: tone\ntext: Be kind.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "prompts"
    path.mkdir()
    (path / "a-greeting.yaml").write_text(GREETING)
    (path / "tone.yaml").write_text(TONE)
    return path


def test_a_folder_is_stored_as_a_whole(shell: Shell, folder: Path) -> None:
    assert shell("prompt", "push", folder, "-m", "first") == 0
    assert "stored 2 versions; 0 unchanged" in shell.out
    assert shell("push", folder) == 0
    assert "stored 0 versions; 2 unchanged" in shell.out
    assert shell("prompt", "render", "greeting", "--var", "who=Ada") == 0
    assert shell.out == "Be kind. Hello, Ada.\n"
    stored = shell.data("prompt", "show", "greeting")
    assert stored["version"]["spec"]["includes"] == {"tone": "tone@1"}
    assert stored["version"]["message"] == "first"


def test_a_changed_include_changes_what_includes_it(shell: Shell, folder: Path) -> None:
    shell("push", folder)
    (folder / "tone.yaml").write_text(TONE.replace("kind.", "brief."))
    done = {one["name"]: one for one in shell.data("push", folder)}
    assert {name: one["outcome"] for name, one in done.items()} == {
        "greeting": "changed",
        "tone": "changed",
    }
    assert done["greeting"]["version"]["spec"]["includes"] == {"tone": "tone@2"}


def test_a_diff_shows_words_and_stores_nothing(shell: Shell, folder: Path) -> None:
    shell("push", folder)
    before = shell.data("audit", "head")
    (folder / "tone.yaml").write_text(TONE.replace("kind.", "brief."))
    assert shell("diff", folder) == 0
    assert "Be [-kind-]{+brief+}." in shell.out
    assert shell("push", folder, "--dry-run") == 0
    assert "would store 2 versions" in shell.out
    assert shell.data("audit", "head") == before
    assert shell.data("prompt", "history", "tone")["versions"][0]["number"] == 1
    assert shell("prompt", "diff", "tone@1", "tone@1") == 0


def test_what_is_pulled_can_be_pushed_again(shell: Shell, folder: Path, tmp_path: Path) -> None:
    shell("push", folder)
    pulled = tmp_path / "pulled"
    assert shell("prompt", "pull", pulled) == 0
    assert sorted(path.name for path in pulled.iterdir()) == ["greeting.yaml", "tone.yaml"]
    assert shell("diff", pulled) == 0
    assert shell.out == "the files and the server agree\n"
    assert shell.data("pull", pulled) == []


def test_a_starter_is_a_prompt(shell: Shell, tmp_path: Path) -> None:
    assert shell("prompt", "new", "first", "--dir", tmp_path) == 0
    assert shell("push", tmp_path / "first.yaml") == 0
    assert shell("prompt", "new", "first", "--dir", tmp_path) == 2
    assert shell("prompt", "new", "../first", "--dir", tmp_path) == 2


def test_a_rollback_is_one_command(shell: Shell, folder: Path, local: Opsroom) -> None:
    for words in ("kind.", "brief."):
        (folder / "tone.yaml").write_text(
            TONE.replace("kind.", words) + "criticality: advisory\n"
        )
        shell("push", folder / "tone.yaml")
        opened = shell.data("prompt", "propose", "tone")
        assert shell("proposal", "merge", opened["id"]) == 0
    assert local.prompt("tone").version == 2
    assert shell("prompt", "rollback", "tone", "--reason", "too brief") == 0
    assert shell.data("prompt", "show", "tone@production")["version"]["number"] == 1


BAD = {
    "no YAML": ("kind: prompt\n  name: [", "yaml_wrong", "bad.yaml:2:"),
    "unknown kind": ("kind: prompz\nname: x\ntext: y\n", "yaml_wrong", "unknown kind 'prompz'"),
    "unknown field": ("kind: prompt\nname: x\ntextt: y\n", "yaml_wrong", "no field 'textt'"),
    "field twice": ("kind: prompt\nname: x\nname: y\n", "yaml_wrong", "bad.yaml:3:"),
    "no name": ("kind: prompt\ntext: y\n", "yaml_wrong", "name"),
    "bad name": ("kind: prompt\nname: ../x\ntext: y\n", "yaml_wrong", "cannot be a name"),
    "same name, other content": (TONE.replace("kind.", "rude."), "prompt_files_differ", "tone"),
    "broken template": ("kind: prompt\nname: x\ntext: '{{ a'\n", "yaml_wrong", "text"),
    "template that calls": (
        "kind: prompt\nname: x\ntext: '{{ a.__class__() }}'\nvariables: {a: {}}\n",
        "yaml_wrong",
        "text",
    ),
    "cyclic include": (
        "kind: prompt\nname: x\ntext: \"{% include 'x' %}\"\nincludes: {x: x}\n",
        "prompt_include_cycle",
        "x → x",
    ),
    "missing include": (
        "kind: prompt\nname: x\ntext: \"{% include 'z' %}\"\nincludes: {z: zzz@3}\n",
        "artifact_not_found",
        "zzz",
    ),
    "ten megabytes": ("kind: prompt\nname: x\ntext: " + "y" * 10_000_000, "yaml_too_large", "bad"),
    "billion laughs": (
        "kind: prompt\nname: x\na: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{after}: &{after} [{','.join(['*' + before] * 9)}]\n"
            for before, after in zip("abcdefghi", "bcdefghij", strict=True)
        ),
        "yaml_",
        "bad.yaml",
    ),
    "tag": ("kind: prompt\nname: !!python/object/apply:os.system [ls]\n", "yaml_wrong", "bad.yaml"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_one_bad_file_stops_the_whole_folder(shell: Shell, folder: Path, case: str) -> None:
    content, code, says = BAD[case]
    (folder / "bad.yaml").write_text(content)
    error = shell.refused("push", folder)
    assert error["exit_code"] in {2, 7}
    assert error["code"].startswith(code), error
    assert says in error["message"], error
    assert error["hint"]
    assert shell.data("prompt", "list") == []


def test_a_gzip_bomb_is_no_prompt(shell: Shell, folder: Path) -> None:
    with gzip.open(folder / "bad.yaml", "wb") as file:
        file.write(bytes(100_000_000))
    assert shell.refused("push", folder)["code"] == "file_bomb"
    assert shell.data("prompt", "list") == []


def test_the_linter_looks_at_files_and_versions(shell: Shell, folder: Path) -> None:
    (folder / "tone.yaml").write_text(TONE + "variables: {unused: {}}\n")
    found = shell.data("prompt", "lint", folder)
    assert any("unused" in one["message"] for one in found)
    shell("push", folder)
    assert shell("prompt", "lint", "tone") == 0
    assert "unused" in shell.out
