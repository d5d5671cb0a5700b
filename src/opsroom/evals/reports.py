"""A gate verdict for other people's tools: JUnit for CI, Markdown for a summary page."""

from typing import Any

from opsroom.kit.junit import Check, junit


def junit_report(found: dict[str, Any]) -> str:
    """One test case per metric; a metric that keeps the gate from passing is a failure."""
    verdict = found["verdict"]
    sides = verdict["evidence"]
    suite = f"{sides['candidate']['name']} against {sides['baseline']['name']}"
    words = verdict["reasons"][-len(verdict["metrics"]) :]
    checks = [
        Check(group="gate", name=one["metric"], failure=said if _bad(one) else "", said=said)
        for one, said in zip(verdict["metrics"], words, strict=True)
    ]
    if verdict["outcome"] != "passed" and not any(one.failure for one in checks):
        checks.append(Check(group="gate", name="outcome", failure=verdict["reasons"][0]))
    return junit(suite, checks)


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
    for said in allowed(verdict):
        lines += ["", said]
    return "\n".join([*lines, "", f"Evidence `{found['digest']}`", ""])


def allowed(verdict: dict[str, Any]) -> list[str]:
    """The judges that may not gate and were allowed to, each in a sentence."""
    if "uncalibrated" not in verdict["rules"]:
        return []
    return list(verdict["reasons"][1 : -len(verdict["metrics"])])


def _bad(one: dict[str, Any]) -> bool:
    undecided = one["role"] == "primary" and one["verdict"] == "undecided"
    beyond = (one.get("limit") or {"standing": "within"})["standing"] != "within"
    return bool(one["verdict"] == "worse" or undecided or beyond)
