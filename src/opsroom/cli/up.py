"""`opsroom up`: the server, on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsroom.sdk.terminal import DATA, show

if TYPE_CHECKING:
    from opsroom.app.serve import Started


@click.command()
@click.option("--host", help="Address to listen on [OPSROOM_HOST, 127.0.0.1].")
@click.option("--port", type=int, help="Port; 0 takes a free one [OPSROOM_PORT, 8400].")
@click.option("--clock-rate", type=float, hidden=True, help="Let time run this much faster.")
@click.pass_context
def up(
    ctx: click.Context, host: str | None, port: int | None, clock_rate: float | None
) -> None:
    """Start the server and serve until Ctrl-C. Makes the installation if there is none."""
    import gc
    import os

    # Nothing that is made while loading is garbage; looking for some costs a tenth of a second.
    gc.disable()
    from opsroom.app.serve import serve
    from opsroom.app.settings import from_environment

    data = ctx.meta.get(DATA)
    settings = from_environment(
        os.environ,
        data=Path(data) if data else None,
        host=host,
        port=port,
        clock_rate=clock_rate,
    )

    def started(facts: "Started") -> None:
        gc.freeze()
        gc.enable()
        answer = {
            "url": facts.url,
            "api": f"{facts.url}/v1/openapi.json",
            "audit": f"{facts.url}/audit",
            "login": facts.link or f"{facts.url}/login",
            "data": facts.data,
        }
        show(ctx, answer, lambda _: _greeting(facts))

    serve(settings, started=started)


def _greeting(facts: "Started") -> str:
    first = (
        f"log in once    {facts.link}" if facts.link else f"log in         {facts.url}/login"
    )
    return "\n".join(
        (
            "opsroom is up",
            f"  {first}",
            f"  pages          {facts.url}/",
            f"  API            {facts.url}/v1/openapi.json",
            f"  audit log      {facts.url}/audit",
            f"  data           {facts.data}",
            "",
            "Stop it with Ctrl-C. Next, in another terminal: opsroom doctor",
        )
    )
