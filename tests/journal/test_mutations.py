"""Whatever somebody does to an exported journal, its checkpoint or its key, a stranger notices:
also where they put the numbers, the chain and the closing line right again afterwards.
"""

import base64
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO

import pytest
from tests.conftest import START

from opsroom.journal import ChainBroken, files, keys, link
from opsroom.journal import verify_journal as stranger
from opsroom.journal.errors import BadExport
from opsroom.journal.keys import SigningKey
from opsroom.journal.model import GENESIS, Entry, verify
from opsroom.journal.tree import held

KEY = SigningKey("opsroom/journal-1", bytes(range(32)))
THIEF = SigningKey(KEY.name, bytes(range(1, 33)))


@dataclass(frozen=True, slots=True)
class Case:
    """What a stranger is given."""

    records: tuple[str, ...]
    note: str
    key: str
    lines: tuple[bytes, ...] = ()

    def handed_over(self) -> tuple[bytes, ...]:
        return self.lines or chained(self.records)


def chained(records: tuple[str, ...]) -> tuple[bytes, ...]:
    """The lines of an export of these records, with every hash as it has to be."""
    last, rows = GENESIS, list[files.Row]()
    for seq, record in enumerate(records, start=1):
        last = link(last, record)
        rows.append((seq, record, last))
    return tuple(line.encode() for line in files.lines(rows))


def numbered(records: list[str]) -> tuple[str, ...]:
    """The records with the numbers of their places."""
    found: list[str] = []
    for seq, record in enumerate(records, start=1):
        before, _, rest = record.rpartition(',"seq":')
        found.append(f'{before},"seq":{seq},{rest.partition(",")[2]}')
    return tuple(found)


def journal(rng: random.Random) -> Case:
    count = rng.choice([1, 2, 3, 7, 8, 9, 40, 255, 256, 257])
    records = tuple(record(rng, seq) for seq in range(1, count + 1))
    return Case(records, KEY.sign(count, root(records)), str(KEY.public))


def record(rng: random.Random, seq: int) -> str:
    return Entry(
        seq=seq,
        id=f"evt_{seq}",
        at=START,
        project="default",
        actor=rng.choice(["ada", "bob"]),
        event="label.moved",
        subject='prompt/"ä",\n,"seq":7,"subject":"x',
        facts={"number": rng.randrange(10**6), "seq": seq},
    ).record()


def root(records: tuple[str, ...]) -> bytes:
    return stranger.root_of([stranger.leaf_hash(one.encode()) for one in records])


def holds(case: Case) -> None:
    checkpoint = stranger.read_checkpoint(case.note, stranger.read_key(case.key))
    assert stranger.check_journal(case.handed_over(), checkpoint) == len(case.records)


def not_held(case: Case) -> bool:
    try:
        holds(case)
    except stranger.Broken:
        return True
    return False


# -- what somebody does --


def edit_a_byte(case: Case, rng: random.Random) -> Case:
    data = bytearray(b"".join(case.handed_over()))
    data[rng.randrange(len(data) - 1)] ^= 1 << rng.randrange(8)
    return replace(case, lines=tuple(BytesIO(data).readlines()))


def edit_a_record(case: Case, rng: random.Random) -> Case:
    at = rng.randrange(len(case.records))
    other = record(rng, at + 1).replace("label.moved", "label.stays")
    return replace(case, records=(*case.records[:at], other, *case.records[at + 1 :]))


def drop(case: Case, rng: random.Random) -> Case:
    at = rng.randrange(len(case.records))
    return replace(case, records=numbered([*case.records[:at], *case.records[at + 1 :]]))


def drop_a_line(case: Case, rng: random.Random) -> Case:
    lines = list(case.handed_over())
    del lines[rng.randrange(len(lines))]
    return replace(case, lines=tuple(lines))


def insert(case: Case, rng: random.Random) -> Case:
    at = rng.randrange(len(case.records))
    records = [*case.records[:at], record(rng, 1), *case.records[at:]]
    return replace(case, records=numbered(records))


def insert_a_line(case: Case, rng: random.Random) -> Case:
    lines = list(case.handed_over())
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    return replace(case, lines=tuple(lines))


def reorder(case: Case, rng: random.Random) -> Case:
    if len(case.records) == 1:
        return edit_a_record(case, rng)
    records = list(case.records)
    one, other = rng.sample(range(len(records)), 2)
    records[one], records[other] = records[other], records[one]
    return replace(case, records=numbered(records))


def truncate(case: Case, rng: random.Random) -> Case:
    return replace(case, records=case.records[: rng.randrange(len(case.records))])


