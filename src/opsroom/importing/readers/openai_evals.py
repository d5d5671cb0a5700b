"""Samples of OpenAI Evals: one JSON object a line, with `input` and mostly `ideal`.

`input` is a list of chat messages or a text; `ideal` is an answer or a list of accepted ones.
What else a sample holds is kept as metadata. Source: `docs/build-eval.md` and
`docs/eval-templates.md` in openai/evals.
"""

from pathlib import Path

from opsroom.importing.model import Bundle

from .gathering import Gathering
from .lines import exported, records, stem

FORMAT = "openai-evals"


def read(path: Path) -> Bundle:
    """A dataset for each file, named after it, or after its folder where it is `samples`."""
    found = exported(path, FORMAT, ".jsonl", ".jsonl.gz")
    made = Gathering(FORMAT)
    for file in found:
        given = stem(file)
        if given == "samples":
            given = file.resolve().parent.name
        for one in records(file):
            if not isinstance(one.get("input"), str | list):
                raise one.wrong("the field 'input' is missing, or neither messages nor a text")
            if not one.has("ideal"):
                made.leave_out(
                    "expected answer", "the sample has no ideal; judge it by a model"
                )
            made.item(
                made.name("dataset", given, one),
                one,
                asked={"messages": one.get("input")}
                if isinstance(one.get("input"), list)
                else {"input": one.get("input")},
                expected=one.get("ideal"),
                metadata=one.rest("input", "ideal"),
            )
    return made.bundle(found)
