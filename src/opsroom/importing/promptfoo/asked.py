"""The prompts and the providers of a configuration."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from opsroom.kit.errors import OpsroomError

from .source import CODE, Source
from .suite import Prompt, Provider
from .templates import names_in

_FILES = (".txt", ".md", ".j2", ".json", ".jsonl", ".yaml", ".yml", ".csv")
_SERVICES = ("langfuse://", "portkey://", "helicone://", "azureml://")
_PARAMETERS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
_EXTRA = frozenset(
    {
        "max_completion_tokens", "response_format", "tools", "tool_choice", "functions",
        "function_call", "reasoning_effort", "parallel_tool_calls", "logit_bias", "verbosity",
    }
)  # fmt: skip
MAX_PROVIDERS = 200
_ROLES = frozenset({"system", "developer", "user", "assistant"})

# Providers of chat models: the configured endpoint is asked for the model behind the prefix.
_CHAT = frozenset(
    {
        "openai", "anthropic", "google", "vertex", "mistral", "azure", "azureopenai", "bedrock",
        "groq", "openrouter", "ollama", "xai", "deepseek", "perplexity", "cerebras", "cohere",
        "together", "togetherai", "fireworks", "litellm", "llama", "localai", "hyperbolic", "vllm",
        "databricks", "ai21", "nscale", "cloudflare-ai", "lambdalabs", "aimlapi", "github",
        "helicone", "watsonx", "alibaba", "sagemaker", "adaline", "replicate", "huggingface",
    }
)  # fmt: skip
_NOT_CHAT = frozenset(
    {
        "image", "video", "embedding", "embeddings", "moderation", "realtime", "assistant", "audio",
        "speech", "transcription", "tts", "agents", "live", "knowledge-base", "feature-extraction",
        "text-classification", "token-classification", "sentence-similarity", "flux", "codex-sdk",
        "inference-profile", "claude-agent-sdk", "chatkit",
    }
)  # fmt: skip
_WAYS = frozenset(
    {"chat", "messages", "completion", "completions", "responses", "text-generation", "gateway"}
)
_CODE = frozenset(
    {"file", "exec", "python", "package", "golang", "ruby", "javascript", "mcp", "browser"}
)


def prompts_of(source: Source, document: Mapping[str, Any]) -> list[Prompt]:
    """Every prompt with its label, in order."""
    written = document.get("prompts")
    if written is None:
        source.missing.add("prompts", "there are none")
        return []
    if isinstance(written, dict):  # an old form: file to label
        written = [{"raw": name, "label": label} for name, label in written.items()]
    many = written if isinstance(written, list) else [written]
    found: list[Prompt] = []
    for number, one in enumerate(many, 1):
        where = f"prompt {number}"
        for label, text in _texts(source, one, where):
            if (spec := _spec(source, text, where)) is not None:
                found.append(Prompt(label=label, spec=spec))
    return found


def _texts(source: Source, one: Any, where: str) -> Iterator[tuple[str, Any]]:
    """The texts that an entry stands for, each with its label."""
    match one:
        case str() as text:
            label = text
        case {"raw": str(text), **rest} | {"id": str(text), **rest}:
            label = str(rest.get("label") or rest.get("id") or text)
            if rest.get("config"):
                source.missing.add(
                    where, "parameters of one prompt; write them to the provider"
                )
        case _:
            source.missing.add(where, "a prompt is a text or a file")
            return
    if text.startswith(_SERVICES):
        source.missing.add(where, "it is kept by a service outside")
    elif not _is_file(text):
        yield label, text
    else:
        for path in source.find(text, where):
            plain = label if label != text else path.name
            yield from _from_file(source, path, plain, where)


def _is_file(text: str) -> bool:
    if text.startswith("file://"):
        return True
    if "\n" in text or "{{" in text or len(text) > 300 or " " in text.strip():
        return False
    base = text.rpartition(":")[0] or text
    return (
        text.endswith((*_FILES, *CODE)) or base.endswith(CODE) or ("*" in text and "/" in text)
    )


def _from_file(source: Source, path: Any, label: str, where: str) -> Iterator[tuple[str, Any]]:
    if path.suffix in {".json", ".yaml", ".yml"}:
        yield label, source.data(path, where)
    elif path.suffix == ".jsonl":
        for number, one in enumerate(source.lines(path, where), 1):
            yield f"{label}: {number}", one
    elif path.suffix == ".csv":
        for number, row in enumerate(source.rows(path, where), 1):
            text = row.get("prompt") or next(iter(row.values()), "")
            yield row.get("label") or f"{label}: {number}", text
    else:
        parts = re.split(r"(?m)^---\s*$", source.text(path, where))
        texts = [one.strip() for one in parts if one.strip()]
        for number, text in enumerate(texts, 1):
            yield (label if len(texts) == 1 else f"{label}: {number}"), text


def _spec(source: Source, text: Any, where: str) -> dict[str, Any] | None:
    """A prompt as it is versioned; without its variables, which the tests name."""
    messages = text if isinstance(text, list) else _messages(text)
    if messages is None:
        if not isinstance(text, str):
            source.missing.add(where, "a prompt is a text or a list of messages")
            return None
        if not _readable(source, text, where):
            return None
        return {"format": "text", "text": text}
    turns: list[dict[str, str]] = []
    for one in messages:
        match _joined(one):
            case {"role": str(role), "content": str(content)} if role in _ROLES:
                if not _readable(source, content, where):
                    return None
                turns.append({"role": role, "content": content})
            case _:
                source.missing.add(
                    where,
                    "a message has a role and a text; pictures and tool turns are not sent",
                )
                return None
    return {"format": "chat", "messages": turns}


def _joined(message: Any) -> Any:
    """A message whose content is a list of texts, with one text in its place."""
    match message:
        case {"content": [{"type": "text", "text": str()}, *_] as parts}:
            texts = [
                one["text"]
                for one in parts
                if isinstance(one, dict) and set(one) == {"type", "text"}
            ]
            if len(texts) == len(parts) and all(isinstance(one, str) for one in texts):
                return {**message, "content": "\n".join(texts)}
        case _:
            pass
    return message


def _messages(text: Any) -> list[Any] | None:
    """The messages that a prompt written as JSON stands for."""
    if not isinstance(text, str) or not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and found else None


def _readable(source: Source, text: str, where: str) -> bool:
    try:
        names = names_in(text)
    except OpsroomError as error:
        source.missing.add(where, f"its template is not one of ours: {error}")
        return False
    if "_conversation" in names:
        source.missing.add(where, "it takes the turns of earlier tests")
        return False
    return True


def providers_of(
    source: Source, document: Mapping[str, Any], models: Mapping[str, str]
) -> list[Provider]:
    """Who is asked. `models` say which configured model stands for a provider; `*` is any."""
    written = document.get("providers") or document.get("targets")
    if written is None:
        source.missing.add("providers", "there are none")
        return []
    many = written if isinstance(written, list) else [written]
    found = (one for entry in many for one in _providers(source, entry, models))
    kept = list(islice(found, MAX_PROVIDERS + 1))
    if len(kept) > MAX_PROVIDERS:
        source.missing.add("providers", f"there are more than {MAX_PROVIDERS}")
    return kept


def _providers(source: Source, entry: Any, models: Mapping[str, str]) -> Iterator[Provider]:
    match entry:
        case str() as name if name.startswith("file://") and name.endswith(
            (".yaml", ".yml", ".json")
        ):
            found = source.one(name, f"provider {name}")
            for one in found if isinstance(found, list) else [found] if found else []:
                yield from _providers(source, one, models)
            return
        case str() as name:
            settings: Mapping[str, Any] = {}
        case {"id": str(name)}:
            settings = entry
        case dict() if len(entry) == 1:
            [(name, inner)] = entry.items()
            settings = inner if isinstance(inner, dict) else {}
            name = str(settings.get("id") or name)
        case _:
            source.missing.add("providers", "a provider has an id")
            return
    where = f"provider {name}"
    if settings.get("transform") or (settings.get("config") or {}).get("transformResponse"):
        source.missing.add(where, "its transform is code, and code is not run")
    model = _model(source, name, models, where)
    if model is None:
        return
    parameters = _parameters(source, settings.get("config"), where)
    extra = parameters.get("extra", {})
    chosen = settings.get("prompts")
    yield Provider(
        id=name,
        label=str(settings.get("label") or name),
        model=model,
        parameters=parameters,
        tools=tuple(extra.get("tools") or ()),
        functions=tuple(extra.get("functions") or ()),
        prompts=tuple(map(str, chosen)) if isinstance(chosen, list) else None,
    )


def _model(source: Source, name: str, models: Mapping[str, str], where: str) -> str | None:
    """The model to ask for; an empty text for the provider that gives its prompt back."""
    if name == "echo":
        return ""
    given = models.get(name) or models.get("*")
    if given:
        return given
    prefix, _, rest = name.partition(":")
    if prefix in _CODE or "://" in name or name.startswith(("http", "ws", "webhook")):
        source.missing.add(where, "code and addresses of a configuration are not called")
        return None
    steps = rest.split(":") if rest else []
    if prefix not in _CHAT or not steps or steps[0] in _NOT_CHAT:
        source.missing.add(where, "it is no chat model that is known; name one by --model")
        return None
    if steps[0] in _WAYS and len(steps) > 1:
        steps = steps[1:]
    return ":".join(steps)


def _parameters(source: Source, config: Any, where: str) -> dict[str, Any]:
    """What a provider is to be asked with. Keys and addresses never leave the configuration."""
    if not isinstance(config, dict):
        return {}
    found: dict[str, Any] = {
        ours: config[theirs]
        for theirs, ours in _PARAMETERS.items()
        if config.get(theirs) is not None
    }
    if isinstance(stop := config.get("stop"), list | str):
        found["stop"] = [stop] if isinstance(stop, str) else stop
    extra: dict[str, Any] = {}
    for name in sorted(_EXTRA & set(config)):
        value = config[name]
        if isinstance(value, str) and value.startswith("file://"):
            value = source.one(value, where)
        if isinstance(value, list):
            value = [
                source.one(one, where)
                if isinstance(one, str) and one.startswith("file://")
                else one
                for one in value
            ]
        extra[name] = value
    return {**found, "extra": extra} if extra else found


def label_of(prompt: Prompt) -> str:
    """A short name of a prompt for people."""
    first = " ".join(prompt.label.split())
    return first if len(first) <= 60 else f"{first[:59]}…"
