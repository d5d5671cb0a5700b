"""How a proposal stands, for build servers and forges: Markdown and JUnit. Pure."""

from typing import Any

from opsroom.kit import junit as xml

GOOD = "passed"


def good(found: dict[str, Any]) -> bool:
    """Whether a proposal, as the API shows it, is merged or could be now."""
    state = found["proposal"]["state"]
    return state == "merged" or (state == "open" and not found["missing"])


def markdown(found: dict[str, Any]) -> str:
    """A summary for people, as a comment or a status of a change in somebody's forge."""
    one = found["proposal"]
    moves = f"`{one['label']}` of `{one['kind']}/{one['name']}`"
    lines = [
        f"### {_inline(one['title'])}",
        "",
        f"{moves}: {one['base'] or 'nothing'} → {one['number']} ({one['state']}, `{one['id']}`)",
        "",
        "| check | state | says |",
        "| --- | --- | --- |",
        *(
            f"| {each['name']} | {each['state']} | {_inline(each['summary'])} |"
            for each in _checks(found)
        ),
        "",
    ]
    open_ = sum(each["state"] == "open" for each in found["comments"])
    if open_:
        lines += [f"Open comments: {open_}.", ""]
    if one["state"] == "open":
        missing = [f"- {_inline(each)}" for each in found["missing"]]
        lines += ["Missing:", "", *missing] if missing else ["Nothing is missing."]
    return "\n".join(lines).rstrip() + "\n"


def junit(found: dict[str, Any]) -> str:
    """Every check that is needed or was made as a test case, and what is missing as another."""
    one = found["proposal"]
    group = f"{one['kind']}/{one['name']}@{one['number']}"
    cases = [
        xml.Check(
            group=group,
            name=each["name"],
            failure="" if each["state"] == GOOD else f"{each['state']}: {each['summary']}",
            said=each["summary"],
        )
        for each in _checks(found)
    ]
    missing = "" if good(found) else "; ".join(found["missing"]) or f"it is {one['state']}"
    cases.append(xml.Check(group=group, name="ready to merge", failure=missing))
    return xml.junit(f"proposal {one['id']}", cases)


def _checks(found: dict[str, Any]) -> list[dict[str, Any]]:
    made = {each["name"]: each for each in found["proposal"]["checks"]}
    none = {"state": "missing", "summary": "it has not been made"}
    needed = {name: {"name": name, **none} for name in found["needs"]["checks"]}
    return list({**needed, **made}.values())


def _inline(text: str) -> str:
    """Text in one line of a table, that cannot become markup of its own."""
    line = " ".join(text.split())
    for sign in "\\`*_{}[]<>|#":
        line = line.replace(sign, f"\\{sign}")
    return line
