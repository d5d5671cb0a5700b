"""Trying again, and leaving alone what fails: pure rules for what opsroom carries out itself.

An attempt is repeated only where that cannot do harm: the other side was never reached, or
the call is idempotent and carries a key. An integration that fails again and again is left
alone for a while; then one call may try whether it is back.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opsroom.contracts.model import ContractSpec

from .ports import Effect

TOLERATED = 3  # failures in a row
FIRST_BREAK = timedelta(seconds=30)
LONGEST_BREAK = timedelta(minutes=10)
TRIAL = timedelta(seconds=60)  # so long one call has to show that it is back


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """How an integration has done lately. `open_until` is set while it is left alone."""

    failures: int = 0
    breaks: int = 0
    open_until: datetime | None = None


def rest(spec: ContractSpec, effect: Effect, *, attempt: int, key: str) -> timedelta | None:
    """How long to wait before attempt `attempt + 1`; None where there must be none."""
    if attempt >= spec.retry.attempts or not spec.effects.idempotent:
        return None
    untouched = effect.state == "not_happened" and not effect.reached
    if not untouched and not (effect.state == "unknown" and key):
        return None
    seconds = min(spec.retry.first * spec.retry.factor ** (attempt - 1), spec.retry.longest)
    return timedelta(seconds=max(seconds, 0.0))


def failed(effect: Effect) -> bool:
    """Whether an attempt speaks against the integration; a refusal does not."""
    return effect.state == "unknown" or not effect.reached


def fault_of(effect: Effect) -> str:
    """The kind of failure, of which there are few, whatever was said about it."""
    if not effect.reached:
        return "unreachable"
    status = re.match(r"status \d{3}", effect.error)
    return status[0] if status else "no answer"


def after(circuit: Circuit, *, failure: bool, now: datetime) -> Circuit:
    """A circuit after one more attempt."""
    if not failure:
        return Circuit()
    counted = replace(circuit, failures=circuit.failures + 1)
    if counted.failures < TOLERATED:
        return counted
    pause = min(FIRST_BREAK * 2**circuit.breaks, LONGEST_BREAK)
    return replace(counted, breaks=min(circuit.breaks + 1, 10), open_until=now + pause)


def admitted(circuit: Circuit, *, now: datetime) -> Circuit | None:
    """The circuit once a call goes through; None while it is to be left alone.

    The first call after a break goes alone: others wait for what becomes of it.
    """
    if circuit.open_until is None:
        return circuit
    if now < circuit.open_until:
        return None
    return replace(circuit, open_until=now + TRIAL)
