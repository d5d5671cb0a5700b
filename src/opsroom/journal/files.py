"""Chains outside a running opsroom: an export, or a database that nobody serves.

An export has one JSON line for each entry. The canonical record stands in it byte for byte as
it was hashed, so verifying needs no JSON parser. A last line repeats the head, so that a
download that broke off shows.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from .errors import BadExport, ChainBroken, NoJournal
from .model import GENESIS, Head, check_end, verify
from .tree import held
from .verify_journal import Checkpoint

SQLITE = b"SQLite format 3\0"
MAX_LINE = 64 * 2**20
_ENTRY = re.compile(
    r'{"seq":([0-9]{1,18}),"hash":"([0-9a-f]{64})","record":(\{.*\})}\n?', re.ASCII
)
_HEAD = re.compile(r'{"head":{"seq":([0-9]{1,18}),"hash":"([0-9a-f]{64})"}}\n?', re.ASCII)
COLUMNS_THAT_LIE = "SELECT min(seq) FROM journal WHERE " + " OR ".join(  # noqa: S608  # our own names
    f"{name} IS NOT json_extract(record, '$.{name}')"
    for name in ("project", "actor", "event", "subject")
)
Row = tuple[int, str, str]


def lines(chain: Iterable[Row]) -> Iterator[str]:
    """The lines of an export, from the rows of a chain."""
    seq, last = 0, GENESIS
    for seq, record, last in chain:  # the last pair is the head
        yield f'{{"seq":{seq},"hash":"{last}","record":{record}}}\n'
    yield f'{{"head":{{"seq":{seq},"hash":"{last}"}}}}\n'


def parse(lines: Iterable[str | bytes], name: str) -> Iterator[Row]:
    """The rows in the lines of an export; `name` says in errors where the lines are from.

    Raises `BadExport` for a line that is no entry, and `ChainBroken` where the closing line
    is missing or names another head.
    """
    seq, hash_ = 0, GENESIS
    closed = False
    for number, line in enumerate(lines, start=1):
        if closed:
            raise BadExport(name, number)
        text = line if isinstance(line, str) else line.decode("utf-8", "surrogateescape")
        if entry := _ENTRY.fullmatch(text):
            seq, hash_ = int(entry[1]), entry[2]
            yield seq, entry[3], hash_
        elif head := _HEAD.fullmatch(text):
            check_end(Head(seq=seq, hash=hash_), Head(seq=int(head[1]), hash=head[2]))
            closed = True
        else:
            raise BadExport(name, number)
    if not closed:
        raise ChainBroken(seq + 1, "the export ends before the line that closes it")


def verify_file(
    path: Path, *, older: Head | None = None, against: Sequence[Checkpoint] = ()
) -> Head:
    """Verify an export or an SQLite database where it lies, in little memory, and hold it
    against checkpoints.

    Raises `ChainBroken` at the first entry that does not fit, and `BadExport` or `NoJournal`
    for a file that is something else.
    """
    with path.open("rb") as file:
        if file.read(len(SQLITE)) == SQLITE:
            return _verify_database(path, older, against)
        file.seek(0)
        rows = parse(iter(lambda: file.readline(MAX_LINE), b""), str(path))
        return verify(held(rows, against), older=older)


def _verify_database(path: Path, older: Head | None, against: Sequence[Checkpoint]) -> Head:
    from opsroom.kit.db import sqlite_module  # noqa: PLC0415  # an export needs no database

    binding = sqlite_module()
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(binding.connect(address, uri=True)) as connection:
            connection.execute("BEGIN").close()
            chain = connection.execute("SELECT seq, record, hash FROM journal ORDER BY seq")
            with closing(held(chain, against)) as rows:  # it lets go of the cursor while it can
                found = verify(rows, older=older)
            kept = connection.execute("SELECT seq, hash FROM journal_head").fetchone()
            check_end(found, Head(seq=kept[0], hash=kept[1]) if kept else Head())
            (lying,) = connection.execute(COLUMNS_THAT_LIE).fetchone()
            if lying is not None:
                raise ChainBroken(lying, "its columns say something else than its record")
    except binding.DatabaseError as error:
        raise NoJournal(str(path), str(error)) from error
    return found
