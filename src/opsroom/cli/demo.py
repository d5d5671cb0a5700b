"""`opsroom demo`: a small living world, or recorded runs of your own, ready to look at."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsroom.sdk.terminal import DATA, show

if TYPE_CHECKING:
    from opsroom.app import Runtime
    from opsroom.app.serve import Started
    from opsroom.app.settings import Settings
    from opsroom.simulator.people import Outcome, Stop

LIVE_RATE = 3600.0  # an hour in a second: releases are over after about a minute
ONCE_RATE = 36_000.0
ONCE_BEGAN = 25  # days ago: what is over in two or three weeks is not to lie in the future
DAYS = 30

World = Callable[["Runtime", "Stop | None"], list["Outcome"]]


@dataclass(frozen=True, slots=True)
class Show:
    """How a world is shown: served on a port, or run to its end."""

    once: bool
    port: int | None
    home: Path


@click.group(invoke_without_command=True)
@click.option("--once", is_flag=True, help="Run to the end, print a summary and exit.")
@click.option("--port", type=int, help="Port; 0 takes a free one [8400, or a free one].")
@click.option("--seed", default=7, help="The world to make [7].")
@click.pass_context
def demo(ctx: click.Context, once: bool, port: int | None, seed: int) -> None:
    """Start a freight office with ten agents, one good and one bad release, and what goes wrong.

    Its clock runs an hour in a second. It asks nothing and keeps to this machine; everything
    it makes is in a folder of its own.
    """
    home = Path(ctx.meta.get(DATA) or tempfile.mkdtemp(prefix="opsroom-demo-"))
    ctx.obj = Show(once, port, home)
    if ctx.invoked_subcommand is not None:
        return

    def office(runtime: "Runtime", stop: "Stop | None") -> list["Outcome"]:
        from opsroom.app.acting import serve
        from opsroom.app.models import ConfiguredModels
        from opsroom.simulator.office import Office

        models = ConfiguredModels(runtime.settings)
        made = Office(runtime.db, runtime.kinds, models, serve, seed=seed)
        made.open()
        return made.run(until=_end(runtime, stop), stop=stop)

    _show(ctx, office, _office_greeting)


@demo.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.argument("agent")
@click.argument("champion")
@click.argument("challenger")
@click.option("--format", "format_", default="tau", help="Format of the recorded runs [tau].")
@click.option("--metric", default="success", help="The primary metric [success].")
@click.pass_context
def replay(
    ctx: click.Context,
    path: Path,
    agent: str,
    champion: str,
    challenger: str,
    format_: str,
    metric: str,
) -> None:
    """Release CHALLENGER in place of CHAMPION (labels of AGENT) over the recorded runs in PATH.

    Traffic draws tasks at random and takes the recorded outcome of whichever version the
    split sends it to. For example: demo --once replay runs/ airline gpt-4o-2024-11-20
    claude-sonnet-4-5
    """

    def recorded(runtime: "Runtime", stop: "Stop | None") -> list["Outcome"]:
        from opsroom.app.models import ConfiguredModels
        from opsroom.simulator.replay import Replay

        models = ConfiguredModels(runtime.settings)
        made = Replay(runtime.db, runtime.kinds, models)
        made.open(format_, path, agent, champion, challenger, metric)
        return made.run(until=_end(runtime, stop), stop=stop)

    _show(ctx, recorded, _replay_greeting)


@demo.command()
@click.pass_context
def loop(ctx: click.Context) -> None:
    """Let a customs desk learn: from a person's first correction to an agent that acts alone.

    Corrections become cases, a judge is held against people, what serves fails the cases, a
    search finds a better prompt, a release proves it, and its autonomy is widened by what
    people said of it. Takes a minute or two, and nobody has to lend a hand.
    """
    from opsroom.simulator.endpoint import Endpoint
    from opsroom.simulator.learning import expert

    wanted: Show = ctx.obj
    with Endpoint(answer=expert) as there:
        model = {"OPSROOM_MODEL_URL": there.url, "OPSROOM_ALLOWED_HOSTS": there.host}
        found = _learn(_settings(wanted.home, 0, ONCE_RATE, model))
    show(ctx, {**found, "data": str(wanted.home)}, _story)


def _learn(settings: "Settings") -> dict[str, Any]:
    """The whole way, and then the journal from its first entry to its last."""
    from opsroom.app import at_work, open_runtime
    from opsroom.app.acting import serve
    from opsroom.app.models import ConfiguredModels
    from opsroom.journal import queries as journal
    from opsroom.kit.wire import plain
    from opsroom.simulator.learning import Learning
    from opsroom.simulator.people import ADMIN

    runtime = open_runtime(settings)
    try:
        with at_work(runtime):
            models = ConfiguredModels(settings)
            told = Learning(runtime.db, runtime.kinds, models, serve).run()
        with runtime.db.read(ADMIN) as tx:
            head = journal.verify(tx)
    finally:
        runtime.close()
    return {
        "chapters": [plain(one) for one in told],
        "journal": {"entries": head.seq, "head": str(head)},
    }


def _story(found: dict[str, Any]) -> str:
    lines = [
        f"{number}. {one['title']}\n   {one['says']}\n   {one['at']}"
        for number, one in enumerate(found["chapters"], 1)
    ]
    lines.append(f"journal: {found['journal']['entries']:,} entries, verified")
    lines.append(f"look at it: opsroom --data {found['data']} up")
    return "\n".join(lines)


def _show(ctx: click.Context, world: World, greeting: Callable[["Started"], str]) -> None:
    wanted: Show = ctx.obj
    if wanted.once:
        show(ctx, _once(wanted.home, world), _summary)
    else:
        _live(ctx, wanted, world, greeting)


def _live(
    ctx: click.Context, wanted: Show, world: World, greeting: Callable[["Started"], str]
) -> None:
    import threading

    from opsroom.app import open_runtime
    from opsroom.app.serve import PortTaken, serve
    from opsroom.simulator.people import Stop

    stop = Stop()
    workers: list[threading.Thread] = []
    settings = _settings(wanted.home, 8400 if wanted.port is None else wanted.port, LIVE_RATE)

    def work() -> None:
        runtime = open_runtime(settings)
        try:
            world(runtime, stop)
        finally:
            runtime.close()

    def started(facts: "Started") -> None:
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        workers.append(worker)
        answer = {"url": facts.url, "login": facts.link, "data": facts.data}
        show(ctx, answer, lambda _: greeting(facts))

    try:
        try:
            serve(settings, started=started)
        except PortTaken:
            if wanted.port is not None:
                raise
            settings = _settings(wanted.home, 0, LIVE_RATE)
            serve(settings, started=started)
    finally:
        stop.asked = True
        for worker in workers:
            worker.join()


def _once(home: Path, world: World) -> dict[str, Any]:
    """The whole world without a page: the same application, the same loops, no port."""
    from dataclasses import replace
    from datetime import UTC, datetime, timedelta

    from opsroom.app import at_work, open_runtime
    from opsroom.journal import queries as journal
    from opsroom.kit.clock import FastClock
    from opsroom.simulator.people import ADMIN

    clock = FastClock(datetime.now(UTC) - timedelta(days=ONCE_BEGAN), ONCE_RATE)
    runtime = open_runtime(replace(_settings(home, 0, ONCE_RATE), clock=clock))
    try:
        with at_work(runtime):
            outcomes = world(runtime, None)
        with runtime.db.read(ADMIN) as tx:
            head = journal.verify(tx)
    finally:
        runtime.close()
    return {
        "releases": [
            {
                "id": one.release,
                "agent": one.name,
                "state": one.state.value,
                "because": one.because,
            }
            for one in outcomes
        ],
        "journal": {"entries": head.seq, "head": str(head)},
        "data": str(home),
    }


def _end(runtime: "Runtime", stop: "Stop | None") -> Any:
    """A world that nobody can stop by hand ends after a month at the latest."""
    from datetime import timedelta

    return None if stop else runtime.db.clock.now() + timedelta(days=DAYS)


def _settings(
    home: Path, port: int, rate: float, environment: Mapping[str, str] | None = None
) -> "Settings":
    from opsroom.app.settings import from_environment

    return from_environment(environment or {}, data=home, port=port, clock_rate=rate)


def _office_greeting(facts: "Started") -> str:
    return "\n".join(
        (
            "the freight office is open",
            f"  log in once    {facts.link}",
            f"  data           {facts.data}",
            "",
            "Its clock runs an hour in a second. Look at",
            f"  {facts.url}/           what moves now, and what waits for you",
            f"  {facts.url}/releases   customs-classifier goes through; invoice-matcher does not,",
            "                     and its page says why",
            f"  {facts.url}/inbox      payments that an agent wants to make, and may not make alone",
            f"  {facts.url}/alerts     a system outside changes twice a day, and agents fail",
            f"  {facts.url}/security   some invoices give their reader orders",
            f"  {facts.url}/proposals  one change waits for a review: yours",
            f"  {facts.url}/audit      everything that happened, in a chain that verifies",
            "",
            "Stop it with Ctrl-C.",
        )
    )


def _replay_greeting(facts: "Started") -> str:
    return "\n".join(
        (
            "the recorded runs are being replayed",
            f"  log in once    {facts.link}",
            f"  releases       {facts.url}/releases",
            f"  data           {facts.data}",
            "",
            "Stop it with Ctrl-C.",
        )
    )


def _summary(found: dict[str, Any]) -> str:
    lines = [f"{one['agent']}: {one['state']}; {one['because']}" for one in found["releases"]]
    lines.append(f"journal: {found['journal']['entries']:,} entries, verified")
    lines.append(f"data: {found['data']}")
    lines.append(f"look at it: opsroom --data {found['data']} up")
    return "\n".join(lines)
