"""A suite as what an import stores: prompts, a dataset, evaluators, and answers that are known."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsroom.importing.model import Bundle, NewDataset, NewRecording, NewVersion
from opsroom.importing.readers.lines import source_file
from opsroom.kit.canonical import digest
from opsroom.kit.texts import as_name
from opsroom.models import Output
from opsroom.prompts.model import Role, read_spec
from opsroom.prompts.rendering import Rendered, prepare
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft

from .suite import Prompt, Provider, Suite

FORMAT = "promptfoo"
RECORDED = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One run that a suite asks for: a prompt put to a provider, judged by evaluators."""

    prompt: str
    provider: str
    subject: str
    evaluators: tuple[str, ...]
    source: str
    trials: int = 1


def bundled(suite: Suite, files: tuple[Path, ...]) -> tuple[Bundle, tuple[Planned, ...]]:
    """Everything to store, and the runs to make of it afterwards."""
    store = _Store(suite)
    plans = tuple(
        store.plan(prompt, number, provider) for prompt, number, provider in _pairs(suite)
    )
    kinds = {(one.kind, one.name): one for one in store.versions.values()}
    return (
        Bundle(
            format=FORMAT,
            files=tuple(source_file(one) for one in files),
            artifacts=tuple(
                ArtifactDraft(kind=kind, name=name, criticality=Criticality.ADVISORY)
                for kind, name in kinds
            ),
            versions=tuple(store.versions.values()),
            datasets=(
                NewDataset(
                    name=suite.name,
                    items=suite.items,
                    description=suite.description[:500],
                    evaluators=plans[0].evaluators if plans else (),
                    replaces=True,
                ),
            ),
            recordings=tuple(store.recordings),
        ),
        plans,
    )


def _pairs(suite: Suite) -> Iterator[tuple[Prompt, int, Provider]]:
    for provider in suite.providers:
        for number, prompt in enumerate(suite.prompts, 1):
            if provider.gets(prompt.label):
                yield prompt, number, provider


class _Store:
    """Versions and answers, each once. A version is found again by its content."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self.versions: dict[str, NewVersion] = {}
        self.recordings: list[NewRecording] = []
        self._known: set[str] = set()

    def plan(self, prompt: Prompt, number: int, provider: Provider) -> Planned:
        suite = self._suite
        name = suite.name if len(suite.prompts) == 1 else f"{suite.name}-{number}"
        model = dict(provider.parameters)
        if provider.model:
            model["name"] = provider.model
        spec = {**prompt.spec, "model": model}
        subject = self._version("prompt", name, spec, f"{prompt.label} for {provider.label}")
        recorded = bool(suite.answers) or not provider.model
        if recorded:
            self._record(name, spec)
        return Planned(
            prompt=prompt.label,
            provider=provider.label,
            subject=f"prompt/{subject}",
            evaluators=tuple(self._evaluators(provider)),
            source=RECORDED if recorded else provider.model,
            trials=1 if recorded else suite.repeat,
        )

    def _evaluators(self, provider: Provider) -> Iterator[str]:
        suite = self._suite
        common: dict[str, Any] = {
            "type": "assertions",
            "grader": suite.grader,
            "tools": list(provider.tools),
            "functions": list(provider.functions),
        }
        yield self._version("evaluator", f"{suite.name}-assertions", common, FORMAT)
        score = {**common, "part": "score"}
        yield self._version("evaluator", f"{suite.name}-score", score, FORMAT)
        for name in suite.named:
            metric = f"named.{as_name(name)[:50] or digest(name)[:8]}"
            spec = {**common, "named": name, "metric": metric}
            yield self._version("evaluator", f"{suite.name}-{metric}"[:100], spec, FORMAT)

    def _version(self, kind: str, name: str, spec: Mapping[str, Any], message: str) -> str:
        """Keep a version and give its citation, by a label that only this content has."""
        content = digest(spec)
        label = f"pf-{content[:16]}"
        self.versions.setdefault(
            f"{kind}/{name}/{content}",
            NewVersion(
                kind=kind,
                name=name,
                draft=VersionDraft(
                    spec=dict(spec),
                    message=message[:200],
                    source=f"{FORMAT}:{content}",
                    labels=(label,),
                ),
            ),
        )
        return f"{name}@{label}"

    def _record(self, name: str, spec: Mapping[str, Any]) -> None:
        """The answers that are known without asking: the file's own, or the prompt itself."""
        source = f"{FORMAT}:{digest(spec)}"
        if name + source in self._known:
            return
        self._known.add(name + source)
        ready = prepare(read_spec(spec))
        for item in self._suite.items:
            text = self._suite.answers.get(item.hash)
            if text is None:
                values = item.input if isinstance(item.input, dict) else {}
                text = _echo(ready.render(values))
            self.recordings.append(
                NewRecording(
                    kind="prompt",
                    name=name,
                    source=source,
                    item=item.hash,
                    output=Output(text=text),
                )
            )


def _echo(prompt: Rendered) -> str:
    """What a provider says that gives back the prompt it was sent."""
    if prompt.text is not None:
        return prompt.text
    turns = [{"role": Role(one.role).value, "content": one.content} for one in prompt.messages]
    return json.dumps(turns, ensure_ascii=False, indent=2)
