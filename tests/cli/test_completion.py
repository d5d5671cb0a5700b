"""`opsroom completion bash`, in a real bash."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from opsroom.cli.root import NOUNS

BASH = shutil.which("bash")


@pytest.mark.skipif(BASH is None, reason="there is no bash here")
def test_bash_completes_nouns_verbs_and_options(tmp_path: Path) -> None:
    program = tmp_path / "opsroom"
    program.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "from opsroom.cli import main; main()" "$@"\n'
    )
    program.chmod(0o700)
    script = f"""
        PATH={tmp_path}:$PATH
        eval "$(opsroom completion bash)"
        typed() {{
            COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMPREPLY=()
            _opsroom_completion "$1"; echo "${{COMPREPLY[*]}}"
        }}
        typed opsroom re
        typed opsroom release ro
        typed opsroom doctor --js
    """
    assert BASH is not None
    done = subprocess.run(
        [BASH, "--norc", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    nouns, verbs, options = done.stdout.splitlines()
    assert nouns.split() == [name for name in NOUNS if name.startswith("re")]
    assert verbs.split() == ["rollback"]
    assert options.split() == ["--json"]
