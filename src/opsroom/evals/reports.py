"""A gate verdict for other people's tools: JUnit for CI, Markdown for a summary page."""

from typing import Any
from xml.sax.saxutils import escape, quoteattr


def junit_report(found: dict[str, Any]) -> str:
    """One test case per metric; a metric that keeps the gate from passing is a failure."""
    verdict = found["verdict"]
    sides = verdict["evidence"]
    suite = f"{sides['candidate']['name']} against {sides['baseline']['name']}"
    cases = [
        _case(one, said)
        for one, said in zip(
            verdict["metrics"], verdict["reasons"][-len(verdict["metrics"]) :], strict=True
        )
    ]
    failures = sum("<failure" in case for case in cases)
    if verdict["outcome"] != "passed" and failures == 0:
        cases.append(
            f'<testcase classname="gate" name="outcome"><failure message={quoteattr(verdict["reasons"][0])}/>'
            "</testcase>"
        )
        failures = 1
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuite name={quoteattr(suite)} tests="{len(cases)}" failures="{failures}">\n'
        + "\n".join(cases)
        + "\n</testsuite>\n"
    )


def markdown_report(found: dict[str, Any]) -> str:
    """A heading with the outcome, and a table with an interval for each metric."""
    verdict = found["verdict"]
    lines = [
        f"### Gate: {verdict['outcome']}",
        "",
        verdict["reasons"][0],
        "",
        "| metric | role | verdict | difference | interval | pairs | p |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in verdict["metrics"]:
        facts = one["comparison"]
        if facts is None:
            lines.append(
                f"| {one['metric']} | {one['role']} | undecided | | | {one['pairs']} | |"
            )
            continue
        interval = facts["interval"]
        lines.append(
            f"| {one['metric']} | {one['role']} | {facts['verdict'].replace('_', ' ')} "
            f"| {facts['difference']:+.4g} | {interval['low']:+.4g} to {interval['high']:+.4g} "
            f"| {facts['pairs']} | {facts['p']:.3g} |"
        )
    if verdict["floor_lowered"]:
        lines += ["", f"The floor of 200 samples was lowered to {verdict['floor']} on purpose."]
    return "\n".join([*lines, "", f"Evidence `{found['digest']}`", ""])


def _case(one: dict[str, Any], said: str) -> str:
    bad = one["verdict"] == "worse" or (
        one["role"] == "primary" and one["verdict"] == "undecided"
    )
    opened = f'<testcase classname="gate" name={quoteattr(one["metric"])}>'
    body = f"<failure message={quoteattr(said)}/>" if bad else ""
    return f"{opened}{body}<system-out>{escape(said)}</system-out></testcase>"
