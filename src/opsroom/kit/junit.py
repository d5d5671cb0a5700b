"""Results of checks as the XML that build servers read."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was checked. `failure` says why it failed; empty where it passed."""

    group: str
    name: str
    failure: str = ""
    said: str = ""

    def written(self) -> str:
        failed = f"<failure message={quoteattr(self.failure)}/>" if self.failure else ""
        said = f"<system-out>{escape(self.said)}</system-out>" if self.said else ""
        opened = f"<testcase classname={quoteattr(self.group)} name={quoteattr(self.name)}>"
        return f"{opened}{failed}{said}</testcase>"


def junit(suite: str, checks: Sequence[Check]) -> str:
    """A test suite of one level."""
    failures = sum(bool(one.failure) for one in checks)
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuite name={quoteattr(suite)} tests="{len(checks)}" failures="{failures}">',
            *(one.written() for one in checks),
            "</testsuite>",
            "",
        )
    )
