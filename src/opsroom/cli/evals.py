"""`opsroom eval …`, where `run` also takes a configuration of promptfoo."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsroom.evals.cli import GATE_FAILED, eval_, measured
from opsroom.evals.cli import run as run_version
from opsroom.sdk.terminal import client, plural, say, show, table

if TYPE_CHECKING:
    from opsroom.importing.promptfoo.running import Ran

__all__ = ["eval_"]

_ENDINGS = (".yaml", ".yml", ".json")
_SHOWN = 20


@eval_.command()
@click.argument("subject")
@measured
@click.option("--name", default="", help="Configurations: what to call it [its folder's name].")
@click.option(
    "--model", "models", multiple=True, help="Configurations: MODEL, or PROVIDER=MODEL, to ask."
)
@click.option("--grader", default="", help="Configurations: the model that decides rubrics.")
@click.option("--env", multiple=True, help="Configurations: a variable that they may see.")
@click.option("--dry-run", is_flag=True, help="Configurations: read and check; store nothing.")
@click.option("--junit", type=click.Path(dir_okay=False), help="Configurations: a JUnit file.")
@click.option(
    "--md", type=click.Path(dir_okay=False), help="Configurations: a Markdown summary."
)
@click.pass_context
def run(
    ctx: click.Context,
    /,
    subject: str,
    name: str,
    models: tuple[str, ...],
    grader: str,
    env: tuple[str, ...],
    dry_run: bool,
    junit: str | None,
    md: str | None,
    **wanted: Any,
) -> None:
    """Measure SUBJECT (name, name@label, name@7) on a dataset.

    Or run SUBJECT, a promptfooconfig.yaml: exit 0 where every case passed, 3 otherwise.
    """
    path = Path(subject)
    if not (subject.endswith(_ENDINGS) and path.is_file()):
        ctx.invoke(run_version, subject=subject, **wanted)
        return
    from opsroom.importing.promptfoo import Wanted, bundled, read_suite

    pairs = [one.rpartition("=") for one in models]
    chosen = {provider or "*": model for provider, _, model in pairs}
    seen = {one: os.environ[one] for one in env if one in os.environ}
    suite, files = read_suite(path, Wanted(name=name, env=seen, models=chosen, grader=grader))
    for note in suite.notes:
        say(ctx, note)
    bundle, plans = bundled(suite, files)
    if dry_run:
        cases, runs = plural(len(suite.items), "case"), plural(len(plans), "run")
        found = {"suite": suite.name, "cases": len(suite.items), "runs": len(plans)}
        show(ctx, found, lambda _: f"{cases} in {runs}")
        return
    from opsroom.importing.promptfoo.running import (
        all_good,
        as_data,
        junit_report,
        markdown_report,
        run_suite,
    )

    ran = run_suite(client(ctx), suite, bundle, plans)
    for target, mode, report in ((junit, "w", junit_report), (md, "a", markdown_report)):
        if target:
            with click.open_file(target, mode, encoding="utf-8") as stream:
                stream.write(report(ran, suite))
    show(ctx, as_data(ran, suite), lambda _: _words(ran))
    if not all_good(ran):
        ctx.exit(GATE_FAILED)


def _words(ran: "list[Ran]") -> str:
    rows = [
        (one.run["id"], one.plan.prompt, one.plan.provider, one.passed, one.failed, one.errors)
        for one in ran
    ]
    columns = ("run", "prompt", "model", "passed", "failed", "errors")
    lines = [table(columns, rows, empty="nothing was run")]
    bad = [(one, case) for one in ran for case in one.cases if not case.good]
    for one, case in bad[:_SHOWN]:
        said = " ".join(case.reason.split())[:160]
        lines.append(f"{case.item} ({one.plan.provider}): {said or 'no verdict'}")
    if len(bad) > _SHOWN:
        lines.append(f"and {len(bad) - _SHOWN} more; see --junit or --json")
    return "\n".join(lines)
