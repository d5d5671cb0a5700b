"""What is handed to somebody who has no opsroom: the journal or one proof, with the checkpoint,
the key, and the one file that checks them.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import keys, verify_journal
from .errors import BadCheckpoint, ChainBroken
from .verify_journal import Broken, Checkpoint

JOURNAL, PROOF, CHECKPOINT, KEY = "journal.jsonl", "proof.json", "checkpoint.txt", "key.txt"
VERIFIER = "verify_journal.py"
COMMAND = f"python {VERIFIER} {JOURNAL} {CHECKPOINT} --key {KEY}"
ENTRY_COMMAND = f"python {VERIFIER} --entry {PROOF} {CHECKPOINT} --key {KEY}"


def lay_out(folder: Path, signed: Mapping[str, Any]) -> None:
    """Put the checkpoint, its key and the verifier into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CHECKPOINT).write_bytes(signed["note"].encode())
    (folder / KEY).write_text(signed["key"] + "\n", encoding="utf-8")
    shutil.copyfile(verify_journal.__file__, folder / VERIFIER)


def written(proof: Mapping[str, Any]) -> str:
    return json.dumps(proof, indent=2, ensure_ascii=False) + "\n"


def opened(note: str, key: str, where: str) -> Checkpoint:
    """What a note says, signed by `key`. Raises `BadCheckpoint`."""
    try:
        return verify_journal.read_checkpoint(note, verify_journal.read_key(key))
    except Broken as error:
        raise BadCheckpoint(where, str(error)) from error


def read(path: Path, key: str) -> Checkpoint:
    """The checkpoint in a file; `key` is the key itself, or the name of a file that holds it."""
    try:
        text = key if "+" in key else Path(key).read_text(encoding="utf-8")
        note = path.read_bytes().decode()
    except (OSError, UnicodeError) as error:
        raise BadCheckpoint(str(path), "it or its key cannot be read") from error
    return opened(note, text, str(path))


def beside(file: Path) -> list[Checkpoint]:
    """The checkpoint that the installation of a database file keeps beside it, if there is one."""
    path, key = file.with_name(CHECKPOINT), keys.load(file.with_name("journal.key"))
    return [read(path, str(key.public))] if key and path.exists() else []


def check_growth(was: Checkpoint, now: Checkpoint, proof: Mapping[str, Any]) -> None:
    """Raise `ChainBroken` unless `now` begins with what `was` stood for."""
    path = [bytes.fromhex(one) for one in proof["path"]]
    try:
        verify_journal.check_consistency(was.size, now.size, path, was.root, now.root)
    except Broken as error:
        raise ChainBroken(was.size, str(error)) from error
