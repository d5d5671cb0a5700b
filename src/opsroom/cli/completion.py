"""`opsroom completion`: what a shell needs to complete commands and options."""

import click
from click.shell_completion import get_completion_class

VARIABLE = "_OPSROOM_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion of a shell, to be read when it starts.

    \b
    bash  echo 'eval "$(opsroom completion bash)"' >> ~/.bashrc
    zsh   echo 'eval "$(opsroom completion zsh)"' >> ~/.zshrc
    fish  opsroom completion fish > ~/.config/fish/completions/opsroom.fish
    """  # noqa: D301  # click reads the character, which keeps the lines
    found = get_completion_class(shell)
    assert found is not None, "click brings all three"
    click.echo(found(ctx.find_root().command, {}, "opsroom", VARIABLE).source())
