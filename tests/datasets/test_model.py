"""What a version of a dataset cites, and what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.datasets import (
    BadItem,
    ContentInTwoSplits,
    DatasetSpec,
    DuplicateContent,
    DuplicateItem,
    EmptyDataset,
    Item,
    ItemRef,
    Lineage,
    NoSuchSplit,
    dataset_spec,
    distinct,
)
from opsroom.kit.canonical import digest
from opsroom.kit.wire import adapter, plain

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


def item(name: str = "a", *, asks: str = "2 + 2?", split: str = "test") -> Item:
    return Item(id=name, input=asks, expected="4", split=split)


def test_the_hash_names_question_and_answer_only() -> None:
    plain_item = Item(id="a", input={"q": 1, "p": 2}, expected=None)
    labelled = Item(
        id="b", input={"p": 2, "q": 1}, split="train", tags=("hard",), metadata={"by": "Ada"}
    )
    assert plain_item.hash == labelled.hash
    assert plain_item.hash == digest({"input": {"q": 1, "p": 2}, "expected": None})
    assert Item(id="a", input={"q": 1, "p": 2}, expected="4").hash != plain_item.hash


@given(one=json_values, other=json_values)
def test_hashes_are_equal_exactly_where_contents_are(one: object, other: object) -> None:
    first, second = (Item(id="a", input=value) for value in (one, other))  # type: ignore[arg-type]
    assert (first.hash == second.hash) == (digest(one) == digest(other))


def test_a_version_covers_its_contents_in_order() -> None:
    items = [item("a", asks="1"), item("b", asks="2")]
    spec = dataset_spec(items, description="sums", lineage=Lineage(source="sums.jsonl"))
    assert [ref.id for ref in spec.items] == ["a", "b"]
    changed = dataset_spec([items[0], item("b", asks="3")], description="sums")
    turned = dataset_spec(items[::-1], description="sums", lineage=spec.lineage)
    assert len({digest(plain(one)) for one in (spec, changed, turned)}) == 3
    assert adapter(DatasetSpec).validate_python(plain(spec)) == spec


def test_splits_are_counted_and_chosen() -> None:
    spec = dataset_spec(
        [
            item("a", asks="1", split="train"),
            item("b", asks="2"),
            item("c", asks="3", split="train"),
        ]
    )
    assert spec.splits == {"train": 2, "test": 1}
    assert [ref.id for ref in spec.only("train")] == ["a", "c"]
    with pytest.raises(NoSuchSplit, match="it has 'train', 'test'"):
        spec.only("validation")


def test_one_id_is_one_item() -> None:
    with pytest.raises(DuplicateItem, match="'a'"):
        dataset_spec([item("a", asks="1"), item("a", asks="2")])


def test_the_same_question_twice_is_not_two_pieces_of_evidence() -> None:
    with pytest.raises(DuplicateContent) as raised:
        dataset_spec([item("a"), item("b")])
    assert raised.value.facts == {"first": "a", "second": "b"}


def test_nothing_is_both_example_and_test() -> None:
    with pytest.raises(ContentInTwoSplits, match="split 'train'"):
        dataset_spec([item("a", split="train"), item("b")])


def test_an_empty_dataset_is_none() -> None:
    with pytest.raises(EmptyDataset):
        dataset_spec([])


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (item(""), "printable"),
        (item("a\nb"), "printable"),
        (item(" a"), "printable"),
        (item("x" * 201), "200"),
        (item("a", split="Test set"), "split 'Test set'"),
        (Item(id="a", input=float("nan")), "canonical"),
        (Item(id="a", input=2**60), "canonical"),
        (Item(id="a", input="\ud800"), "canonical"),
    ],
)
def test_what_cannot_be_stored_or_compared_is_refused(bad: Item, why: str) -> None:
    with pytest.raises(BadItem, match=why):
        dataset_spec([bad])


def test_importers_can_leave_repetitions_out_and_say_so() -> None:
    kept, repeated = distinct([item("a"), item("b", asks="3 + 3?"), item("c")])
    assert [one.id for one in kept] == ["a", "b"]
    assert [one.id for one in repeated] == ["c"]
    assert dataset_spec(kept).items[0] == ItemRef(id="a", hash=item().hash)
