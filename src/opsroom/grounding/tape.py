"""What was said in one turn, in order, indexed so that grounding a value is a few look-ups.

Adding a piece costs what reading it costs; nothing is read again when the next one comes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from opsroom.contracts.model import ContractSpec, Trust

from .asking import Asked, Doing, addresses_agent, asked, is_assent
from .dates import dates
from .model import Piece, Voice
from .plan import Plan, leaves, plan
from .shapes import Shape, Thing, things, whole
from .structure import Leaf, read
from .words import normal, parts, telling, tokens

_DAY = re.compile(r"(?:19|20)\d\d-\d\d?-\d\d?")
_SENTENCE = re.compile(r"[.!?](?:\s|$)|\n\s*\n")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: the piece, the record in it, the field of that."""

    reading: int
    record: int
    field: str


@dataclass(slots=True)
class Heard:
    """What the user (or the deployer) said."""

    text: str = " . "  # words between single blanks, to look phrases up in
    things: set[str] = field(default_factory=set[str])
    stems: set[str] = field(default_factory=set[str])
    asks: Asked = field(default_factory=Asked)

    def says(self, phrase: str) -> bool:
        return f" {phrase} " in self.text

    def hear(self, text: str) -> None:
        clean = normal(text)
        self.text += " ".join(tokens(clean)) + " . "
        self.things.update(one.key for one in things(clean))
        self.stems |= stems_of(clean)
        self.asks |= asked(clean)


@dataclass(slots=True)
class Reading:
    """One answer of a tool, as it lies on the tape."""

    tool: str
    structured: bool
    pointed: bool  # asked for with the user's own words
    words: str = " . "  # its prose, to look phrases up in
    stems: dict[int, set[str]] = field(default_factory=dict[int, set[str]])
    written: dict[int, list[Thing]] = field(default_factory=dict[int, list[Thing]])
    labelled: set[str] = field(default_factory=set[str])
    beside: dict[tuple[int, str], set[str]] = field(
        default_factory=dict[tuple[int, str], set[str]]
    )
    _named: tuple[int, frozenset[int]] = (-1, frozenset())

    def named(self, heard: Heard) -> frozenset[int]:
        """The records that the user's words name: for each word, those that fit best."""
        if self._named[0] != len(heard.text):
            self._named = (len(heard.text), _named(self.stems, heard.stems))
        return self._named[1]


