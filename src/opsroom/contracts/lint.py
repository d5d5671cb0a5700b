"""What a careful colleague would say of a contract before agents act under it."""

from collections.abc import Iterator

from opsroom.registry import Finding, Severity

from .closing import open_places
from .model import ContractSpec, Origin, Tier
from .pointers import schema_at
from .sinks import IDENTIFYING, sinks_of

GRAVITY = tuple(Tier)
MOST_NAMED = 8


def lint(spec: ContractSpec, before: ContractSpec | None) -> list[Finding]:
    found = [*_pointing(spec), *_repeating(spec), *_confirming(spec), *_describing(spec)]
    return [*found, *_changing(before, spec)] if before is not None else found


def _pointing(spec: ContractSpec) -> Iterator[Finding]:
    """Pointers that lead nowhere: a key, limit or rule that rests on one never holds."""
    pointers = [("key", one) for one in spec.key]
    pointers += [("sinks", sink.path) for sink in spec.sinks]
    pointers += [("spends", spec.spends)] if spec.spends else []
    for place, pointer in pointers:
        if not pointer.startswith("/") or schema_at(spec.input, pointer) is None:
            yield Finding(
                code="pointer_leads_nowhere",
                severity=Severity.ERROR,
                message=f"the input schema has nothing at {pointer!r}",
                place=place,
                hint="write it as a JSON pointer, such as /invoice/amount or /recipients/*",
            )


def _repeating(spec: ContractSpec) -> Iterator[Finding]:
    harmless = spec.effects.idempotent or spec.effects.read_only
    if spec.retry.attempts > 1 and not harmless:
        yield Finding(
            code="retry_repeats",
            severity=Severity.ERROR,
            message=f"it is tried {spec.retry.attempts} times, but a second call acts again",
            place="retry.attempts",
            hint="try it once, or say `effects.idempotent: true` if the tool keeps calls apart",
        )
    if spec.effects.read_only and spec.risk is not Tier.READ:
        yield Finding(
            code="reads_or_acts",
            severity=Severity.WARNING,
            message=f"it is said to change nothing, and its risk is {spec.risk.value!r}",
            place="effects.read_only",
        )
    if spec.risk is Tier.READ or spec.effects.read_only:
        return
    if spec.risk is not Tier.WRITE and not spec.key:
        yield Finding(
            code="no_key",
            severity=Severity.WARNING,
            message="nothing says when two calls are the same call",
            place="key",
            hint="list the arguments that make it so; the agent's own key is used until then",
        )
    if not spec.effects.idempotent and spec.lookup is None:
        yield Finding(
            code="no_lookup",
            severity=Severity.INFO,
            message="nobody can find out whether a call that broke off took effect",
            place="lookup",
            hint="cite a contract that answers it, or people will be asked",
        )


def _confirming(spec: ContractSpec) -> Iterator[Finding]:
    guessed = [
        sink.path
        for sink in sinks_of(spec)
        if sink.origin is Origin.INFERRED and sink.kind in IDENTIFYING
    ]
    if guessed and spec.risk is not Tier.READ:
        more = " …" if len(guessed) > MOST_NAMED else ""
        yield Finding(
            code="sinks_inferred",
            severity=Severity.WARNING,
            message=f"whom it reaches was guessed: {', '.join(guessed[:MOST_NAMED])}{more}",
            place="sinks",
            hint="confirm them: list each under `sinks` with its kind",
        )


def _describing(spec: ContractSpec) -> Iterator[Finding]:
    if open_places(spec.input):
        yield Finding(
            code="input_open",
            severity=Severity.WARNING,
            message="it takes arguments that nobody described, and so no policy looks at",
            place="input",
            hint="list the properties; others are refused then",
        )
    if spec.output is None:
        yield Finding(
            code="no_output",
            severity=Severity.INFO,
            message="what comes back is not checked",
            place="output",
            hint="describe it by a JSON schema",
        )


def _changing(before: ContractSpec, spec: ContractSpec) -> Iterator[Finding]:
    if before.face != spec.face:
        yield Finding(
            code="face_changed",
            severity=Severity.WARNING,
            message="agents see another tool: its name, description or schemas changed",
            place="description" if before.description != spec.description else "input",
            hint="read what changed; a tool that is described anew can mislead an agent",
        )
    if GRAVITY.index(spec.risk) < GRAVITY.index(before.risk):
        yield Finding(
            code="risk_lowered",
            severity=Severity.WARNING,
            message=f"its risk falls from {before.risk.value!r} to {spec.risk.value!r}",
            place="risk",
            hint="agents may do alone what asked for a person before",
        )