def truncate_bytes(case: Case, rng: random.Random) -> Case:
    data = b"".join(case.handed_over())
    cut = data[: rng.randrange(len(data) - 1)]
    return replace(case, lines=tuple(BytesIO(cut).readlines()) or (b"",))


def sign_with_another_key(case: Case, rng: random.Random) -> Case:
    changed = edit_a_record(case, rng)
    return replace(changed, note=THIEF.sign(len(changed.records), root(changed.records)))


def pass_for_the_key(case: Case, rng: random.Random) -> Case:
    """Signed by a thief, under the id of the real key."""
    changed = sign_with_another_key(case, rng)
    text, _, signature = changed.note.rpartition("— ")
    raw = KEY.public.id + base64.b64decode(signature.split(" ")[1])[4:]
    name, data = KEY.name, base64.b64encode(raw).decode()
    return replace(changed, note=f"{text}— {name} {data}\n")


def give_another_key(case: Case, rng: random.Random) -> Case:
    return replace(case, key=str(THIEF.public))


def edit_the_note(case: Case, rng: random.Random) -> Case:
    data = bytearray(case.note.encode())
    while True:
        at = rng.randrange(len(data))
        data[at] = (data[at] + rng.randrange(1, 256)) % 256
        changed = bytes(data).decode("utf-8", "replace")
        if changed != case.note:
            return replace(case, note=changed)


def edit_the_key(case: Case, rng: random.Random) -> Case:
    at = rng.randrange(len(case.key))
    other = rng.choice([one for one in "abcXYZ019+/=" if one != case.key[at]])
    return replace(case, key=case.key[:at] + other + case.key[at + 1 :])


Mutation = Callable[[Case, random.Random], Case]
TO_THE_JOURNAL: tuple[Mutation, ...] = (
    edit_a_byte, edit_a_record, drop, drop_a_line, insert, insert_a_line, reorder, truncate, truncate_bytes,
)  # fmt: skip
TO_WHAT_SIGNS: tuple[Mutation, ...] = (
    sign_with_another_key, pass_for_the_key, give_another_key, edit_the_note, edit_the_key,
)  # fmt: skip


def found(mutations: tuple[Mutation, ...], rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    cases = [journal(rng) for _ in range(20)]
    for case in cases:
        holds(case)
    for number in range(rounds):
        case = rng.choice(cases)
        mutation = mutations[number % len(mutations)]
        changed = mutation(case, rng)
        assert not_held(changed), f"{mutation.__name__} was not noticed in round {number}"
        if mutations is TO_THE_JOURNAL:  # and so does opsroom itself
            checkpoint = stranger.read_checkpoint(case.note, KEY.public)
            with pytest.raises((ChainBroken, BadExport)):
                verify(held(files.parse(changed.handed_over(), "x"), [checkpoint]))


def test_what_is_done_to_a_journal_is_found() -> None:
    found(TO_THE_JOURNAL, 180, 20261128)


def test_what_is_done_to_its_signature_is_found() -> None:
    found(TO_WHAT_SIGNS, 100, 20261128)


@pytest.mark.slow
def test_ten_thousand_changes_are_all_found() -> None:
    found(TO_THE_JOURNAL, 7_000, 6962)
    found(TO_WHAT_SIGNS, 3_000, 6962)


def test_signatures_are_those_of_everybody_else() -> None:
    """Against `cryptography`, both ways, and the edges of RFC 8032."""
    rng = random.Random(8032)
    for length in (0, 1, 31, 64, 500):
        key = SigningKey("x", rng.randbytes(32))
        message = rng.randbytes(length)
        signature = keys._private(key.seed).sign(message)
        public = key.public.public
        assert stranger.signed_by(public, message, signature)
        assert not stranger.signed_by(public, message + b"\0", signature)
        assert not stranger.signed_by(THIEF.public.public, message, signature)
        s = int.from_bytes(signature[32:], "little") + stranger.ORDER
        assert not stranger.signed_by(
            public, message, signature[:32] + s.to_bytes(32, "little")
        )
    # A point that does not lie on the curve, and y that is not below p.
    for wrong in (b"\x02" + bytes(31), b"\xff" * 32, b""):
        assert not stranger.signed_by(wrong, b"", bytes(64))


def test_a_note_as_the_specification_shows_it() -> None:
    """The first test vector of RFC 8032, and a second signature of a stranger beside ours."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    key = SigningKey("example.com/log", seed)
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.public.public.hex() == public
    assert keys._private(seed).sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a")
    note = key.sign(20852163, bytes(32)) + THIEF.sign(1, bytes(32)).partition("\n\n")[2]
    assert stranger.read_checkpoint(note, stranger.read_key(str(key.public))).size == 20852163
    with pytest.raises(stranger.Broken):
        stranger.read_checkpoint(note, THIEF.public)  # it signed something else
