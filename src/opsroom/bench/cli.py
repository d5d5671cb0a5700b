"""`opsroom bench …`: recorded attacks and recorded work, through gate and detectors, no server."""

from decimal import Decimal
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

JUDGES = (
    "domain",
    "judge",
    "n",
    "agreement",
    "kappa",
    "pass and right",
    "pass and wrong",
    "not pass but right",
    "not pass and wrong",
    "outside",
    "read as pass",
    "cost USD",
)
PREFERENCES = ("set", "judge", "strategy", "n", "accuracy", "same", "first wins", "kappa")
RATERS = ("raters", "n", "agreement", "kappa", "unreadable", "may it gate?")


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


@bench.command()
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.pass_context
def mutations(ctx: click.Context, folder: Path | None) -> None:
    """Look for the injections in FOLDER/security once they are written otherwise.

    Prints what is detected of every form of recorded attacks and of attacks made of harmless
    requests, and the false alarms. Without FOLDER: OPSROOM_DATA.
    """
    from opsroom.kit.wire import plain

    from .mutated import report
    from .recorded import data_dir

    show(ctx, plain(report(data_dir(folder))), _alarms)


@bench.command()
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.pass_context
def judges(ctx: click.Context, folder: Path | None) -> None:
    """Hold recorded judges in FOLDER against the truth (tau_judge_*, llmbar_*, pandalm_*).

    Prints agreement, kappa and cost, which judge to take in each domain, and why the others may
    not gate. Without FOLDER: judges below OPSROOM_DATA.
    """
    from opsroom.kit.wire import plain

    from .judges import report
    from .recorded import data_dir

    show(ctx, plain(report(data_dir(folder, "judges"))), _judges)


def _judges(report: dict[str, Any]) -> str:
    judged = [
        (
            row["domain"],
            row["judge"],
            row["report"]["n"],
            _rate(row["report"]["agreement"]),
            _kappa(row["report"]["kappa"], row["report"]["kappa_interval"]),
            *(row["report"]["counts"][name] for name in ("good_passed", "bad_passed")),
            *_not_passed(row["report"]["counts"]),
            _rate(row["report"]["outside"]),
            f"{row['agreement_read_as_pass']:.3f}, {row['kappa_read_as_pass']:.3f}",
            f"{Decimal(row['cost_usd']):.3f}",
        )
        for row in report["judges"]
    ]
    preferred = [
        (
            row["set"],
            row["judge"],
            row["strategy"],
            row["n"],
            f"{row['accuracy']:.3f}",
            _rate(row["same"]),
            _rate(row["first"]),
            _kappa(row["report"]["kappa"], row["report"]["kappa_interval"]),
        )
        for row in report["preferences"]
    ]
    raters = [
        (
            " and ".join(row["raters"]),
            row["agreement"]["items"],
            f"{row['agreement']['rate']:.3f}",
            _kappa(row["agreement"]["kappa"], row["agreement"]["kappa_interval"]),
            row["unreadable"],
            row["standing"]["reason"],
        )
        for row in report["raters"]
    ]
    return "\n\n".join(
        (
            table(JUDGES, judged, empty="no judges"),
            table(PREFERENCES, preferred, empty="no preferences"),
            table(RATERS, raters, empty="no raters"),
            "\n".join(_chosen(one) for one in report["choices"]),
        )
    )


def _chosen(choice: dict[str, Any]) -> str:
    """The judge to take in one domain, and a sentence for each of the others."""
    lines = [f"{choice['domain']}: {choice['chosen']} is {choice['because']}"]
    for one in choice["candidates"]:
        standing = one["report"]["standing"]
        may = "may gate" if standing["may_gate"] else "may not gate"
        lines.append(f"  {one['judge']} {may}: {standing['reason']}")
    return "\n".join(lines)


def _not_passed(counts: dict[str, int]) -> tuple[int, int]:
    return (
        counts["good_failed"] + counts["good_outside"],
        counts["bad_failed"] + counts["bad_outside"],
    )


def _kappa(kappa: float, interval: dict[str, float]) -> str:
    return f"{kappa:.3f} [{interval['low']:.2f}, {interval['high']:.2f}]"


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
