"""Artifacts and proposals at the terminal: the same verbs for every kind."""

import json
from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import client, colour, say, show, table
from opsroom.sdk.uris import cited

from . import reports

FAILED = 3
STYLES = {"delete": {"fg": "red", "strikethrough": True}, "insert": {"fg": "green"}}
MARKS = {"delete": ("[-", "-]"), "insert": ("{+", "+}")}


def split(reference: str) -> tuple[str, str]:
    """`name@7` as name and place; without a place, the latest version.

    URIs of MLflow (`prompts:/name@label`, `prompts:/name/7`) are read as well.
    """
    if (found := cited(reference)) is not None:
        return found
    name, _, at = reference.partition("@")
    return name, at or "latest"


def in_words(spans: list[dict[str, str]]) -> str:
    """A word diff: colours on a terminal, [-gone-] and {+come+} everywhere else."""
    coloured = colour()

    def one(span: dict[str, str]) -> str:
        op, text = span["op"], span["text"]
        if op == "equal":
            return text
        if coloured:
            return click.style(text, **STYLES[op])  # type: ignore[arg-type]  # a table of keywords
        before, after = MARKS[op]
        return f"{before}{text}{after}"

    return "".join(one(span) for span in spans)


def in_findings(findings: list[dict[str, str]]) -> str:
    """What a linter remarked, worst first."""
    order = ("error", "warning", "info")
    lines: list[str] = []
    for one in sorted(findings, key=lambda finding: order.index(finding["severity"])):
        place = f" {one['place']}:" if one["place"] else ""
        lines.append(f"{one['severity']}:{place} {one['message']} [{one['code']}]")
        if one["hint"]:
            lines.append(f"    {one['hint']}")
    return "\n".join(lines) or "nothing to remark"


def add_verbs(group: click.Group, kind: str) -> None:  # a list of commands
    """Give a noun the verbs that every kind of artifact has."""
    base = f"/v1/artifacts/{kind}"

    @group.command("list")
    @click.option("--search", help="Only names that contain this.")
    @click.option("--archived", is_flag=True, help="Those that nobody needs any more.")
    @click.pass_context
    def list_(ctx: click.Context, search: str | None, *, archived: bool) -> None:
        """List them, with their versions and where their labels point."""
        found = list(client(ctx).every(base, "after", search=search, archived=archived))
        show(ctx, found, lambda rows: _list(rows, kind))

    @group.command("show")
    @click.argument("reference", metavar=f"{kind.upper()}[@AT]")
    @click.pass_context
    def show_(ctx: click.Context, reference: str) -> None:
        """Show a version: by number, by label, or the latest."""
        name, at = split(reference)
        here = client(ctx)
        about = here.get(f"{base}/{name}")
        version = here.get(f"{base}/{name}/versions/{at}")
        show(ctx, {**about, "version": version}, _shown)

    @group.command()
    @click.argument("name")
    @click.option("--label", help="Only the moves of this label.")
    @click.pass_context
    def history(ctx: click.Context, name: str, label: str | None) -> None:
        """Show its versions and how its labels moved, newest first."""
        here = client(ctx)
        versions = list(here.every(f"{base}/{name}/versions", "before"))
        moves = here.get(f"{base}/{name}/label-history", label=label, limit=1000)
        show(ctx, {"versions": versions, "moves": moves}, _history)

    @group.command()
    @click.argument("name")
    @click.option("--label", default="production", show_default=True)
    @click.option(
        "--to", type=int, help="The version to go back to; the last other one if left out."
    )
    @click.option("-m", "--reason", required=True, help="Why; it goes into the journal.")
    @click.pass_context
    def rollback(
        ctx: click.Context, name: str, label: str, to: int | None, reason: str
    ) -> None:
        """Point a label back at a version that had it before."""
        body = {"reason": reason, "to": to}
        moved = client(ctx).post(f"{base}/{name}/labels/{label}/rollback", body)
        show(ctx, moved, lambda one: f"{label} of {name} is at version {one['number']} again")

    @group.command("label")
    @click.argument("reference", metavar=f"{kind.upper()}@N")
    @click.argument("label")
    @click.option("-m", "--reason", default="", help="Why; it goes into the journal.")
    @click.pass_context
    def set_label(ctx: click.Context, reference: str, label: str, reason: str) -> None:
        """Point a label that nobody serves from at a version."""
        name, at = split(reference)
        here = client(ctx)
        number = here.get(f"{base}/{name}/versions/{at}")["number"]
        body = {"number": number, "reason": reason}
        here.put(f"{base}/{name}/labels/{label}", body)
        answer = {"name": name, "label": label, "number": number}
        show(ctx, answer, lambda _: f"{label} of {name} is at version {number}")

    @group.command()
    @click.argument("reference", metavar=f"{kind.upper()}@N")
    @click.option("--label", default="production", show_default=True)
    @click.option("--title", default="", help="One line; the version's message if left out.")
    @click.option("--description", default="", help="What a reviewer should know.")
    @click.pass_context
    def propose(
        ctx: click.Context, reference: str, label: str, title: str, description: str
    ) -> None:
        """Ask that a label move to a version."""
        body = {
            "ref": f"{kind}/{reference}",
            "label": label,
            "title": title,
            "description": description,
        }
        made = client(ctx).post("/v1/proposals", body)
        show(ctx, made, lambda one: f"opened {one['id']}: {one['title']}")
        say(ctx, f"next: opsroom proposal show {made['id']}")


