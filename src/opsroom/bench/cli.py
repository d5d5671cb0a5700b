"""`opsroom bench …`: recorded attacks and recorded work, through gate and detectors, no server."""

from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import show, table

COLUMNS = (
    "suite",
    "pipeline",
    "attack calls unattended",
    "benign tasks escalated",
    "denied",
    "writes escalated",
    "under attack",
    "control tasks",
    "broken",
)


@click.group()
def bench() -> None:
    """Put recorded attacks and recorded work through the gate and the detectors."""


@bench.command()
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--workers", default=2, show_default=True, help="Processes that replay.")
@click.pass_context
def agentdojo(ctx: click.Context, folder: Path | None, workers: int) -> None:
    """Replay FOLDER: agents under prompt injection (suite_*.json, runs/*.jsonl.gz).

    Contracts are read from the suites' tools and policies are the shipped ones; nothing knows
    the tasks. Without FOLDER: agentdojo below OPSROOM_DATA.
    """
    from opsroom.kit.wire import plain

    from .agentdojo import report
    from .recorded import data_dir

    found = report(data_dir(folder, "agentdojo"), workers=workers)
    show(ctx, plain(found), _words)


@bench.command()
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.pass_context
def tau(ctx: click.Context, folder: Path | None) -> None:
    """Replay FOLDER: customer service without an attacker (tools_*.json, runs/*.jsonl.gz).

    Every escalation here is work held up. Without FOLDER: tau below OPSROOM_DATA.
    """
    from opsroom.kit.wire import plain

    from .recorded import data_dir
    from .tau import report

    show(ctx, plain(report(data_dir(folder, "tau"))), _words)


@bench.command()
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.pass_context
def detectors(ctx: click.Context, folder: Path | None) -> None:
    """Look for injections in FOLDER (security, agentdojo, tau, intents).

    Prints what is detected, by variant and with the half apart that nobody looked at while
    writing the signals, and the false alarms. Without FOLDER: OPSROOM_DATA.
    """
    from opsroom.kit.wire import plain

    from .detectors import report
    from .recorded import data_dir

    show(ctx, plain(report(data_dir(folder))), _alarms)


def _alarms(report: dict[str, Any]) -> str:
    rows = [
        (row["asked"], row["texts"], row["part"], _rate(row["alarms"], interval=True))
        for row in report["rows"]
    ]
    return table(("asked", "texts", "part", "alarms"), rows, empty="no texts")


def _words(report: dict[str, Any]) -> str:
    rows = [
        (
            row["suite"],
            row["pipeline"],
            _rate(row["attack_calls_unattended"], interval=True),
            _rate(row["benign_tasks_escalated"], interval=True),
            row["benign_tasks_denied"]["count"],
            _rate(row["legitimate_writes_escalated"]),
            _rate(row["writes_under_attack_escalated"]),
            _rate(row["control_tasks_escalated"]),
            row["broken_calls"],
        )
        for row in report["rows"]
    ]
    held = ", ".join(f"{name} {count}" for name, count in report["policies"].items())
    return table(COLUMNS, rows, empty="no runs") + (
        f"\nbenign tasks held up by: {held}" if held else ""
    )


def _rate(rate: dict[str, Any], *, interval: bool = False) -> str:
    if not rate["of"]:
        return "—"
    words = f"{rate['count']}/{rate['of']} {rate['rate']:.1%}"
    if interval:
        words += f" [{rate['interval']['low']:.1%}, {rate['interval']['high']:.1%}]"
    return words
