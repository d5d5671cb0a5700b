"""One reader a format: files in, bundle out. Readers never touch a database."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from opsroom.importing.errors import UnknownFormat
from opsroom.importing.model import Bundle

FORMATS = {
    "agentdojo": "agentdojo",
    "git-prompts": "git_prompts",
    "inspect": "inspect_logs",
    "langfuse": "langfuse",
    "langsmith": "langsmith",
    "llmdrift": "llmdrift",
    "mlflow": "mlflow",
    "openai-evals": "openai_evals",
    "pandalm": "pandalm",
    "phoenix": "phoenix",
    "prompt-history": "prompt_history",
    "promptfoo": "promptfoo",
    "tau": "tau",
    "ticket-prompts": "ticket_prompts",
    "who-and-when": "who_and_when",
}


def read(format_: str, path: Path) -> Bundle:
    """Read `path` as `format_`. Raises `UnknownFormat`, or says which line of which file is
    wrong.
    """
    module = FORMATS.get(format_)
    if module is None:
        raise UnknownFormat(format_, ", ".join(FORMATS))
    reader: Callable[[Path], Bundle] = import_module(f"{__name__}.{module}").read
    return reader(path)
