"""A repository and a server: drift is shown, nobody's work is lost, nothing leaves the folder."""

import subprocess
from pathlib import Path

import pytest
from tests.installation import Shell

from opsroom.kit.files import PathLeaves
from opsroom.kit.yamlfile import YamlWrong
from opsroom.workspace import files
from opsroom.workspace.errors import DescribedTwice, NoWorkspace
from opsroom.workspace.locking import Lock

TONE = "# what all share\nkind: prompt\nname: tone\ncriticality: advisory\ntext: Be kind.\n"
POLICY = """\
kind: evaluator
name: exact
spec:
  type: equals  # to the letter
"""
DATASET = """\
kind: dataset
name: hello
spec:
  evaluators: [exact]
  items: hello.items.jsonl
"""


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=Ada L", "-c", "user.email=ada@example.org", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit(folder: Path, message: str) -> str:
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "team"
    (path / "prompts").mkdir(parents=True)
    (path / "opsroom.yaml").write_text("project: default\nlabels: [staging, production]\n")
    (path / "prompts" / "tone.yaml").write_text(TONE)
    (path / "exact.yaml").write_text(POLICY)
    (path / "hello.yaml").write_text(DATASET)
    (path / "hello.items.jsonl").write_text('{"id": "a", "input": "Ada"}\n')
    (path / "deployment.yaml").write_text("kind: Deployment\n")
    git(path, "init", "-q")
    commit(path, "Say hello")
    return path


@pytest.mark.slow
def test_a_repository_and_a_server_stay_in_step(shell: Shell, folder: Path) -> None:
    assert shell("diff", folder) == 3
    assert "Be kind." in shell.out
    assert shell("push", folder) == 0
    head = git(folder, "rev-parse", "HEAD")
    stored = shell.data("prompt", "show", "tone")
    assert stored["version"]["message"] == (
        f"Say hello\n\nGit-Commit: {head}\nGit-Author: Ada L\nGit-File: prompts/tone.yaml"
    )
    assert [one["label"] for one in stored["labels"]] == ["staging"]
    again = shell.data("push", folder)
    assert {one["state"] for one in again["files"]} == {"unchanged"}
    opened = shell.data("propose", folder)
    assert {one["there"] for one in opened} == {"opened"}
    assert {one["there"] for one in shell.data("propose", folder)} == {"open already"}

    # Somebody changes the prompt on the server: the file is behind, and a pull brings it.
    elsewhere = folder.parent / "tone.yaml"
    elsewhere.write_text(TONE.replace("kind.", "brief."))
    shell("prompt", "push", elsewhere)
    assert shell("pull", folder) == 0
    assert shell.out.startswith("wrote prompts/tone.yaml\n1 file written")
    assert (folder / "exact.yaml").read_text() == POLICY
    assert "text: Be brief." in (folder / "prompts" / "tone.yaml").read_text()
    assert shell("pull", folder) == 0
    assert shell.out == "0 files written\n"

    # Both go on: a conflict, until somebody says which side is right.
    commit(folder, "Pull")
    elsewhere.write_text(TONE.replace("kind.", "loud."))
    shell("prompt", "push", elsewhere)
    mine = TONE.replace("kind.", "quiet.")
    (folder / "prompts" / "tone.yaml").write_text(mine)
    assert shell("plan", folder) == 7
    for verb in ("push", "pull"):
        refused = shell.refused(verb, folder)
        assert (refused["code"], refused["exit_code"]) == ("server_moved", 7)
        assert "prompt/tone" in refused["message"]
    assert (folder / "prompts" / "tone.yaml").read_text() == mine
    assert shell("push", folder, "--over", "-m", "quiet it is") == 0
    message = shell.data("prompt", "show", "tone")["version"]["message"]
    assert f"{git(folder, 'rev-parse', 'HEAD')} dirty" in message


