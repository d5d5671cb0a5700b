"""Taking something out inside a transaction, and counting it there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar, cast

from opsroom.kit.db import Tx
from opsroom.kit.redaction import Counted, Redactor, credentials_out, secrets_out
from opsroom.kit.texts import changed

from . import store

T = TypeVar("T")
PLAIN = (str, dict, list)


@contextmanager
def cleaning(tx: Tx, redactor: Redactor, door: str) -> Iterator[Callable[[str], str]]:
    """Cleans texts, and counts what was taken out with the transaction."""
    counted = Counted(redactor)
    yield counted.clean
    _count(tx, tx.project, door, counted.counts)


def without_credentials(tx: Tx, told: T, door: str) -> T:
    """`told` without credentials in its texts, whatever it is; a dataclass keeps its type.

    For records of work, which keep personal data where it is what the work is about.
    """
    with cleaning(tx, credentials_out(), door) as clean:
        if is_dataclass(told) and not isinstance(told, type):
            values = {one.name: getattr(told, one.name) for one in fields(told) if one.init}
            texts = {name: value for name, value in values.items() if type(value) in PLAIN}
            return cast("T", replace(told, **changed(texts, clean)))
        return cast("T", changed(told, clean))


def secrets_off_the_record(tx: Tx) -> None:
    """Take secrets out of what a transaction puts on record: somebody's reason may hold one,
    and no entry of the journal is ever changed again.
    """
    for place, event in enumerate(tx.events):
        counted = Counted(secrets_out())
        facts = changed(event.facts, counted.clean, keys=True)
        subject = counted.clean(event.subject)
        if counted.counts:
            tx.events[place] = replace(event, facts=facts, subject=subject)
            _count(tx, event.actor.project, "journal", counted.counts)


def write_counts(tx: Tx) -> None:
    """Write down what was counted in a transaction, when nothing but the journal is left to do:
    nobody waits long for a row of counts, and nobody who has one waits for anything else.
    """
    store.add(tx, tx.redacted)


def _count(tx: Tx, project: str, door: str, counts: Mapping[str, int]) -> None:
    for rule, count in counts.items():
        tx.redacted[project, door, rule] += count
