"""Every one of 239 real configurations is read: run, or refused with the list of what is missing."""

import gzip
import json
from pathlib import Path

import pytest

from opsroom.importing.promptfoo import NotRunnable, Wanted, bundled, read_suite


@pytest.fixture(scope="module")
def corpus(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The configurations, with the text files that belong to them beside them."""
    home = tmp_path_factory.mktemp("configs")
    configs: list[Path] = []
    for name in ("configs", "companions"):
        with gzip.open(data_dir / "eval_configs" / f"promptfoo_{name}.jsonl.gz", "rt") as lines:
            for line in lines:
                one = json.loads(line)
                path = home / one["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(one["text"])
                if name == "configs":
                    configs.append(path)
    return configs


def missing(path: Path) -> list[str]:
    """What is missing to run a configuration; where nothing is, it has cases and runs."""
    try:
        suite, files = read_suite(path, Wanted(grader="any"))
    except NotRunnable as why:
        return why.missing
    bundle, plans = bundled(suite, files)
    assert plans, path
    assert bundle.datasets[0].items, path
    return []


def test_every_configuration_is_run_or_refused_with_a_list(corpus: list[Path]) -> None:
    found = [missing(path) for path in corpus]
    assert (len(found), found.count([])) == (239, 71)
    assert all(": " in one for many in found for one in many)
