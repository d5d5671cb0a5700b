"""Records as they are at this moment: what they are called, a digest of what they say, and that
in a sentence. What is attached to an occasion stays as it was, whatever the record becomes.
"""

from collections.abc import Callable
from typing import Any

from opsroom.alerts import queries as alerts
from opsroom.corrections import queries as corrections
from opsroom.drift import queries as drift
from opsroom.evals import queries as evals
from opsroom.improvement import queries as improvement
from opsroom.journal.vocabulary import ARTIFACTS
from opsroom.kit.canonical import digest
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import plain
from opsroom.registry import Ref, Version
from opsroom.registry import queries as registry
from opsroom.releases import queries as releases

from .errors import NoSuchRecord
from .model import Exhibit

MOST_SAID = 500


def exhibit(
    record: str, content: Any, says: str, *, about: str = "", page: str = ""
) -> Exhibit:
    """A record with the digest of what it says now. `content` is one of our shapes, or JSON."""
    said = says if len(says) <= MOST_SAID else says[: MOST_SAID - 1] + "…"
    return Exhibit(
        record=record, digest=digest(plain(content)), says=said, about=about, page=page
    )


def of_version(version: Version, says: str, *, about: str = "") -> Exhibit:
    """A version, under the digest that everything else cites it by."""
    page = f"{ARTIFACTS[version.kind]}/{version.name}" if version.kind in ARTIFACTS else ""
    return Exhibit(record=version.ref, digest=version.digest, says=says, about=about, page=page)


def find(tx: Tx, record: str, *, says: str = "", about: str = "") -> Exhibit:
    """A record of this project by its name. Raises `NoSuchRecord`."""
    noun, _, name = record.partition("/")
    try:
        if noun in READ:
            content, told, place = READ[noun](tx, name)
            page = f"{place}/{name}"
            return exhibit(record, content, says or told, about=about, page=page)
        version = registry.version(tx, Ref.parse(record))
    except OpsroomError as error:
        raise NoSuchRecord(record[:200]) from error
    return of_version(version, says or version.message or "a version", about=about)


def _run(tx: Tx, name: str) -> tuple[Any, str, str]:
    run = evals.run(tx, name)
    told = f"{run.subject_name} on {run.dataset_name}: {run.state.value}"
    return run, f"{told}, {run.totals.answered} answered", "/evals/runs"


def _release(tx: Tx, name: str) -> tuple[Any, str, str]:
    one = releases.release(tx, name)
    return one, f"{one.kind}/{one.name}@{one.number}: {one.state.value}", "/releases"


def _improvement(tx: Tx, name: str) -> tuple[Any, str, str]:
    one = improvement.improvement(tx, name)
    told = f"{one.plan.method.value} from {one.base} on {one.dataset}: {one.state.value}"
    found = f", proposed {one.version}" if one.version else ""
    return one, told + found, "/improvements"


def _drift(tx: Tx, name: str) -> tuple[Any, str, str]:
    one = drift.drift(tx, name)
    return one, f"{one.agent}: {one.because} ({one.state.value})", "/drift"


def _alert(tx: Tx, name: str) -> tuple[Any, str, str]:
    one = alerts.alert(tx, name)
    return one, f"{one.rule}: {one.because} ({one.state.value})", "/alerts"


def _correction(tx: Tx, name: str) -> tuple[Any, str, str]:
    one = corrections.correction(tx, name)
    return one, f"{one.agent}: a correction, {one.state.value}", "/corrections"


READ: dict[str, Callable[[Tx, str], tuple[Any, str, str]]] = {
    "run": _run,
    "release": _release,
    "improvement": _improvement,
    "drift": _drift,
    "alert": _alert,
    "correction": _correction,
}
