"""Prompts of MLflow: versions as its registry keeps them.

Read are versions of prompts as the registry's REST interface gives them out
(`model-versions/search`: name, version, description, aliases, and the text in the tag
`mlflow.prompt.text`), or with the fields of its `PromptVersion` (name, version, template,
commit_message, aliases, response_format, model_config). Sources: `mlflow/prompt/constants.py` and
`mlflow/entities/model_registry/prompt_version.py` in mlflow/mlflow.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsroom.importing.model import Bundle
from opsroom.kit.files import JsonWrong, read_value

from .braces import NotOurs, of_mlflow
from .gathering import Gathering
from .lines import Line, exported, records
from .registries import keep, spec_of

FORMAT = "mlflow"
_TEXT = "mlflow.prompt.text"
_TYPE = "_mlflow_prompt_type"
_CONFIG = "_mlflow_prompt_model_config"
_SCHEMA = "_mlflow_prompt_response_format"


def read(path: Path) -> Bundle:
    """The versions of prompts in a file, or in all files of a folder, oldest first."""
    found = exported(path, FORMAT, ".json", ".jsonl", ".jsonl.gz", ".json.gz")
    made = Gathering(FORMAT)
    versions = [(_number(one), one) for file in found for one in records(file)]
    for number, one in sorted(versions, key=lambda pair: (pair[1].text("name"), pair[0])):
        _version(made, one, number)
    return made.bundle(found)


def _number(one: Line) -> int:
    version = one.get("version")
    if isinstance(version, bool) or not str(version).isdecimal() or len(str(version)) > 9:
        raise one.wrong("the field 'version' is missing or no number")
    return int(version)


def _version(made: Gathering, one: Line, number: int) -> None:
    tags = _tags(one.get("tags"))
    if one.get("template") is None and _TEXT not in tags:
        made.leave_out("version", "a model, and no prompt")
        return
    keep(
        made,
        one,
        number,
        lambda: _spec(one, tags),
        message=one.get("commit_message", "description") or f"version {number} of MLflow",
        labels=_aliases(one.get("aliases")),
    )


def _spec(one: Line, tags: Mapping[str, str]) -> dict[str, Any]:
    prompt = one.get("template")
    if prompt is None:
        prompt = _parsed(tags[_TEXT]) if tags.get(_TYPE) == "chat" else tags[_TEXT]
    if isinstance(prompt, str) and "{%" in prompt and "%}" in prompt:
        raise NotOurs("it is a Jinja2 template with logic; bring it over by hand")
    return spec_of(
        prompt,
        of_mlflow,
        config=one.get("model_config") or _parsed(tags.get(_CONFIG)),
        schema=one.get("response_format") or _parsed(tags.get(_SCHEMA)),
    )


def _tags(value: Any) -> dict[str, str]:
    """Tags as an object, or as the list of pairs that REST gives."""
    if isinstance(value, Mapping):
        return {str(key): str(one) for key, one in value.items()}
    pairs = value if isinstance(value, list) else []
    return {
        str(one["key"]): str(one.get("value", ""))
        for one in pairs
        if isinstance(one, dict) and "key" in one
    }


def _aliases(value: Any) -> list[Any]:
    """Aliases as names, or as the objects that REST gives for a registered model."""
    found = value if isinstance(value, list) else []
    return [one.get("alias", "") if isinstance(one, dict) else one for one in found]


def _parsed(text: str | None) -> Any:
    if not text:
        return None
    try:
        return read_value(text)
    except JsonWrong as error:
        raise NotOurs(f"a tag holds no JSON: {error.why}") from error