def add_store(group: click.Group, kind: str, then: str) -> None:
    """The verb that stores a spec written down in a file; `then` is the command to try next."""

    @group.command(
        "store", help=f"Store the spec in a YAML FILE as the next version of {kind} NAME."
    )
    @click.argument("name")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--criticality", type=click.Choice(["advisory", "assistive", "autonomous"]))
    @click.option("-m", "--message", default="", help="What changed and why.")
    @click.pass_context
    def store(
        ctx: click.Context, name: str, file: Path, criticality: str | None, message: str
    ) -> None:
        from opsroom.kit.yamlfile import read_yaml

        spec = read_yaml(file).data
        here = client(ctx)
        wanted = {"name": name, "criticality": criticality}
        here.post(f"/v1/artifacts/{kind}", {k: v for k, v in wanted.items() if v is not None})
        body = {"spec": spec, "message": message}
        made = here.post(f"/v1/artifacts/{kind}/{name}/versions", body)
        ref = f"{name}@{made['number']}"
        show(ctx, made, lambda one: f"{ref}  digest {one['digest'][:12]}")
        say(ctx, f"next: opsroom {then.format(ref=ref)}")


def add_looks(group: click.Group, kind: str) -> None:
    """The verbs that look at versions as a reviewer does: what the linter says, what differs."""

    @group.command(help="Say what the linter thinks of a version. Exit 3 if that is an error.")
    @click.argument("reference", metavar=f"{kind.upper()}[@AT]")
    @click.pass_context
    def lint(ctx: click.Context, reference: str) -> None:
        name, at = split(reference)
        found = client(ctx).get(f"/v1/artifacts/{kind}/{name}/versions/{at}/lint")
        show(ctx, found, in_findings)
        if any(one["severity"] == "error" for one in found):
            ctx.exit(FAILED)

    @group.command(help="Show word by word how two versions differ.")
    @click.argument("what", metavar=f"{kind.upper()}@N")
    @click.argument("other", metavar=f"[{kind.upper()}@M]", required=False)
    @click.pass_context
    def diff(ctx: click.Context, what: str, other: str | None) -> None:
        name, before = split(what)
        _, after = split(other) if other and "@" in other else (name, other or "latest")
        address = f"/v1/artifacts/{kind}/{name}/diff"
        found = client(ctx).get(address, before=before, after=after)
        show(ctx, found, lambda one: in_words(one["spans"]))


@click.group()
def proposal() -> None:
    """Proposals: moving a label the reviewed way."""


@proposal.command("list")
@click.option("--state", type=click.Choice(["open", "merged", "withdrawn"]), default="open")
@click.pass_context
def list_proposals(ctx: click.Context, state: str) -> None:
    """List proposals, newest first."""
    found = list(client(ctx).every("/v1/proposals", "before", state=state))
    show(ctx, found, lambda rows: _proposals(rows, state))