@pytest.mark.slow
def test_a_clone_without_a_lock_goes_on_from_the_commit_that_was_pushed(
    shell: Shell, folder: Path
) -> None:
    assert shell("push", folder) == 0
    (folder / "opsroom.lock").unlink()
    (folder / "prompts" / "tone.yaml").write_text(TONE.replace("kind.", "brief."))
    commit(folder, "Be brief")
    assert shell("push", folder) == 0
    assert "new version  prompt/tone@2" in shell.out


@pytest.mark.slow
def test_what_was_exported_is_imported(shell: Shell, folder: Path) -> None:
    assert shell("push", folder) == 0
    one, two = folder.parent / "one.tgz", folder.parent / "two.tgz"
    told = shell.data("export", one)
    assert shell("import", "workspace", one) == 0
    assert shell.data("export", two)["digest"] == told["digest"]
    assert one.read_bytes() == two.read_bytes()
    two.write_bytes(one.read_bytes()[:-9])
    assert shell.refused("import", "workspace", two)["code"] == "archive_refused"


@pytest.mark.slow
def test_a_workspace_of_another_place_is_left_alone(shell: Shell, folder: Path) -> None:
    for line in ("project: elsewhere\n", "server: https://evil.example\n"):
        (folder / "opsroom.yaml").write_text(line)
        assert shell.refused("push", folder)["code"] == "workspace_of_other_server"


def read(folder: Path) -> list[str]:
    return [one.entry.ref for one in files.read(files.load(folder), Lock())]


def test_what_belongs_to_others_is_passed_over(folder: Path) -> None:
    assert read(folder) == ["evaluator/exact", "dataset/hello", "prompt/tone"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("kind: promt\nname: x\n", "did you mean 'prompt'"),
        ("kind: policy\nname: x\ntext: y\n", "there is no field 'text'"),
        ("kind: policy\nname: x\n", "it holds no spec"),
        ("kind: policy\nname: ../x\nspec: {}\n", "cannot be a name"),
        ("kind: dataset\nname: x\nspec: {items: ../../secret}\n", "leads out"),
        ("kind: dataset\nname: x\nspec: {items: /etc/passwd}\n", "leads out"),
        ("kind: dataset\nname: x\nspec: {items: link.jsonl}\n", "leads out"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(folder: Path, told: str, why: str) -> None:
    (folder / "link.jsonl").symlink_to("/etc/passwd")
    (folder / "wrong.yaml").write_text(told)
    with pytest.raises(YamlWrong) as refused:
        read(folder)
    assert why in f"{refused.value} {refused.value.fix}"


def test_an_artifact_has_one_file(folder: Path) -> None:
    (folder / "other.yaml").write_text(TONE)
    with pytest.raises(DescribedTwice, match="prompt/tone"):
        read(folder)


def test_a_workspace_says_what_it_is(folder: Path, tmp_path: Path) -> None:
    assert files.load(folder / "prompts").root == folder
    (folder / "opsroom.yaml").write_text("kinds: [prompt]\nfiles: [prompts]\n")
    assert read(folder) == ["prompt/tone"]
    for wrong in ("flies: [x]\n", "kinds: [x]\n", "files: [../..]\n", "labels: {a: b}\n"):
        (folder / "opsroom.yaml").write_text(wrong)
        with pytest.raises(YamlWrong):
            files.load(folder)
    with pytest.raises(NoWorkspace):
        files.load(tmp_path)


def test_nothing_is_written_outside(folder: Path, tmp_path: Path) -> None:
    workspace = files.load(folder)
    (folder / "policies").symlink_to(tmp_path)
    artifact = {"kind": "policy", "name": "x", "purpose": "", "owner": "", "criticality": "advisory", "tags": []}  # fmt: skip
    with pytest.raises(PathLeaves):
        files.texts(workspace, artifact, {"spec": {}}, None, at=None)
    with pytest.raises(PathLeaves):
        files.write(workspace, folder / "policies" / "x.yaml", "x")
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (folder / "prompts" / "linked.yaml").symlink_to(outside)
    files.write(workspace, folder / "prompts" / "linked.yaml", "ours")
    assert outside.read_text() == "mine"
