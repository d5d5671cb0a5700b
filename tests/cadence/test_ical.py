"""The calendar file keeps to RFC 5545 whatever people write."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.cadence.test_model import NOW, ONE

from opsroom.cadence.ical import calendar, escaped, folded
from opsroom.cadence.model import State

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@given(line=TEXT.filter(lambda one: "\n" not in one and "\r" not in one))
def test_lines_are_at_most_75_octets_and_come_back_whole(line: str) -> None:
    written = folded(line)
    assert all(len(one.encode()) <= 75 for one in written.split("\r\n"))
    assert written.replace("\r\n ", "") == line


@given(text=TEXT)
def test_a_text_cannot_end_its_line_or_begin_another_value(text: str) -> None:
    written = escaped(text)
    assert not set(written) & {"\r", "\n", "\x00", "\x1b"}
    bare = written.replace("\\\\", "").replace("\\;", "").replace("\\,", "")
    assert ";" not in bare
    assert "," not in bare


def test_an_occasion_is_an_event_that_moves_with_it() -> None:
    one = replace(ONE, subject="prompt/a;b", because="X\r\nBEGIN:VEVENT")
    text = calendar([one], site="https://ops.example/", project="p,q", now=NOW)
    lines = text.replace("\r\n ", "").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert lines.count("BEGIN:VEVENT") == 1
    assert "UID:occ_1@opsroom" in lines
    assert "DTSTART;VALUE=DATE:20261120" in lines
    assert "DTEND;VALUE=DATE:20261121" in lines
    assert r"SUMMARY:Prompt audit: a\;b" in lines
    assert "URL:https://ops.example/cadence/occ_1" in lines
    late = calendar([one], site="s", project="p", now=NOW + timedelta(days=1))
    assert "SUMMARY:overdue: " in late
    gone = calendar([replace(one, state=State.CANCELLED)], site="s", project="p", now=NOW)
    assert "STATUS:CANCELLED" in gone
