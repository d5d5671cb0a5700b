"""What the registry needs to know about agents."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import yaml

from opsroom.contracts.model import ContractSpec, Tier
from opsroom.kit.wire import adapter, plain
from opsroom.models.route import ROUTE
from opsroom.policies.engine import validate
from opsroom.policies.model import PolicySpec
from opsroom.registry import Finding, Kind, Lookup, Severity, Version

from .model import AgentSpec, ModelRoute, model_changed

GRAVE = frozenset({Tier.IRREVERSIBLE, Tier.CREDENTIAL, Tier.EXTERNAL})


def pin(spec: AgentSpec, lookup: Lookup) -> AgentSpec:
    """Replace labels by the versions they name now, and note the digest of each."""
    prompts = {role: lookup(cited, kind="prompt") for role, cited in spec.prompts.items()}
    contracts = [lookup(cited, kind="contract") for cited in spec.contracts]
    policies = [lookup(cited, kind="policy") for cited in spec.policies]
    route, routes = _routed(spec.model, lookup)
    return replace(
        spec,
        model=route,
        prompts={role: _short(one) for role, one in prompts.items()},
        contracts=tuple(map(_short, contracts)),
        policies=tuple(map(_short, policies)),
        cites={
            one.ref: one.digest for one in (*prompts.values(), *contracts, *policies, *routes)
        },
    )


def _routed(model: ModelRoute, lookup: Lookup) -> tuple[ModelRoute, list[Version]]:
    """The model route with every route that it names cited by its version, and those versions."""
    cited: list[Version] = []

    def pinned(one: str) -> str:
        if not one.startswith(ROUTE):
            return one
        cited.append(lookup(one, kind="route"))
        return cited[-1].ref

    named = replace(
        model, model=pinned(model.model), fallbacks=tuple(map(pinned, model.fallbacks))
    )
    return named, cited


def _short(version: Version) -> str:
    return f"{version.name}@{version.number}"


def lint(spec: AgentSpec, before: AgentSpec | None, lookup: Lookup) -> Sequence[Finding]:
    findings: list[Finding] = [*_touching(spec, lookup), *_obeyed(spec, lookup)]
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
    if before is not None and model_changed(before, spec):
        findings.append(
            Finding(
                code="model_changed",
                severity=Severity.WARNING,
                message=f"the model changes from {_route(before)} to {_route(spec)}",
                place="model.model",
                hint="autonomy that was earned with another model is not inherited",
            )
        )
    return findings


def _touching(spec: AgentSpec, lookup: Lookup) -> Iterator[Finding]:
    """What is to be said of the contracts together."""
    found = [(cited, _contract(lookup(cited, kind="contract"))) for cited in spec.contracts]
    named: dict[str, str] = {}
    for cited, contract in found:
        if contract.tool in named:
            yield Finding(
                code="tool_twice",
                severity=Severity.ERROR,
                message=f"{named[contract.tool]} and {cited} both call their tool {contract.tool!r}",
                place="contracts",
                hint="an agent knows a tool by its name; leave one of the two out",
            )
        named[contract.tool] = cited
    grave = [contract.tool for _, contract in found if contract.risk in GRAVE]
    if grave and not spec.policies:
        yield Finding(
            code="no_policy",
            severity=Severity.INFO,
            message=f"only the shipped policies stand before {', '.join(sorted(grave))}",
            place="policies",
            hint="cite a policy that says what these tools may be used for",
        )


def _obeyed(spec: AgentSpec, lookup: Lookup) -> Iterator[Finding]:
    """What is wrong with the policies, given exactly the contracts that they will decide about."""
    contracts = [_contract(lookup(cited, kind="contract")) for cited in spec.contracts]
    for cited in spec.policies:
        version = lookup(cited, kind="policy")
        policy = adapter(PolicySpec).validate_python(version.spec)
        for found in validate(version.name, policy, contracts):
            yield replace(found, hint=f"mend {cited}, or cite another version of it")


def _contract(version: Version) -> ContractSpec:
    return adapter(ContractSpec).validate_python(version.spec)


def _route(spec: AgentSpec) -> str:
    return ", then ".join(map(repr, (spec.model.model, *spec.model.fallbacks)))


def references(spec: AgentSpec) -> Sequence[str]:
    return tuple(spec.cites)


def text(spec: AgentSpec) -> str:
    """The manifest as YAML, one setting a line."""
    return yaml.safe_dump(plain(spec), sort_keys=True, allow_unicode=True, width=88)


KIND = Kind(name="agent", shape=AgentSpec, text=text, pin=pin, lint=lint, references=references)
