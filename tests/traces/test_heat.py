"""The map of the list: when traces began, how long they took, and the way to those of a cell."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page
from tests.api import Api
from tests.pages import Site, holds, sign_in
from tests.telemetry import Room
from tests.traces.otlp import request
from tests.traces.test_pages import traced

from opsroom.traces import heat
from opsroom.traces.asked import All, Any, Asked, Counted, Said
from opsroom.traces.heat import ACROSS, BOUNDS, UP, within
from opsroom.traces.model import Filter
from opsroom.traces.parsing import parse

__all__ = ["traced"]
NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
SECOND = 10**9
CLERK = Said("agent", "is", "clerk")


def at_least(seconds: str) -> Counted:
    return Counted("duration", ">=", Decimal(seconds))


def under(seconds: str) -> Counted:
    return Counted("duration", "<", Decimal(seconds))


@pytest.mark.parametrize(
    ("where", "up", "then"),
    [
        (None, 0, under("0.001")),
        (None, UP - 1, at_least("10000")),
        (CLERK, 7, All((CLERK, at_least("1"), under("3")))),
        (
            All((CLERK, at_least("0.1"), under("10"))),
            7,
            All((CLERK, at_least("1"), under("3"))),
        ),
        (at_least("0.7"), 6, All((at_least("0.7"), at_least("0.3"), under("1")))),
        (Any((CLERK, under("1"))), 0, All((Any((CLERK, under("1"))), under("0.001")))),
    ],
)
def test_looking_closer(where: Asked | None, up: int, then: Asked) -> None:
    assert within(where, up) == then
    assert within(then, up) == then


def sent(room: Room, trace: str, start: int, took: float, *, error: bool = False) -> None:
    room.send(
        request(
            {
                "trace": trace,
                "id": "00000000000000a1",
                "name": "job",
                "gen_ai.agent.name": "clerk" if took < 100 else "slow",
                "status": 2 if error else 0,
                "start": start,
                "end": start + int(took * SECOND),
            }
        )
    )


def map_of(office: Api, room: Room, wanted: Filter) -> heat.Heat:
    return heat.draw(room.traces, room.project, wanted, now=office.db.clock.now(), given={})


def test_every_trace_is_in_one_cell_and_its_link_leads_to_it(office: Api, room: Room) -> None:
    now = office.db.clock.now()
    lasting = (0.0005, 0.002, 0.3, 0.5, 0.5, 2.0, 45.0, 200.0)
    for number, took in enumerate(lasting):
        start = int((now - timedelta(minutes=11 * (number // 2) + 1)).timestamp()) * SECOND
        sent(room, f"{number + 1:032x}", start, took, error=number == 3)
    room.settle()
    wanted = Filter(since=now - timedelta(hours=1), until=now)
    found = map_of(office, room, wanted)
    assert (found.traces, found.failed) == (len(lasting), 1)
    assert sum(cell.traces for line in found.lines for cell in line.cells if cell) == 8
    assert found.lines[0].took == "100 s to 300 s"
    reader = office.person("viewer", project=room.project)
    seen: list[str] = []
    for cell in found.cells:
        listed = reader.get(f"/v1/traces?{urlsplit(cell.href).query}")["items"]
        assert len(listed) == cell.traces, cell
        assert sum(one["failed"] for one in listed) == cell.failed
        seen += [one["trace_id"] for one in listed]
    assert len(set(seen)) == len(seen) == len(lasting)
    for cell in (cell for line in found.lines for cell in line.cells if cell):
        listed = reader.get(f"/v1/traces?{urlsplit(cell.href).query}")["items"]
        assert len(listed) == cell.traces
    slow = Filter(since=wanted.since, until=now, where=parse("agent:slow"))
    assert [cell.traces for cell in map_of(office, room, slow).cells] == [1]
    by_word = Filter(since=wanted.since, until=now, agent="clerk")
    assert map_of(office, room, by_word).traces == len(lasting) - 1
    office.project("elsewhere")
    other = heat.draw(room.traces, "elsewhere", wanted, now=now, given={})
    assert (other.traces, other.cells, other.lines) == (0, (), ())


def test_without_a_stretch_it_is_of_the_last_day(office: Api, room: Room) -> None:
    now = office.db.clock.now()
    sent(room, "a" * 32, int((now - timedelta(hours=25)).timestamp()) * SECOND, 1.0)
    sent(room, "b" * 32, int((now - timedelta(hours=23)).timestamp()) * SECOND, 1.0)
    assert map_of(office, room, Filter()).traces == 1
    ever = Filter(since=datetime(1980, 1, 1, tzinfo=UTC))
    assert [one.column for one in map_of(office, room, ever).cells] == [ACROSS - 1]


@given(
    counts=st.dictionaries(
        st.tuples(st.integers(0, ACROSS - 1), st.integers(0, UP - 1)),
        st.builds(heat.Count, traces=st.integers(1, 10**9), failed=st.integers(0, 1)),
    ),
    lasting=st.timedeltas(timedelta(seconds=1), timedelta(days=9_000)),
)
def test_whatever_was_counted_is_drawn(
    counts: dict[tuple[int, int], heat.Count], lasting: timedelta
) -> None:
    found = heat.mapped(
        counts,
        wanted=Filter(where=CLERK),
        since=NOON - lasting,
        until=NOON,
        given={"q": "agent:clerk", "hours": "24", "user": "ada & co"},
    )
    assert found.traces == sum(one.traces for one in counts.values())
    in_table = [cell for line in found.lines for cell in line.cells if cell]
    assert sum(one.traces for one in in_table) == found.traces
    for cell in found.cells:
        assert 1 <= cell.shade <= heat.SHADES
        asked = parse_qs(urlsplit(cell.href).query)
        assert asked.keys() == {"q", "user", "since", "until"}
        begin, end = (datetime.fromisoformat(asked[name][0]) for name in ("since", "until"))
        assert NOON - lasting <= begin < end <= NOON
        assert parse(asked["q"][0]) == within(CLERK, UP - 1 - cell.row)
    assert len(BOUNDS) == UP - 1


def test_the_list_shows_it_and_keeps_the_stretch(traced: Site) -> None:
    page = traced.read("/traces")
    assert "outlined: some with errors" in page
    seen = re.search(r"(\d+)\s+traces of the last day", page)
    assert seen, "the stretch is not named"
    assert int(seen[1]) >= 3  # the store is that of every test of this process
    first = page.partition('<a href="/traces?q=duration')[2].partition('"')[0]
    closer = traced.read("/traces?q=duration" + first.replace("&amp;", "&"))
    assert 'type="hidden" name="since"' in closer
    assert 'type="hidden" name="until"' in closer
    assert "When, and how long" not in traced.read("/traces?q=cost%3Elots")
    assert "When, and how long" not in traced.read("/traces?agent=nobody")
    assert traced.read("/traces?since=2026-01-01T00:00:00")  # a time without a zone


@pytest.mark.browser
def test_the_map_leads_on_and_holds(page: Page, traced: Site, base: str) -> None:
    sign_in(page, traced.person("admin"), base)
    page.goto(f"{base}/traces")
    page.locator(".heat-map a").first.click()
    page.wait_for_url("**since=**")
    assert (
        page.locator("table >> text=invoke_agent clerk").count()
        + page.get_by_text("job").count()
    )
    page.goto(f"{base}/traces")
    page.get_by_text("Show as table").click()
    page.locator(".heat .twin a").first.click()
    page.wait_for_url("**since=**")
    holds(page, traced, base, "/traces?hours=24&q=agent:clerk")
