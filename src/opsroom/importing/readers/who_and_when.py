"""Failed runs of teams of agents, with a person's word on who erred, where and why.

Each run becomes one override: what the agent said in the step that decided the failure, what
would have been right in the end, and the person's reason.
"""

from pathlib import Path

from opsroom.importing.model import Bundle, NewOverride
from opsroom.inbox.model import OverrideDraft
from opsroom.kit.texts import as_name

from .lines import Line, files, lines, source_file

FORMAT = "who-and-when"
LONGEST = 20_000  # characters of a step


def read(path: Path) -> Bundle:
    """The failures in a file, or in all files of a folder."""
    found = files(path, FORMAT)
    return Bundle(
        format=FORMAT,
        files=tuple(source_file(file) for file in found),
        overrides=tuple(_override(line) for file in found for line in lines(file)),
    )


def _override(line: Line) -> NewOverride:
    label = line.get("human_label") or {}
    step, agent = label.get("mistake_step"), label.get("mistake_agent")
    said = next((one for one in line.list("steps") if one.get("step") == step), None)
    if said is None or not agent:
        raise line.wrong("the field 'human_label' names no agent and step of this run")
    return NewOverride(
        draft=OverrideDraft(
            subject=f"recording/{FORMAT}/{line.text('case')}",
            agent=as_name(str(agent)),
            asked=line.text("question"),
            agent_decision=str(said.get("content", ""))[:LONGEST],
            human_decision=line.text("ground_truth"),
            reasoning=str(label.get("mistake_reason", "")),
        )
    )