@proposal.command("show")
@click.argument("proposal_id", metavar="PROPOSAL")
@click.pass_context
def show_proposal(ctx: click.Context, proposal_id: str) -> None:
    """Show what would change, what was said, and what is missing."""
    here = client(ctx)
    found = here.get(f"/v1/proposals/{proposal_id}")
    of = found["proposal"]
    if of["base"] is not None:
        address = f"/v1/artifacts/{of['kind']}/{of['name']}/diff"
        found["diff"] = here.get(address, before=of["base"], after=of["number"])
    show(ctx, found, _proposal)


@proposal.command()
@click.argument("proposal_id", metavar="PROPOSAL")
@click.pass_context
def check(ctx: click.Context, proposal_id: str) -> None:
    """Run the linter again and show what it says."""
    found = client(ctx).post(f"/v1/proposals/{proposal_id}/checks")
    show(ctx, found, lambda one: in_findings(one["findings"]))


@proposal.command()
@click.argument("proposal_id", metavar="PROPOSAL")
@click.option("-m", "--reason", default="", help="What convinced you.")
@click.pass_context
def approve(ctx: click.Context, proposal_id: str, reason: str) -> None:
    """Approve a proposal exactly as it stands (people only)."""
    _answer(ctx, proposal_id, "approve", reason)


@proposal.command()
@click.argument("proposal_id", metavar="PROPOSAL")
@click.option("-m", "--reason", required=True, help="What should change.")
@click.pass_context
def reject(ctx: click.Context, proposal_id: str, reason: str) -> None:
    """Ask for changes (people only)."""
    _answer(ctx, proposal_id, "request_changes", reason)


@proposal.command()
@click.argument("proposal_id", metavar="PROPOSAL")
@click.option("--line", type=int, default=0, help="Of which line of the text; 0 is the whole.")
@click.option("-m", "--text", required=True, help="What you have to say.")
@click.option("--suggest", default=None, help="What the line should be instead.")
@click.pass_context
def comment(
    ctx: click.Context, proposal_id: str, line: int, text: str, suggest: str | None
) -> None:
    """Say something of a proposal, or of one line of the text that it proposes."""
    body = {"text": text, "line": line, "suggestion": suggest}
    made = client(ctx).post(f"/v1/proposals/{proposal_id}/comments", body)
    show(ctx, made, lambda one: f"said {one['id']}")


@proposal.command()
@click.argument("proposal_id", metavar="PROPOSAL")
@click.option(
    "--answers",
    type=click.File("rb"),
    help='JSON: for each question yes or no and a sentence, as [true, "why"].',
)
@click.pass_context
def checklist(ctx: click.Context, proposal_id: str, answers: Any) -> None:
    """Show the bias checklist of a proposal, or answer it (people only)."""
    here = client(ctx)
    path = f"/v1/proposals/{proposal_id}"
    found = here.get(path)
    if answers is not None:
        given = _checklist(answers.read())
        found = here.post(f"{path}/checklist", {"binding": found["binding"], "answers": given})
    questions = here.get("/v1/reviews/settings")["questions"]
    show(ctx, found["checklist"], lambda made: _answered(questions, made))


def _checklist(text: bytes) -> list[dict[str, Any]]:
    try:
        read = json.loads(text)
        return [
            {"item": item, "holds": holds, "because": because}
            for item, (holds, because) in read.items()
        ]
    except (AttributeError, TypeError, ValueError) as error:
        raise click.UsageError('the answers are JSON: {"alike": [true, "why"], …}') from error


def _answered(questions: dict[str, str], made: dict[str, Any] | None) -> str:
    said = {one["item"]: one for one in made["answers"]} if made else {}
    lines = [f"{made['by']} answered for version {made['number']}" if made else "not answered"]
    for item, question in questions.items():
        one = said.get(item)
        word = "" if one is None else f": {'yes' if one['holds'] else 'no'}, {one['because']}"
        lines.append(f"{item:10} {question}{word}")
    return "\n".join(lines)


