"""Whatever is done to the journal, verifying it notices."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.journal import BadHead, ChainBroken, Entry, Head, link, verify
from opsroom.journal.model import GENESIS, read, read_head
from opsroom.kit.canonical import NotCanonical, canonical

Row = tuple[int, str, str]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def entry(seq: int, **other: object) -> Entry:
    fields: dict[str, object] = {
        "seq": seq,
        "id": f"evt_{seq}",
        "at": NOW,
        "project": "default",
        "actor": "ada",
        "event": "label.moved",
        "subject": "prompt/a",
        "facts": {"seq": seq + 1, "subject": f',"seq":{seq + 1},"subject":"', "n": [1.5, None]},
    }
    return Entry(**{**fields, **other})  # type: ignore[arg-type]  # whatever the test wants


def chain_of(*entries: Entry) -> list[Row]:
    return relink([one.record() for one in entries])


def relink(records: list[str]) -> list[Row]:
    rows, last = list[Row](), GENESIS
    for seq, record in enumerate(records, start=1):
        last = link(last, record)
        rows.append((seq, record, last))
    return rows


CHAIN = chain_of(*(entry(seq) for seq in range(1, 21)))
HEAD = Head(seq=20, hash=CHAIN[-1][2])


def edit_a_character(rows: list[Row], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    seq, record, hash_ = rows[at]
    place = rng.randrange(len(record))
    other = rng.choice([c for c in '09azAZ "{},' if c != record[place]])
    rows[at] = (seq, record[:place] + other + record[place + 1 :], hash_)


def edit_a_field(rows: list[Row], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    seq, record, hash_ = rows[at]
    data = json.loads(record)
    data[rng.choice(sorted(data))] = rng.choice(["", "eve", -7, None, {"to": 9}])
    rows[at] = (seq, canonical(data).decode(), hash_)


def rewrite_an_entry_with_its_hash(rows: list[Row], rng: random.Random) -> None:
    at = rng.randrange(len(rows) - 1)
    record = rows[at][1].replace("ada", "eve")
    rows[at] = (rows[at][0], record, link(rows[at - 1][2] if at else GENESIS, record))


def edit_a_hash(rows: list[Row], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    seq, record, hash_ = rows[at]
    place = rng.randrange(64)
    rows[at] = (
        seq,
        record,
        f"{hash_[:place]}{'0' if hash_[place] != '0' else '1'}{hash_[place + 1 :]}",
    )


def renumber(rows: list[Row], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    rows[at] = (rows[at][0] + rng.choice([-1, 1, 100]), *rows[at][1:])


def drop(rows: list[Row], rng: random.Random) -> None:
    del rows[rng.randrange(len(rows) - 1)]


def drop_and_close_the_gap(rows: list[Row], rng: random.Random) -> None:
    drop(rows, rng)
    rows[:] = relink([record for _, record, _ in rows])


def insert(rows: list[Row], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    rows.insert(at, rows[rng.randrange(len(rows))])


def insert_and_link(rows: list[Row], rng: random.Random) -> None:
    insert(rows, rng)
    rows[:] = relink([record for _, record, _ in rows])


def swap(rows: list[Row], rng: random.Random) -> None:
    one, other = rng.sample(range(len(rows)), 2)
    rows[one], rows[other] = rows[other], rows[one]


def swap_contents(rows: list[Row], rng: random.Random) -> None:
    one, other = rng.sample(range(len(rows)), 2)
    (s1, r1, h1), (s2, r2, h2) = rows[one], rows[other]
    rows[one], rows[other] = (s1, r2, h2), (s2, r1, h1)


def truncate(rows: list[Row], rng: random.Random) -> None:
    del rows[rng.randrange(len(rows)) :]


def rewrite_history(rows: list[Row], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    records = [record for _, record, _ in rows]
    records[at] = records[at].replace("ada", "eve")
    rows[:] = relink(records)


Mutation = Callable[[list[Row], random.Random], None]
SEEN_ALONE: list[Mutation] = [
    edit_a_character,
    edit_a_field,
    rewrite_an_entry_with_its_hash,
    edit_a_hash,
    renumber,
    drop,
    drop_and_close_the_gap,
    insert,
    insert_and_link,
    swap,
    swap_contents,
]
SEEN_AGAINST_AN_OLDER_HEAD: list[Mutation] = [truncate, rewrite_history]


def test_an_untouched_chain_verifies_and_gives_its_head() -> None:
    assert verify(CHAIN) == HEAD
    assert verify(CHAIN, older=HEAD) == HEAD
    assert verify(CHAIN, older=Head(seq=7, hash=CHAIN[6][2])) == HEAD
    assert verify(CHAIN, older=Head()) == HEAD
    assert verify([]) == Head()


@pytest.mark.parametrize("mutation", [*SEEN_ALONE, *SEEN_AGAINST_AN_OLDER_HEAD])
def test_every_mutation_is_found(mutation: Mutation) -> None:
    _mutate(mutation, times=40)


@pytest.mark.slow
def test_ten_thousand_mutations_are_found() -> None:
    kinds = [*SEEN_ALONE, *SEEN_AGAINST_AN_OLDER_HEAD]
    for mutation in kinds:
        _mutate(mutation, times=-(-10_000 // len(kinds)))


def _mutate(mutation: Mutation, *, times: int) -> None:
    for seed in range(times):
        rows = CHAIN.copy()
        mutation(rows, random.Random(seed))
        older = HEAD if mutation in SEEN_AGAINST_AN_OLDER_HEAD else None
        with pytest.raises(ChainBroken):
            verify(rows, older=older)


def test_the_first_broken_entry_is_named() -> None:
    rows = CHAIN.copy()
    rows[6] = (7, rows[6][1].replace("ada", "eve"), rows[6][2])
    with pytest.raises(ChainBroken, match="at entry 7: its hash") as found:
        verify(rows)
    assert found.value.seq == 7


def test_a_record_cannot_borrow_its_number_from_its_facts() -> None:
    forged = chain_of(entry(1))[0][1].replace(
        ',"seq":1,"subject":"prompt', ',"seq":2,"subject":"prompt'
    )
    assert '"seq":2' in forged
    with pytest.raises(ChainBroken, match="carries another number"):
        verify(relink([forged]))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
FACTS = st.dictionaries(
    TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(subject=TEXT, actor=TEXT, event=TEXT, facts=FACTS)
def test_every_field_survives_and_is_covered(
    subject: str, actor: str, event: str, facts: dict[str, object]
) -> None:
    made = entry(1, subject=subject, actor=actor, event=event, facts=facts)
    assert read(made.record()) == made
    assert verify(chain_of(made)).seq == 1
    for changed in (
        entry(1, subject=subject + "x", actor=actor, event=event, facts=facts),
        entry(1, subject=subject, actor=actor + "x", event=event, facts=facts),
        entry(1, subject=subject, actor=actor, event=event + "x", facts=facts),
        entry(1, subject=subject, actor=actor, event=event, facts={**facts, "more": 1}),
    ):
        assert changed.record() != made.record()


@pytest.mark.parametrize("text", ["a\0b", "\0", "\\\0", '"\0', "\\\\\0"])
def test_nul_is_refused(text: str) -> None:
    with pytest.raises(NotCanonical):
        entry(1, facts={"reason": text}).record()


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "u0000", '\\"u0000'])
def test_what_only_looks_like_nul_is_kept(text: str) -> None:
    assert read(entry(1, facts={"reason": text}).record()).facts == {"reason": text}


def test_heads_are_written_and_read_back() -> None:
    assert read_head(str(HEAD)) == HEAD
    assert read_head(f" {HEAD}\n") == HEAD
    assert read_head(str(Head())) == Head()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        f"-1:{GENESIS}",
        f"x:{'a' * 64}",
        f"0:{'a' * 64}",
        f"٣:{'a' * 64}",
        "3:abc",
        f"3:{'g' * 64}",
        f"{'9' * 5000}:{'a' * 64}",
    ],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(BadHead):
        read_head(text)