class Tape:
    """The tape of one turn. `contracts`, by tool name, say how far a tool's answers go."""

    def __init__(self, contracts: Mapping[str, ContractSpec]) -> None:
        self._contracts = contracts
        self.user = Heard()
        self.deployer = Heard()
        self.readings: list[Reading] = []
        self.names: dict[str, list[Place]] = {}  # short fields
        self.written: dict[str, list[Place]] = {}  # addresses, links, accounts in prose
        self.prose: dict[str, list[int]] = {}  # words in prose
        self.tainted = ""  # the first tool whose answer anybody may have written in
        self.addressed = ""  # the first tool whose answer speaks to the agent
        self.planted: set[str] = set()  # what only calls of the agent brought into the records
        self._plans: dict[str, tuple[ContractSpec, Plan]] = {}
        self._doings: tuple[Doing, ...] | None = None
        self._said = ""

    def add(self, piece: Piece) -> None:
        """Put the next piece on the tape."""
        match piece.voice:
            case Voice.USER:
                if self._said and is_assent(piece.text):
                    self.user.hear(self._said)  # the user said yes to these words
                self.user.hear(piece.text)
                self._said = ""
            case Voice.SYSTEM:
                self.deployer.hear(piece.text)
            case Voice.MODEL:
                self._said = piece.text
            case Voice.TOOL:
                self._read(piece)

    def plan(self, spec: ContractSpec) -> Plan:
        """What of a contract matters here; worked out once."""
        known = self._plans.get(spec.tool)
        if known is None or known[0] is not spec:
            known = self._plans[spec.tool] = (spec, plan(spec))
        return known[1]

    def all_doings(self) -> tuple[Doing, ...]:
        """What the agent's tools do."""
        if self._doings is None:
            self._doings = tuple(self.plan(one).does for one in self._contracts.values())
        return self._doings

    def _read(self, piece: Piece) -> None:
        """An answer. What a call brought along itself proves nothing when it comes back."""
        spec = self._contracts.get(piece.tool)
        trust = spec.returns if spec is not None else Trust.UNTRUSTED
        given = [(value, key_of(value)) for _, value in leaves(piece.arguments)]
        echoes = {key for _, key in given if not self.knows(key)}
        if spec is not None and not self.plan(spec).reads:
            self.planted |= echoes
        answer = read(piece.text)
        number = len(self.readings)
        pointed = bool(given) and all(self._pointed(value, key) for value, key in given)
        reading = Reading(piece.tool, answer.structured, pointed)
        self.readings.append(reading)
        for leaf in answer.leaves:
            if trust is Trust.RECORD or (leaf.name and trust is Trust.MIXED):
                self._name(number, reading, leaf, echoes)
            if trust is Trust.UNTRUSTED or (not leaf.name and trust is not Trust.RECORD):
                self._prose(number, reading, leaf)
        if trust is not Trust.RECORD and (answer.free or trust is Trust.UNTRUSTED):
            self.tainted = self.tainted or piece.tool
            if not self.addressed and addresses_agent(reading.words):
                self.addressed = piece.tool

    def knows(self, key: str) -> bool:
        """Whether the user said it or a record holds it."""
        return key in self.user.things or key in self.names or self.user.says(key)

    def _pointed(self, value: str, key: str) -> bool:
        if self.knows(key) and key not in self.planted:
            return True
        said = stems_of(normal(value))
        return bool(said) and said <= self.user.stems

    def _name(self, number: int, reading: Reading, leaf: Leaf, echoes: set[str]) -> None:
        key = key_of(leaf.text)
        reading.stems.setdefault(leaf.record, set()).update(stems_of(leaf.text))
        keys = {key}
        if not leaf.name:  # a record whose every field is the owner's own
            keys |= {one.key for one in things(leaf.text)}
        for one in keys - echoes - self.planted:
            self.names.setdefault(one, []).append(Place(number, leaf.record, leaf.field))

    def _prose(self, number: int, reading: Reading, leaf: Leaf) -> None:
        words = tokens(leaf.text)
        reading.words += " ".join(words) + " . "
        for word in set(words):
            self.prose.setdefault(word, []).append(number)
        found = list(things(leaf.text))
        if not found:
            return
        reading.written.setdefault(leaf.record, []).extend(found)
        for one in set(found):
            self.written.setdefault(one.key, []).append(Place(number, leaf.record, leaf.field))
        for line in leaf.text.splitlines():
            _, colon, value = line.partition(":")
            if colon and (alone := whole(value)) is not None:
                reading.labelled.add(alone.key)
        for sentence in _SENTENCE.split(leaf.text):
            for one in things(sentence):
                words = parts(sentence.replace(one.key, " "))
                reading.beside.setdefault((leaf.record, one.key), set()).update(telling(words))

    def quoted(self, phrase: str) -> Iterator[int]:
        """The answers in whose prose `phrase` stands."""
        words = phrase.split()
        lists = [self.prose.get(one, ()) for one in words]
        for number in min(lists, key=len, default=()):
            if f" {phrase} " in self.readings[number].words:
                yield number


def key_of(text: str) -> str:
    """The one spelling under which a value is looked up."""
    clean = normal(text).strip()
    thing = whole(clean)
    return thing.key if thing is not None else " ".join(tokens(clean))


def stems_of(text: str) -> set[str]:
    """What normal text names: telling words, numbers, days."""
    for thing in (
        things(text) if "@" in text else ()
    ):  # of an address, only the part before the @ names somebody
        if thing.shape is Shape.EMAIL:
            text = text.replace(thing.key, thing.key.partition("@")[0])
    numbers = {
        one
        for one in tokens(text)
        if len(one) > 1 and any(map(str.isdigit, one)) and not _DAY.match(one)
    }
    return {*telling(one for one in parts(text) if one.isalpha()), *numbers, *dates(text)}


def _named(records: Mapping[int, Iterable[str]], said: set[str]) -> frozenset[int]:
    hits = {number: said.intersection(stems) for number, stems in records.items()}
    named: set[int] = set()
    for word in set().union(*hits.values()) if hits else ():
        holders = [number for number, found in hits.items() if word in found]
        if len(holders) == len(records) > 1:
            continue  # what all have tells none apart
        best = max(len(hits[number]) for number in holders)
        named.update(number for number in holders if len(hits[number]) == best)
    return frozenset(named)