@proposal.command("settings")
@click.option(
    "--checklist-for",
    "listed",
    multiple=True,
    type=click.Choice(["advisory", "assistive", "autonomous"]),
    help="Ask the bias checklist of prompts and agents that are so; may repeat.",
)
@click.option("--no-checklist", is_flag=True, help="Ask it of nothing.")
@click.pass_context
def review_settings(ctx: click.Context, listed: tuple[str, ...], *, no_checklist: bool) -> None:
    """Show what reviews take in this project, or set it."""
    here = client(ctx)
    if listed or no_checklist:
        here.put("/v1/reviews/settings", {"checklist": list(listed)})
    show(
        ctx,
        here.get("/v1/reviews/settings")["settings"],
        lambda one: f"bias checklist: {', '.join(one['checklist']) or 'asked of nothing'}",
    )


@proposal.command()
@click.argument("proposal_id", metavar="PROPOSAL")
@click.argument("comment_id", metavar="COMMENT")
@click.pass_context
def resolve(ctx: click.Context, proposal_id: str, comment_id: str) -> None:
    """Say that a comment is dealt with."""
    path = f"/v1/proposals/{proposal_id}/comments/{comment_id}/resolve"
    show(ctx, client(ctx).post(path), lambda one: f"{one['id']} is {one['state']}")


@proposal.command("apply")
@click.argument("proposal_id", metavar="PROPOSAL")
@click.argument("comment_id", metavar="COMMENT")
@click.pass_context
def apply_suggestion(ctx: click.Context, proposal_id: str, comment_id: str) -> None:
    """Make a version with what a comment suggests, and move the proposal to it."""
    path = f"/v1/proposals/{proposal_id}/comments/{comment_id}/apply"
    show(ctx, client(ctx).post(path), lambda one: f"now {_moves(one)}")


@proposal.command()
@click.argument("proposal_id", metavar="PROPOSAL")
@click.argument("number", type=int)
@click.pass_context
def revise(ctx: click.Context, proposal_id: str, number: int) -> None:
    """Move a proposal to version NUMBER; what was checked and answered is void."""
    moved = client(ctx).put(f"/v1/proposals/{proposal_id}/version", {"number": number})
    show(ctx, moved, lambda one: f"now {_moves(one)}")


@proposal.command()
@click.argument("proposal_id", metavar="PROPOSAL")
@click.option("--markdown", type=click.Path(dir_okay=False), help="A summary for your forge.")
@click.option(
    "--junit", "xml", type=click.Path(dir_okay=False), help="Checks for a build server."
)
@click.pass_context
def status(ctx: click.Context, proposal_id: str, markdown: str | None, xml: str | None) -> None:
    """Tell a build or a forge how a proposal stands; fails unless it is merged or may be."""
    found = client(ctx).get(f"/v1/proposals/{proposal_id}")
    if markdown:
        Path(markdown).write_text(reports.markdown(found), encoding="utf-8")
    if xml:
        Path(xml).write_text(reports.junit(found), encoding="utf-8")
    show(ctx, found, reports.markdown)
    if not reports.good(found):
        ctx.exit(1)


@proposal.command()
@click.argument("proposal_id", metavar="PROPOSAL")
@click.pass_context
def merge(ctx: click.Context, proposal_id: str) -> None:
    """Move the label; exit code 3 while something is missing."""
    moved = client(ctx).post(f"/v1/proposals/{proposal_id}/merge")
    show(ctx, moved, lambda one: f"{one['label']} is at version {one['number']}")


@proposal.command()
@click.argument("proposal_id", metavar="PROPOSAL")
@click.option("-m", "--reason", default="", help="Why.")
@click.pass_context
def withdraw(ctx: click.Context, proposal_id: str, reason: str) -> None:
    """Close a proposal without moving anything."""
    closed = client(ctx).post(f"/v1/proposals/{proposal_id}/withdraw", {"reason": reason})
    show(ctx, closed, lambda one: f"{one['id']} is withdrawn")


def _answer(ctx: click.Context, proposal_id: str, answer: str, reason: str) -> None:
    here, path = client(ctx), f"/v1/proposals/{proposal_id}"
    seen = here.get(path)
    say(ctx, f"{seen['proposal']['title']}: {_moves(seen['proposal'])}")
    body = {"answer": answer, "reason": reason, "binding": seen["binding"]}
    given = here.post(f"{path}/reviews", body)
    word = "approved" if answer == "approve" else "asked for changes"
    show(ctx, given, lambda one: f"{one['approver']} {word}")
    say(ctx, f"next: opsroom proposal show {proposal_id}")


