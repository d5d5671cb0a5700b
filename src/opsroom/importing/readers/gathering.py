"""What an export comes to, gathered record by record: names once, equal cases once, and what is
left out, counted by reason.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from opsroom.datasets import Item
from opsroom.datasets.model import DEFAULT_SPLIT
from opsroom.importing.model import Bundle, LeftOut, NewDataset, NewRecording, NewVersion
from opsroom.kit.canonical import NotCanonical
from opsroom.kit.texts import as_name
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft
from opsroom.registry.model import LATEST, PRODUCTION

from .lines import Line, source_file

TWICE = "the same input and expected output stand there twice"


class Gathering:
    """A bundle that grows."""

    def __init__(self, format_: str) -> None:
        self.format = format_
        self._given: dict[tuple[str, str], str] = {}
        self._artifacts: dict[tuple[str, str], ArtifactDraft] = {}
        self._versions: dict[tuple[str, str, str | None], NewVersion] = {}
        self._items: dict[str, dict[str, Item]] = {}
        self._ids: dict[str, set[str]] = {}
        self._evaluators: dict[str, dict[str, None]] = {}
        self._recordings: dict[tuple[str, str, str, int], NewRecording] = {}
        self._counted: Counter[str] = Counter()
        self._left_out: Counter[tuple[str, str]] = Counter()

    def leave_out(self, what: str, why: str) -> None:
        """Count something that does not come in."""
        self._left_out[what, why] += 1

    def name(self, kind: str, given: str, at: Line) -> str:
        """What `given` is called here. Raises `BadImport` where two would be called the same."""
        ours = as_name(given)
        if not ours:
            raise at.wrong(
                f"the name {given[:100]!r} has no letter or digit that names have here"
            )
        before = self._given.setdefault((kind, ours), given)
        if before != given:
            raise at.wrong(f"{before[:100]!r} and {given[:100]!r} would both be {ours!r} here")
        return ours

    def artifact(self, kind: str, name: str, **rest: Any) -> None:
        draft = ArtifactDraft(
            kind=kind, name=name, criticality=Criticality.ADVISORY, tags=(self.format,), **rest
        )
        self._artifacts.setdefault((kind, name), draft)

    def version(self, kind: str, name: str, draft: VersionDraft) -> None:
        """A version of something. What has a source that is there already counts once."""
        self.artifact(kind, name)
        made = NewVersion(kind=kind, name=name, draft=draft)
        there = self._versions.setdefault((kind, name, draft.source), made)
        if there.draft.spec != draft.spec:
            self.leave_out("version", f"{draft.source} stands there twice; the first is taken")

    def numbered(self, name: str, given: str, number: int, draft: VersionDraft) -> None:
        """A version of a prompt that has a number where it comes from, lowest first."""
        self.version("prompt", name, draft)
        self._counted[name] += 1
        if self._counted[name] != number:
            self.leave_out("number", f"versions of {given[:100]} are counted anew here")

    def labels(self, given: list[Any]) -> tuple[str, ...]:
        """Labels for a version; which one runs in production is for a proposal to say."""
        found: list[str] = []
        for one in given:
            label = as_name(str(one))
            if label == PRODUCTION:
                self.leave_out(
                    "label", "production moves by a proposal: opsroom prompt propose"
                )
            elif not label[:1].isalpha():
                self.leave_out("label", "labels begin with a letter here")
            elif label != LATEST and label not in found:
                found.append(label)
        return tuple(found)

    def item(self, dataset: str, at: Line, **fields: Any) -> None:
        """A case of a dataset, with the fields of `case`; an equal one is left out."""
        _, new = self.case(dataset, at, **fields)
        if not new:
            self.leave_out("item", TWICE)

    def case(
        self,
        dataset: str,
        at: Line,
        *,
        asked: Any,
        expected: Any = None,
        given_id: Any = None,
        split: str = DEFAULT_SPLIT,
        metadata: dict[str, Any] | None = None,
    ) -> tuple[str, bool]:
        """The hash of a case's content, and whether it is new; an equal one counts once."""
        if asked is None:
            raise at.wrong("the input is missing")
        item = Item(id="", input=asked, expected=expected, split=split, metadata=metadata or {})
        try:
            content = item.hash
        except NotCanonical as error:
            raise at.wrong(str(error)) from error
        items = self._items.setdefault(dataset, {})
        if content in items:
            return content, False
        items[content] = replace(item, id=self._free_id(dataset, given_id, content))
        return content, True

    def _free_id(self, dataset: str, given: Any, content: str) -> str:
        """An id that names one item: theirs where it can be, or else of the content."""
        used = self._ids.setdefault(dataset, set())
        text = " ".join(str(given).split()) if given is not None else ""
        usable = text.isprintable() and 0 < len(text) <= 200 and text not in used
        chosen = text if usable else content[:32]
        used.add(chosen)
        return chosen

    def judged_by(self, dataset: str, evaluator: str) -> None:
        self._evaluators.setdefault(dataset, {})[evaluator] = None

    def recording(self, one: NewRecording) -> None:
        """What a version answered; of two answers to the same trial the first counts."""
        key = (one.source, one.name, one.item, one.trial)
        if key in self._recordings:
            self.leave_out("answer", "an earlier one by the same model has this case and epoch")
        else:
            self._recordings[key] = one

    def bundle(self, files: list[Path]) -> Bundle:
        return Bundle(
            format=self.format,
            files=tuple(source_file(file) for file in files),
            artifacts=tuple(self._artifacts.values()),
            versions=tuple(self._versions.values()),
            datasets=tuple(
                NewDataset(
                    name=name,
                    items=tuple(items.values()),
                    description=f"imported from {self.format}",
                    evaluators=tuple(self._evaluators.get(name, {})),
                )
                for name, items in self._items.items()
            ),
            recordings=tuple(self._recordings.values()),
            left_out=tuple(
                LeftOut(what=what, count=count, why=why)
                for (what, why), count in self._left_out.items()
            ),
        )
