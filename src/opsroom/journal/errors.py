from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Failed, Invalid, NotFound


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


@dataclass(eq=False)
class BadSigningKey(Failed):
    code = "bad_signing_key"
    text = "{0.file!r} is no key that checkpoints can be signed with"
    hint = "put the file back as it was, or make another with `opsroom audit new-key`"
    file: str


@dataclass(eq=False)
class BadCheckpoint(Failed):
    code = "bad_checkpoint"
    text = "the checkpoint in {0.where!r} is not to be trusted: {0.why}"
    hint = (
        "compare it with a copy that was kept elsewhere, and the key with `opsroom audit key`"
    )
    where: str
    why: str


@dataclass(eq=False)
class KeyElsewhere(Conflict):
    code = "key_elsewhere"
    text = "this process does not hold the key that signs this journal ({0.key})"
    hint = "ask the process that has it, or make another with `opsroom audit new-key`"
    key: str


@dataclass(eq=False)
class NoCheckpoint(NotFound):
    code = "no_checkpoint"
    text = "no checkpoint stands for {0.seq} entries yet"
    hint = "make one with `opsroom audit checkpoint`; one is made every minute by itself"
    seq: int


@dataclass(eq=False)
class NoEntry(NotFound):
    code = "no_entry"
    text = "the journal of this project has no entry {0.seq}"
    hint = "`opsroom audit tail` shows the newest ones"
    seq: int
