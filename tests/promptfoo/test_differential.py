"""promptfoo itself and we say the same of 1,500 cases.

promptfoo is a test tool here and nothing else. Where it is installed is said by
OPSROOM_PROMPTFOO, a folder in which `npm install promptfoo@0.123.1` was run; it wants Node.js
22.22, which OPSROOM_NODE names where the one on the path is older.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.promptfoo.cases import cases
from tests.promptfoo.judging import differs, lines, ours

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parent / "verdicts.mjs"
COUNT = 1_500


@pytest.fixture(scope="module")
def promptfoo() -> Path:
    """The entry of the library of promptfoo."""
    folder = os.environ.get("OPSROOM_PROMPTFOO")
    if not folder:
        pytest.skip(
            "no promptfoo here; OPSROOM_PROMPTFOO names a folder where npm installed it"
        )
    return Path(folder) / "node_modules/promptfoo/dist/src/index.js"


@pytest.mark.parametrize("seed", [1, 2])
def test_verdicts_scores_and_named_scores_are_the_same(
    promptfoo: Path, tmp_path: Path, seed: int
) -> None:
    node = os.environ.get("OPSROOM_NODE") or shutil.which("node") or "node"
    wanted = list(cases(COUNT, seed))
    done = subprocess.run(  # the script is ours
        [node, str(SCRIPT), str(promptfoo)],
        input=lines(wanted),
        capture_output=True,
        text=True,
        check=True,
        env={
            "PROMPTFOO_DISABLE_TELEMETRY": "1",
            "PROMPTFOO_CONFIG_DIR": str(tmp_path),
            "HOME": str(tmp_path),
        },
    )
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(said) == COUNT
    pairs = zip(wanted, said, strict=True)
    assert [
        {**case, "said": theirs} for case, theirs in pairs if differs(theirs, ours(case))
    ] == []
