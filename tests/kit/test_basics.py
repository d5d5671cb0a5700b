"""Ids, clocks, canonical JSON, errors and fault points."""

import copy
import json
import os
import pickle
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.kit import faults
from opsroom.kit.canonical import NotCanonical, canonical, digest
from opsroom.kit.clock import FastClock, ManualClock, SystemClock
from opsroom.kit.errors import Conflict
from opsroom.kit.ids import TimeIds, seeded_ids

START = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(eq=False)
class ReleaseMoved(Conflict):
    code = "release_moved"
    text = "release {0.release_id!r} was changed by someone else"
    hint = "read {0.release_id} again"
    release_id: str


def test_ids_say_what_they_are_and_sort_by_time() -> None:
    clock = ManualClock(START)
    ids = TimeIds(clock)
    made = []
    for _ in range(50):
        made.append(ids.new("rel"))
        clock.move(timedelta(milliseconds=1))
    assert made == sorted(made)
    assert all(one.startswith("rel_") and len(one) == 30 for one in made)


@pytest.mark.parametrize(
    "step", [timedelta(0), timedelta(hours=-24), timedelta(microseconds=1)]
)
def test_ids_keep_their_order_when_the_clock_stands_still_or_steps_back(
    step: timedelta,
) -> None:
    clock = ManualClock(START)
    ids = TimeIds(clock)
    made = []
    for _ in range(200):
        made.append(ids.new("rel"))
        clock.move(step)
    assert all(one < other for one, other in pairwise(made))


def test_ids_are_unique_across_threads() -> None:
    ids = TimeIds(ManualClock(START))
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids.new("x"), range(4000)))
    assert len(set(made)) == 4000


def test_seeded_ids_repeat() -> None:
    one, other = (seeded_ids(ManualClock(START), 7) for _ in range(2))
    assert [one.new("a") for _ in range(5)] == [other.new("a") for _ in range(5)]


def test_clocks_say_how_long_a_span_takes() -> None:
    fast = FastClock(START, 3600)
    assert fast.real(timedelta(hours=48)) == 48
    assert fast.now() >= START
    assert SystemClock().now().tzinfo is UTC
    assert SystemClock().real(timedelta(seconds=2)) == 2
    manual = ManualClock(START)
    manual.move(timedelta(days=-1))
    assert manual.now() == START - timedelta(days=1)
    assert manual.real(timedelta(days=9)) == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, 1.0, "é"]}, '{"a":[true,null,1,"é"],"b":1}'),
        ({"\ue000": 1, "\U0001f600": 2}, '{"\U0001f600":2,"\ue000":1}'),  # by UTF-16 units
        (1e21, "1e+21"),
        (0.000001, "0.000001"),
        (-0.0, "0"),
        ("\x1f\u2028", '"\\u001f\u2028"'),
    ],
)
def test_canonical_json_is_rfc_8785(value: object, text: str) -> None:
    assert canonical(value).decode() == text


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        2**53,
        2.0**53,
        -1e20,
        "\ud800",
        {1: 2},
        {"a": {1, 2}},
        b"x",
        START,
    ],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical({"value": value})


def test_nesting_is_bounded() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(NotCanonical, match="deeper than 64"):
        canonical(deep)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2.0**52), 2.0**52)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_a_digest_survives_writing_and_reading(value: object) -> None:
    assert digest(json.loads(canonical(value))) == digest(value)
    assert digest(json.loads(json.dumps(value, indent=2))) == digest(value)


def test_errors_carry_their_facts_through_anything() -> None:
    error = ReleaseMoved("rel_{0}")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is ReleaseMoved
        assert (
            other.as_dict()
            == error.as_dict()
            == {
                "code": "release_moved",
                "message": "release 'rel_{0}' was changed by someone else",
                "hint": "read rel_{0} again",
                "facts": {"release_id": "rel_{0}"},
            }
        )


def test_a_fault_from_the_environment_kills_at_the_passage_it_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.environ["OPSROOM_FAULT"] = "here:3"
        faults.arm_from_environment()
        for number in range(1, 6):
            faults.boundary("elsewhere")
            faults.boundary("here")
            os.write(writing, str(number).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as heard:
        assert heard.read() == "12"
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    monkeypatch.delenv("OPSROOM_FAULT", raising=False)
    faults.arm_from_environment()
    faults.boundary("here")
