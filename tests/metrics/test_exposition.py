"""Whatever labels say, a scraper reads back what was told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.metrics.parsing import parse

from opsroom.metrics import catalog
from opsroom.metrics.catalog import METRICS
from opsroom.metrics.exposition import Kind, Metric, text

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
tricky = st.one_of(words, st.text('\\"\n,{}=# n', max_size=12))


@given(
    told=st.dictionaries(st.tuples(tricky, tricky), st.floats(), min_size=1, max_size=8),
    said=tricky,
    count=st.integers(0, 2**60),
)
def test_what_is_told_is_read_back(
    told: dict[tuple[str, str], float], said: str, count: int
) -> None:
    gauge = Metric("opsroom_one", said, ("agent", "tool"))
    counter = Metric("opsroom_two_total", "two", kind=Kind.COUNTER)
    samples = [gauge.sample(value, *labels) for labels, value in told.items()]
    # Samples of one metric stand together, however they come.
    found = parse(text([samples[0], counter.sample(count), *samples[1:]]))
    assert (found["opsroom_one"].help, found["opsroom_one"].kind) == (said, "gauge")
    assert found["opsroom_two_total"].kind == "counter"
    assert found["opsroom_two_total"].samples == {(): float(count)}
    read = {tuple(v for _, v in key): v for key, v in found["opsroom_one"].samples.items()}
    assert read.keys() == told.keys()
    for labels, value in told.items():
        assert read[labels] == value or (math.isnan(read[labels]) and math.isnan(value))


@pytest.mark.parametrize("name", ["", "1st", "a-b", "a b", "métrique", "a\n"])
def test_names_that_no_scraper_reads_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names neither"):
        Metric(name, "")
    with pytest.raises(ValueError, match="names neither"):
        Metric("opsroom_fine", "", (name,))


def test_a_label_that_is_missing_is_a_bug() -> None:
    with pytest.raises(ValueError, match="told apart by"):
        Metric("opsroom_one", "", ("agent",)).sample(1)


def test_the_catalog_is_whole_and_named_as_prometheus_asks() -> None:
    names = [one.name for one in METRICS]
    assert len(names) == len(set(names))
    made = {one for one in vars(catalog).values() if isinstance(one, Metric)}
    assert made <= set(METRICS)
    for one in METRICS:
        assert one.name.startswith("opsroom_")
        assert one.help.endswith(".")
        assert one.name.endswith("_total") == (one.kind is Kind.COUNTER)