def _moves(proposal: dict[str, Any]) -> str:
    """What a proposal would do, so that nobody answers to something else."""
    name, base = f"{proposal['kind']}/{proposal['name']}", proposal["base"] or "nothing"
    return f"{proposal['label']} of {name} from {base} to {proposal['number']}"


def _list(rows: list[dict[str, Any]], kind: str) -> str:
    cells = [
        (
            row["artifact"]["name"],
            row["versions"],
            ", ".join(f"{one['label']} → {one['number']}" for one in row["labels"]),
            row["artifact"]["criticality"],
            row["artifact"]["owner"],
        )
        for row in rows
    ]
    columns = ("name", "versions", "labels", "criticality", "owner")
    return table(columns, cells, empty=f"no {kind} yet")


def _shown(found: dict[str, Any]) -> str:
    import yaml

    artifact, version = found["artifact"], found["version"]
    labels = ", ".join(f"{one['label']} → {one['number']}" for one in found["labels"])
    head = [
        f"{artifact['kind']}/{artifact['name']}@{version['number']}  {artifact['criticality']}",
        f"by {version['author']}, {version['created_at']}, digest {version['digest'][:12]}",
        *([version["message"]] if version["message"] else []),
        f"labels: {labels or 'none'}",
        "",
    ]
    spec = yaml.safe_dump(_said(version["spec"]), sort_keys=False, allow_unicode=True, width=96)
    return "\n".join(head) + spec.rstrip("\n")


def _said(value: Any) -> Any:
    """What a spec says, without what goes without saying."""
    if isinstance(value, dict):
        told = {name: _said(one) for name, one in value.items()}
        return {name: one for name, one in told.items() if one not in (None, "", [], {})}
    return [_said(one) for one in value] if isinstance(value, list) else value


def _history(found: dict[str, Any]) -> str:
    versions = [
        (
            one["number"],
            one["digest"][:12],
            one["author"],
            one["created_at"],
            f"reverts to {one['reverts']}" if one["reverts"] else one["message"],
        )
        for one in found["versions"]
    ]
    moves = [
        (
            one["at"],
            one["label"],
            one["before"],
            one["after"],
            one["how"],
            one["by"],
            one["reason"],
        )
        for one in found["moves"]
    ]
    return "\n\n".join(
        (
            table(
                ("version", "digest", "author", "made", "message"),
                versions,
                empty="no versions yet",
            ),
            table(
                ("moved", "label", "from", "to", "how", "by", "reason"),
                moves,
                empty="no label moved yet",
            ),
        )
    )


def _proposals(rows: list[dict[str, Any]], state: str) -> str:
    cells = [
        (
            one["id"],
            f"{one['kind']}/{one['name']}",
            f"{one['label']}: {one['base'] or '–'} → {one['number']}",
            one["author"],
            one["title"],
        )
        for one in rows
    ]
    return table(
        ("proposal", "of", "moves", "author", "title"), cells, empty=f"none is {state}"
    )


def _proposal(found: dict[str, Any]) -> str:
    one = found["proposal"]
    lines = [
        f"{one['id']}  {one['state']}",
        f"{one['title']}",
        f"moves {one['label']} of {one['kind']}/{one['name']} from {one['base'] or 'nothing'} to {one['number']}",
        f"by {one['author']}, {one['created_at']}",
        "",
    ]
    if "diff" in found:
        lines += [in_words(found["diff"]["spans"]), ""]
    lines += [
        f"check {each['name']}: {each['state']}, {each['summary']}" for each in one["checks"]
    ]
    lines += [
        f"{each['approver']}: {each['answer']} {each['reason']}".rstrip()
        for each in found["answers"]
    ]
    lines += [_remark(each) for each in found["comments"]]
    if found["missing"]:
        lines.append(f"missing: {'; '.join(found['missing'])}")
    elif one["state"] == "open":
        lines.append("nothing is missing; merge it with `opsroom proposal merge`")
    return "\n".join(lines)


def _remark(one: dict[str, Any]) -> str:
    about = f"line {one['line']} {one['quote']!r}" if one["line"] else "the whole"
    instead = "" if one["suggestion"] is None else f"; instead: {one['suggestion']!r}"
    return f"{one['id']} ({one['state']}) {one['by']} of {about}: {one['text']}{instead}"
