from dataclasses import dataclass

from opsroom.kit.errors import Failed, Invalid


@dataclass(eq=False)
class ChainBroken(Failed):
    code = "chain_broken"
    text = "the journal does not verify at entry {0.seq}: {0.why}"
    hint = "keep a copy of the database as it is, and compare it with the last good backup"
    seq: int
    why: str


@dataclass(eq=False)
class BadExport(Invalid):
    code = "bad_export"
    text = "line {0.line} of {0.file!r} is no journal entry"
    hint = "give a file that `opsroom audit export` wrote, or an opsroom.db"
    file: str
    line: int


@dataclass(eq=False)
class BadHead(Invalid):
    code = "bad_head"
    text = "{0.head!r} is no head of a journal"
    hint = "write it as `opsroom audit head` prints it: number:hash"
    head: str


@dataclass(eq=False)
class NoJournal(Invalid):
    code = "no_journal"
    text = "{0.file!r} holds no journal that can be read: {0.why}"
    hint = "give a file that `opsroom audit export` wrote, or an opsroom.db"
    file: str
    why: str
