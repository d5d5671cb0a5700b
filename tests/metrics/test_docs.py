"""What the guide tells to ask for is there."""

import re
from pathlib import Path

from opsroom.metrics.catalog import METRICS

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "metrics.md"


def test_every_metric_that_the_guide_names_is_told() -> None:
    named = set(re.findall(r"\bopsroom_\w+", GUIDE.read_text(encoding="utf-8")))
    assert len(named) >= 5
    assert named <= {one.name for one in METRICS}
