"""What the documentation says is what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))


def test_the_reference_is_what_the_code_says() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "tools" / "reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, f"run `make docs`: {checked.stderr}"


def test_every_variable_that_is_read_is_documented() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    read = set(re.findall(r"\bOPSROOM_[A-Z_]*[A-Z]\b", source)) - {"OPSROOM_SECRET"}
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert read <= set(re.findall(r"OPSROOM_[A-Z_]*[A-Z]", page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(
        r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8")
    )
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing
