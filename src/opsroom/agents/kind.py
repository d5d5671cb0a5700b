"""What the registry needs to know about agents."""

from collections.abc import Sequence
from dataclasses import replace

import yaml

from opsroom.kit.wire import plain
from opsroom.registry import Finding, Kind, Lookup, Severity

from .model import AgentSpec


def pin(spec: AgentSpec, lookup: Lookup) -> AgentSpec:
    """Replace labels by the versions they name now, and note the digest of each."""
    found = {role: lookup(cited, kind="prompt") for role, cited in spec.prompts.items()}
    return replace(
        spec,
        prompts={role: f"{one.name}@{one.number}" for role, one in found.items()},
        cites={one.ref: one.digest for one in found.values()},
    )


def lint(spec: AgentSpec, before: AgentSpec | None, _lookup: Lookup) -> Sequence[Finding]:
    findings: list[Finding] = []
    if not spec.prompts:
        findings.append(
            Finding(
                code="no_prompt",
                severity=Severity.WARNING,
                message="the manifest cites no prompt",
                place="prompts",
                hint="cite the prompts the agent uses, or nobody can tell which text was live",
            )
        )
    if not spec.model.fallbacks:
        findings.append(
            Finding(
                code="no_fallback",
                severity=Severity.INFO,
                message=f"nothing takes over when {spec.model.model!r} does not answer",
                place="model.fallbacks",
            )
        )
    if before is not None and before.model.model != spec.model.model:
        findings.append(
            Finding(
                code="model_changed",
                severity=Severity.WARNING,
                message=f"the model changes from {before.model.model!r} to {spec.model.model!r}",
                place="model.model",
                hint="autonomy that was earned with another model is not inherited",
            )
        )
    return findings


def references(spec: AgentSpec) -> Sequence[str]:
    return tuple(spec.cites)


def text(spec: AgentSpec) -> str:
    """The manifest as YAML, one setting a line."""
    return yaml.safe_dump(plain(spec), sort_keys=True, allow_unicode=True, width=88)


KIND = Kind(name="agent", shape=AgentSpec, text=text, pin=pin, lint=lint, references=references)
