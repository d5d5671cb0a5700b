"""What may be said, by whom, and when it is too much."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import START

from opsroom.feedback.errors import BadFeedback, LinkRefused
from opsroom.feedback.links import Link, check, new_key, read, signed
from opsroom.feedback.model import (
    FIRST_LOOK,
    LOOK_FOR,
    MOST_OF_ONE,
    MOST_OF_REPORTER,
    MOST_TEXT,
    PER_REPORTER,
    PER_SUBJECT,
    PER_USER,
    FeedbackDraft,
    Heard,
    Refuse,
    SetAside,
    Source,
    Take,
    admit,
    checked,
    cleaned,
    digest_of,
    next_look,
    voice,
)
from opsroom.kit.db import Actor
from opsroom.kit.redaction import Redactor

T = "turn/trn_1"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"subject": "order/1", "helpful": True}, "its subject is"),
        ({"subject": "turn/", "helpful": True}, "its subject is"),
        ({"subject": T}, "a user says helpful"),
        ({"subject": T, "text": "  "}, "a user says helpful"),
        ({"subject": T, "helpful": True, "kpi": "csat"}, "kpi is not for a user to say"),
        ({"subject": T, "helpful": True, "confidence": 0.5}, "confidence is not for a user"),
        ({"subject": T, "source": Source.AGENT}, "an agent says"),
        ({"subject": T, "source": Source.AGENT, "confidence": 1.5}, "between 0 and 1"),
        ({"subject": T, "source": Source.BUSINESS, "kpi": "csat"}, "a kpi has a value"),
        ({"subject": T, "source": Source.BUSINESS, "value": Decimal(1)}, "has a name"),
        (
            {"subject": T, "source": Source.BUSINESS, "kpi": "x", "value": Decimal("1e16")},
            "10^15",
        ),
        (
            {"subject": T, "source": Source.BUSINESS, "kpi": "x", "value": Decimal("1e-999999")},
            "twelve decimals",
        ),
        (
            {
                "subject": T, "source": Source.BUSINESS, "kpi": "x", "value": Decimal(1),
                "known_at": START + timedelta(days=2),
            },
            "future",
        ),
        ({"subject": T, "helpful": True, "by": "x" * 201}, "by has at most 200"),
        ({"subject": T, "helpful": True, "version": "clerk"}, "name@7"),
    ],
)  # fmt: skip
def test_what_is_no_feedback(said: dict[str, Any], why: str) -> None:
    with pytest.raises(BadFeedback, match=why.replace("^", r"\^")):
        checked(FeedbackDraft(**said), now=START)


def test_a_result_is_known_now_unless_told_otherwise() -> None:
    draft = FeedbackDraft(subject=T, source=Source.BUSINESS, kpi="csat", value=Decimal("4.5"))
    assert checked(draft, now=START).known_at == START
    late = replace(draft, known_at=START - timedelta(days=30))
    assert checked(late, now=START).known_at == late.known_at


def test_texts_are_cut_and_lose_what_is_taken_out() -> None:
    draft = FeedbackDraft(
        subject=T,
        by="bo@example.com",
        text=f"call bo@example.com\0 {'x' * MOST_TEXT}",
        reasoning="sk-ant-0123456789abcdefghijkl",
        sources=("https://wiki", "ann@example.com"),
    )
    kept = cleaned(draft, Redactor().clean, project="p")
    assert kept.text.startswith("call [redacted:email] x")
    assert len(kept.text) == MOST_TEXT
    assert kept.reasoning == "[redacted:key]"
    assert kept.sources == ("https://wiki", "[redacted:email]")
    assert kept.by.startswith("user-")
    again = cleaned(replace(draft, text="other"), Redactor().clean, project="p")
    assert again.by == kept.by, "one voice stays one voice"
    assert cleaned(draft, Redactor().clean, project="q").by != kept.by


def test_whose_voice_it_is() -> None:
    draft = FeedbackDraft(subject="action/act_1", helpful=True)
    ann, app = Actor("ann", "p"), Actor("token:app", "p", human=False)
    clerk = Actor("agent:clerk", "p", human=False, agent="clerk")
    assert voice(draft, ann, T) == "ann"
    assert voice(replace(draft, by="bo"), app, T) == "bo"
    assert voice(draft, app, T) == f"anybody:{T}"
    assert voice(replace(draft, source=Source.BUSINESS), app, T) == "token:app"
    sure = replace(draft, source=Source.AGENT, by="another")
    assert voice(sure, clerk, T) == "agent:clerk", "an agent has one voice, whomever it names"


def test_a_trace_is_the_same_in_capitals() -> None:
    draft = FeedbackDraft(subject=f"trace/{'AB' * 16}", helpful=True)
    assert checked(draft, now=START).subject == f"trace/{'ab' * 16}"
    other = replace(draft, subject="trace/Order-7")
    assert checked(other, now=START).subject == "trace/Order-7", "others' ids are theirs"


@given(st.timedeltas(timedelta(0), timedelta(days=3)))
def test_what_stays_unknown_is_looked_for_less_and_less(age: timedelta) -> None:
    found = next_look(START - age, now=START, patience=LOOK_FOR)
    if age >= LOOK_FOR:
        assert found is None
    else:
        assert found is not None
        assert found - START == max(FIRST_LOOK, age)


@pytest.mark.parametrize(
    ("source", "heard", "then"),
    [
        (Source.USER, Heard(), Take()),
        (Source.USER, Heard(of_subject=PER_SUBJECT - 1, in_hour=9, in_day=9), Take()),
        (Source.USER, Heard(of_subject=PER_SUBJECT, in_hour=10, in_day=10), "subject"),
        (Source.USER, Heard(in_hour=PER_USER, in_day=PER_USER), "all"),
        (Source.USER, Heard(in_day=MOST_OF_ONE), "refuse"),
        (Source.BUSINESS, Heard(of_subject=1, in_day=PER_REPORTER - 1), Take()),
        (Source.AGENT, Heard(of_subject=PER_SUBJECT), "subject"),
        (Source.AGENT, Heard(in_day=PER_REPORTER), "day"),
        (Source.BUSINESS, Heard(in_day=MOST_OF_REPORTER), "refuse"),
    ],
)
def test_admit(source: Source, heard: Heard, then: Any) -> None:
    done = admit(source, heard)
    match then:
        case "refuse":
            assert isinstance(done, Refuse)
        case "all" | "subject" | "day":
            assert isinstance(done, SetAside)
            assert done.all_of_it == (then == "all")
        case _:
            assert done == then


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_saying_more_never_counts_for_more(of_subject: int, in_hour: int, more: int) -> None:
    order = [Take, SetAside, Refuse]
    less = admit(Source.USER, Heard(of_subject=of_subject, in_hour=in_hour, in_day=in_hour))
    after = Heard(of_subject=of_subject + more, in_hour=in_hour + more, in_day=in_hour + more)
    assert order.index(type(admit(Source.USER, after))) >= order.index(type(less))


def test_the_same_under_another_key_is_the_same() -> None:
    draft = FeedbackDraft(subject=T, helpful=True)
    assert digest_of(replace(draft, key="a")) == digest_of(replace(draft, key="b"))
    assert digest_of(replace(draft, helpful=False)) != digest_of(draft)


LINK = Link(
    project="p",
    maker="token:app",
    subject=T,
    by="bo",
    use_case="",
    until=int(START.timestamp()) + 60,
)


def test_a_link_permits_what_was_signed_until_its_time_is_up() -> None:
    key = new_key()
    token = signed(LINK, key)
    assert check(token, key, now=START) == LINK
    assert read(token)[0] == LINK
    with pytest.raises(LinkRefused, match="time is up"):
        check(token, key, now=START + timedelta(seconds=60))
    with pytest.raises(LinkRefused, match="nobody here"):
        check(token, new_key(), now=START)


@given(st.integers(0, 200), st.characters(min_codepoint=33, max_codepoint=126))
def test_no_other_link_than_the_signed_one_holds(place: int, sign: str) -> None:
    key = "00" * 32
    token = signed(LINK, key)
    place %= len(token)
    other = token[:place] + sign + token[place + 1 :]
    if other == token:
        return
    with pytest.raises(LinkRefused):
        check(other, key, now=START)


@pytest.mark.parametrize(
    "token",
    ["", "ofb_", "ofb_.", "ofb_x.y", "ops_000000000000_0", "ofb_" + "W1tb" * 480 + ".x", "ofb_é.é", "x" * 9_000],
)  # fmt: skip
def test_what_is_no_link_at_all(token: str) -> None:
    with pytest.raises(LinkRefused):
        read(token)
