"""`opsroom`: every noun, loaded when it is used.

The table below is all that `opsroom --help` reads. A noun names where its commands live; the
slices bring them, and know nothing of this file.
"""

from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from opsroom.sdk.terminal import common_options

# name: (module:attribute, what it is for)
NOUNS: dict[str, tuple[str, str]] = {
    "up": ("opsroom.cli.up:up", "Start the server on this machine."),
    "doctor": ("opsroom.cli.doctor:doctor", "Check this installation, line by line."),
    "access": (
        "opsroom.access.governing_cli:access",
        "Access: the rules beside roles, and what is asked of credentials.",
    ),
    "action": (
        "opsroom.actions.cli:action",
        "Actions: what agents wanted to do, and what came of it.",
    ),
    "agent": (
        "opsroom.cli.agents:agent",
        "Agents: what they run on, and which version serves.",
    ),
    "alert": (
        "opsroom.alerts.cli:alert",
        "Alerts: what somebody should look at, and the rules.",
    ),
    "audit": ("opsroom.journal.cli:audit", "The journal: read it, verify it, take it away."),
    "autonomy": (
        "opsroom.autonomy.cli:autonomy",
        "Autonomy: what agents may do alone, and the kill switch.",
    ),
    "budget": ("opsroom.budgets.cli:budget", "Budgets: what may be spent, and what is left."),
    "bench": ("opsroom.bench.cli:bench", "Recorded attacks and work, put through the gate."),
    "cadence": (
        "opsroom.cadence.cli:cadence",
        "Cadence: audits and reviews, and when they are due.",
    ),
    "channel": (
        "opsroom.channels.cli:channel",
        "Channels: where people are told of what happened.",
    ),
    "completion": (
        "opsroom.cli.completion:completion",
        "What bash, zsh or fish need to complete commands.",
    ),
    "contract": (
        "opsroom.cli.push:contract",
        "Contracts: what agents may touch, and how much harm a call can do.",
    ),
    "correction": (
        "opsroom.corrections.cli:correction",
        "Corrections: what people taught, as cases for every later version.",
    ),
    "dataset": ("opsroom.datasets.cli:dataset", "Datasets: what agents are measured on."),
    "demo": ("opsroom.cli.demo:demo", "A small living world, ready to look at."),
    "diff": ("opsroom.workspace.cli:diff", "Files against the server: where they differ."),
    "drift": ("opsroom.drift.cli:drift", "Drift: whether the work is still what it was."),
    "environment": (
        "opsroom.registry.environment_cli:environment",
        "Environments: where programs run, and what changes there take.",
    ),
    "eval": ("opsroom.cli.evals:eval_", "Evaluations: run, compare, gate."),
    "evaluator": ("opsroom.evals.cli:evaluator", "Evaluators: what judges an answer."),
    "evidence": (
        "opsroom.assurance.cli:evidence",
        "Evidence: what auditors ask for, answered from the records.",
    ),
    "export": (
        "opsroom.workspace.cli:export",
        "Write the project's whole registry into one file.",
    ),
    "feedback": (
        "opsroom.feedback.cli:feedback",
        "Feedback: what users, agents and the business say of the work.",
    ),
    "glass": (
        "opsroom.access.governing_cli:glass",
        "Emergencies: a role for a while, with a reason.",
    ),
    "import": (
        "opsroom.importing.cli:import_",
        "Bring in recorded runs, histories and datasets.",
    ),
    "improve": (
        "opsroom.improvement.cli:improve",
        "Improvement: search for something better, and propose it.",
    ),
    "inbox": ("opsroom.inbox.cli:inbox", "The inbox: what waits for people, and answering it."),
    "integration": (
        "opsroom.integrations.cli:integration",
        "Integrations: the systems that agents reach, and whether they keep their word.",
    ),
    "login": ("opsroom.access.cli:login", "Log in as yourself, to answer as a person."),
    "logout": ("opsroom.access.cli:logout", "End the login of this terminal."),
    "mcp": ("opsroom.cli.mcp:mcp", "Serve coding agents over standard input and output."),
    "memory": (
        "opsroom.memory.cli:memory",
        "Memory: what agents decided before, and what came of it.",
    ),
    "openapi": (
        "opsroom.integrations.cli:openapi",
        "OpenAPI documents: what changed between two of them.",
    ),
    "override": (
        "opsroom.inbox.override_cli:override",
        "Overrides: where people decided otherwise than agents.",
    ),
    "plan": ("opsroom.workspace.cli:plan", "Say what a push of a workspace would do."),
    "policy": (
        "opsroom.cli.rules:policy",
        "Policies: what agents must obey, tried and tested.",
    ),
    "prompt": ("opsroom.prompts.cli:prompt", "Prompts: versions, labels, files."),
    "proposal": ("opsroom.registry.cli:proposal", "Proposals: review and merge changes."),
    "propose": (
        "opsroom.workspace.cli:propose",
        "Open proposals for what the files of a workspace stand for.",
    ),
    "pull": ("opsroom.workspace.cli:pull", "Write files from what the server has."),
    "push": ("opsroom.workspace.cli:push", "Store what files say as versions."),
    "org": (
        "opsroom.access.organisations_cli:org",
        "Organisations: owners of projects, and who is in all of them.",
    ),
    "queue": (
        "opsroom.annotation.cli:queue",
        "Review queues: people label what agents did, blind to each other.",
    ),
    "redteam": (
        "opsroom.redteam.cli:redteam",
        "Red team: attacks and edge cases, and how versions stand them.",
    ),
    "release": ("opsroom.releases.cli:release", "Releases: start, watch, promote, roll back."),
    "report": (
        "opsroom.reports.cli:report",
        "Reports: what people ask again and again, answered from records.",
    ),
    "backup": ("opsroom.cli.backup:backup", "Back everything up, while it goes on."),
    "restore": ("opsroom.cli.backup:restore", "Put a backup back on an empty machine."),
    "retention": (
        "opsroom.retention.cli:retention",
        "Retention: how long actions are kept, and legal holds.",
    ),
    "erase": (
        "opsroom.retention.cli:erase",
        "Shred what was said by or about somebody, for good.",
    ),
    "retraining": (
        "opsroom.retraining.cli:retraining",
        "Retraining: which agents should be made better, and why.",
    ),
    "route": (
        "opsroom.models.cli:route",
        "Routes: which models answer under one name, and who takes over.",
    ),
    "scorecard": (
        "opsroom.selection.cli:scorecard",
        "Scorecards: which model or agent should do a task.",
    ),
    "redaction": (
        "opsroom.redactions.cli:redaction",
        "Redaction: what was taken out, by which rule, and where.",
    ),
    "secret": (
        "opsroom.vault.cli:secret",
        "Secrets: credentials that are sealed, bound and never shown.",
    ),
    "security": (
        "opsroom.security.cli:security",
        "Security events: what was tried on agents, and what became of it.",
    ),
    "threshold": (
        "opsroom.thresholds.cli:threshold",
        "Thresholds: what agents' confidence is worth, and from which on they may act alone.",
    ),
    "role": ("opsroom.access.governing_cli:role", "Roles, and those of your own."),
    "service": (
        "opsroom.access.governing_cli:service",
        "Services: programs with an identity, and who answers for each.",
    ),
    "session": ("opsroom.access.governing_cli:session", "Sessions: who is logged in."),
    "token": ("opsroom.access.cli:token", "API tokens for programs."),
    "trace": ("opsroom.traces.cli:trace", "Traces: what agents did, span by span."),
    "turn": ("opsroom.actions.cli:turn", "Turns: what agents were asked, decided and did."),
    "user": ("opsroom.access.cli:user", "People and their roles."),
}


class Root(click.Group):
    """A group whose commands are imported by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in NOUNS:
            return None
        module, _, attribute = NOUNS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return _equipped(command)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The nouns that begin like that, from the table: importing them all takes a second."""
        nouns = [
            CompletionItem(name, help=about)
            for name, (_, about) in NOUNS.items()
            if name.startswith(incomplete)
        ]
        return nouns + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in NOUNS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in NOUNS:
            from difflib import get_close_matches

            near = get_close_matches(name, NOUNS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " See `opsroom --help`."
            ctx.fail(f"there is no command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


def _equipped(command: click.Command) -> click.Command:
    """`command`, and every command in it, with the options that all take."""
    taken = {option for one in command.params for option in one.opts}
    mine: list[Any] = [one for one in common_options() if not taken & set(one.opts)]
    command.params.extend(mine)
    if isinstance(command, click.Group):
        for one in command.commands.values():
            _equipped(one)
    return command


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        import opsroom

        click.echo(f"opsroom {opsroom.__version__}")
        ctx.exit()


@click.group(
    cls=Root,
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_version,
            help="Show the version.",
        ),
        *common_options(),
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
)
def root() -> None:
    """The operations room for AI agents.

    Ids may be written name, name@label or name@7.
    """
