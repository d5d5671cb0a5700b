from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.web.sample.app import band

from opsroom.web.charts import TABLE_ROWS, Band, Effect, Limit, sparkline, strips, trend

EFFECT = Effect(
    label="a", estimate=1, low=0.5, high=2, verdict="better", tone="good", unit="pt"
)


def test_effects_of_one_unit_share_a_scale() -> None:
    near, far, other = strips(
        [
            EFFECT,
            replace(EFFECT, estimate=10, low=9, high=11),
            replace(EFFECT, low=-1, unit="s"),
        ]
    )
    assert near.zero == far.zero < other.zero
    assert near.high < far.low
    assert other.high > near.high


@given(
    st.lists(
        st.tuples(*[st.floats(-1e9, 1e9, allow_subnormal=False)] * 3, st.booleans()),
        min_size=1,
        max_size=6,
    )
)
def test_every_part_of_a_strip_lies_inside_it(
    rows: list[tuple[float, float, float, bool]],
) -> None:
    effects = [
        replace(EFFECT, low=low, estimate=middle, high=high, limit=middle if limited else None)
        for (low, middle, high), limited in ((sorted(row[:3]), row[3]) for row in rows)
    ]
    for strip in strips(effects):
        places = [strip.zero, strip.low, strip.estimate, strip.high, strip.limit or 0]
        assert all(0 <= place <= 100 for place in places)


def test_a_long_band_is_read_as_a_short_table_that_keeps_both_ends() -> None:
    long = band(500)
    assert len(long.rows) == TABLE_ROWS
    assert (long.rows[0][0], long.rows[-1][0]) == (long.x[0], long.x[-1])
    assert len(band(7).rows) == 7


def test_the_scale_of_a_band_shows_its_limits_and_not_its_first_looks() -> None:
    settling = replace(band(), limits=(Limit(value=30, label="far"),))
    low, high = settling.span
    assert low > min(settling.low)
    assert high > 30


def test_a_band_of_nothing_and_of_one_point_can_be_drawn() -> None:
    nothing = replace(band(), x=[], estimate=[], low=[], high=[], limits=())
    assert nothing.rows == []
    assert not nothing.poster.band
    one = replace(band(), x=[1], estimate=[0], low=[0], high=[0], limits=())
    assert one.poster.line.startswith("500.0,")


def test_columns_of_a_band_have_one_length() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        Band(title="", summary="", x=[1], estimate=[], low=[], high=[], x_label="", y_label="")


def test_sparkline() -> None:
    assert sparkline([]) == ""
    assert sparkline([1, 1]) == "M2.0 12.0L94.0 12.0"
    assert trend([1, 2, 3]).startswith("rising, last 3")
    assert trend([]) == "no values"
