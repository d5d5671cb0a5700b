"""Which prompts agents cite: by themselves, and through what those include."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from opsroom.kit.db import Tx
from opsroom.registry import Ref, Version, listing
from opsroom.registry import queries as registry
from opsroom.registry.errors import ArtifactNotFound, BadReference, VersionNotFound
from opsroom.registry.listing import Row
from opsroom.registry.model import PRODUCTION

MOST = 2_000  # agents or prompts that are looked at
_PAGE = 200


def every(tx: Tx, kind: str, *, most: int = MOST) -> Iterator[Row]:
    """The artifacts of a kind by name, at most so many."""
    after, left = "", most
    while left > 0 and (page := listing.rows(tx, kind, after=after, limit=min(_PAGE, left))):
        yield from page
        after, left = page[-1].artifact.name, left - len(page)


@dataclass(slots=True)
class Citing:
    """What versions cite, each read once in this transaction."""

    tx: Tx
    _found: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def prompts(self, reference: str) -> frozenset[str]:
        """The prompt versions (`prompt/name@3`) that a version of an agent or prompt rests on; a
        prompt rests on itself. Nothing for what is not there (any more).
        """
        if reference not in self._found:
            self._found[reference] = frozenset()  # against what cites itself
            self._found[reference] = self._read(reference)
        return self._found[reference]

    def _read(self, reference: str) -> frozenset[str]:
        version = self.version(reference)
        if version is None or version.kind not in {"agent", "prompt"}:
            return frozenset()
        inner = version.spec.get("prompts" if version.kind == "agent" else "includes") or {}
        cited = {str(Ref.parse(one, kind="prompt")) for one in inner.values()}
        found = {one for each in cited for one in self.prompts(each)}
        return frozenset(found | ({version.ref} if version.kind == "prompt" else set()))

    def version(self, reference: str) -> Version | None:
        """The version that a reference names, or None where it leads nowhere."""
        try:
            return registry.version(self.tx, Ref.parse(reference))
        except (ArtifactNotFound, VersionNotFound, BadReference):
            return None


def serving(tx: Tx) -> Iterator[Version]:
    """The agents in production, each as production has it."""
    for row in every(tx, "agent"):
        if PRODUCTION in row.labels:
            yield registry.version(tx, Ref("agent", row.artifact.name, PRODUCTION))
