"""`opsroom audit`: signing, proving, and verifying where no opsroom is."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.installation import Shell

from opsroom.sdk import Opsroom


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a stranger sees: the verifier, run by a Python that finds no other package."""
    command = [sys.executable, "-I", "-S", "verify_journal.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_an_export_convinces_a_stranger(shell: Shell, tmp_path: Path) -> None:
    first = tmp_path / "first.txt"
    assert shell("audit", "checkpoint", "-o", first) == 0
    assert shell("user", "create", "ada", "--role", "viewer") == 0
    there = tmp_path / "there"
    assert shell("audit", "export", "--folder", there) == 0
    asked = ("journal.jsonl", "checkpoint.txt", "--key", "key.txt", "--older", str(first))
    found = alone(there, *asked)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "holds: it begins with the" in found.stdout
    journal = there / "journal.jsonl"
    journal.write_text(journal.read_text().replace("user/ada", "user/eve"))
    found = alone(there, *asked)
    assert found.returncode == 1
    assert "its hash does not cover its content" in found.stdout


def test_one_entry_is_proven_without_the_rest(shell: Shell, tmp_path: Path) -> None:
    assert shell("user", "create", "ada", "--role", "viewer") == 0
    seq = shell.data("audit", "tail", "--event", "user.created")[-1]["entry"]["seq"]
    assert shell.refused("audit", "prove", seq)["code"] == "no_checkpoint"
    assert shell("audit", "checkpoint") == 0
    there = tmp_path / "there"
    assert shell("audit", "prove", seq, "--folder", there) == 0
    asked = ("--entry", "proof.json", "checkpoint.txt", "--key", "key.txt")
    assert f"entry {seq} is one of" in alone(there, *asked).stdout
    proof = json.loads((there / "proof.json").read_text())
    proof["record"] = proof["record"].replace("ada", "eve")
    (there / "proof.json").write_text(json.dumps(proof))
    assert alone(there, *asked).returncode == 1
    assert shell.refused("audit", "prove", 10_000)["code"] == "no_entry"


def test_a_kept_checkpoint_is_held_against_the_server(
    shell: Shell, home: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.txt"
    assert shell("audit", "checkpoint", "-o", kept) == 0
    assert shell("audit", "key") == 0
    key = shell.out.strip()
    assert shell("user", "create", "ada", "--role", "viewer") == 0
    assert shell("audit", "checkpoint") == 0
    grown = shell.data("audit", "grown", kept, "--key", key)
    assert grown["to"] > grown["from"]
    assert shell.data("audit", "verify", "--checkpoint", kept, "--key", key)["checkpoint"] > 0
    assert shell("audit", "verify", "--checkpoint", kept) == 2
    other = shell.data("audit", "new-key", "-m", "a disk was stolen")["key"]
    assert (
        shell.refused("audit", "verify", "--checkpoint", kept, "--key", other)["code"]
        == "bad_checkpoint"
    )
    assert shell("audit", "verify") == 0
    assert "those that were signed" in shell.err


def test_an_older_backup_is_noticed(shell: Shell, home: Path, local: Opsroom) -> None:
    assert shell("audit", "checkpoint") == 0
    shutil.copyfile(home / "opsroom.db", home / "backup")
    assert shell("user", "create", "ada", "--role", "viewer") == 0
    assert shell("audit", "checkpoint") == 0
    shutil.copyfile(home / "backup", home / "opsroom.db")
    for beside in home.glob("opsroom.db-*"):
        beside.unlink()
    refused = shell.refused("audit", "verify")
    assert refused["code"] == "chain_broken"
    assert refused["exit_code"] == 3
    assert "an older backup was put back" in refused["message"]
    assert shell("audit", "verify", home / "opsroom.db") == 3
    assert shell("doctor") == 3
    assert shell.refused("audit", "checkpoint")["code"] == "chain_broken"
    assert shell("audit", "new-key", "-m", "the disk failed; backup of Monday") == 0
    assert shell("audit", "verify") == 0
