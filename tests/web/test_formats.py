from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from opsroom.web import formats

NOW = datetime(2026, 11, 20, 19, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "digits", "sign", "text"),
    [
        (11902, 0, False, "11,902"),
        (-0.3, 1, True, "−0.3"),
        (0.5, 1, True, "+0.5"),
        (-0.04, 1, True, "0.0"),
        (Decimal("2.25"), 2, False, "2.25"),
        (None, 0, False, "–"),
    ],
)
def test_number(value: float | Decimal | None, digits: int, sign: bool, text: str) -> None:
    assert formats.number(value, digits, sign=sign) == text


def test_shares_are_per_cent_and_their_differences_points() -> None:
    assert formats.percent(0.924) == "92.4\u00a0%"
    assert formats.percent(0.5, 0, sign=True) == "+50\u00a0%"
    assert formats.points(-0.018) == "−1.8\u00a0pt"
    assert formats.percent(None) == formats.points(None) == "–"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (Decimal("1214.5"), "USD", "$1,214.50"),
        (Decimal("0.0213"), "USD", "$0.021"),
        (Decimal("0.00000213"), "EUR", "€0.0000021"),
        (Decimal(0), "USD", "$0.00"),
        (Decimal(-3), "USD", "−$3.00"),
        (Decimal(3), "SEK", "3.00\u00a0SEK"),
        (None, "USD", "–"),
    ],
)
def test_money(amount: Decimal | None, currency: str, text: str) -> None:
    assert formats.money(amount, currency) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(milliseconds=210), "210 ms"),
        (timedelta(seconds=4.5), "4.5 s"),
        (timedelta(seconds=59.97), "1 m"),
        (timedelta(minutes=2, seconds=5), "2 m 5 s"),
        (timedelta(hours=3, minutes=12), "3 h 12 m"),
        (timedelta(hours=48), "48 h"),
        (timedelta(hours=124), "5 d 4 h"),
        (timedelta(seconds=-90), "−1 m 30 s"),
        (None, "–"),
    ],
)
def test_duration(span: timedelta | None, text: str) -> None:
    assert formats.duration(span).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (timedelta(seconds=1), "just now"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=7), "7 m ago"),
        (timedelta(hours=40), "40 h ago"),
        (timedelta(days=3), "3 d ago"),
        (timedelta(minutes=-12), "in 12 m"),
    ],
)
def test_when_is_relative_and_exact(gap: timedelta, words: str) -> None:
    shown = str(formats.when(NOW - gap, NOW)).replace("\u00a0", " ")
    assert f">{words}</time>" in shown
    assert f'datetime="{NOW - gap:%Y-%m-%dT%H:%M:%SZ}"' in shown
    assert 'title="' in shown


def test_exact_says_the_zone() -> None:
    assert ">20 Nov 2026, 19:10 UTC</time>" in str(formats.exact(NOW))
    assert formats.when(None, NOW) == formats.exact(None) == "–"


@pytest.mark.parametrize(
    "address", ["/", "/a?b=c#d", "?q=1", "#x", "https://example.com/", "HTTP://example.com"]
)
def test_addresses_of_the_web_are_kept(address: str) -> None:
    assert formats.href(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:x",
        "data:text/html,x", "vbscript:x", "//evil.example", "/\\evil.example", "blob:x",
        "\x00javascript:x", "", None, "relative/path", "/a b",
    ],
)  # fmt: skip
def test_addresses_that_could_run_or_mislead_lead_nowhere(address: str | None) -> None:
    assert formats.href(address) == "#"


def test_errors_read_as_sentences() -> None:
    assert formats.sentence("use the other door") == "Use the other door."
    assert formats.sentence("really?") == "Really?"
    assert not formats.sentence("")


def test_keys_are_written_for_eyes_and_for_screen_readers() -> None:
    assert (formats.key_cap("shift+r"), formats.keys("shift+r")) == ("⇧R", "Shift+R")


def test_signs_that_nobody_sees_are_written_out() -> None:
    sign = '<span class="hidden-sign">U+{}</span>'
    assert formats.visible("a\u202eb<i>") == f"a{sign.format('202E')}b&lt;i&gt;"
    assert formats.visible("\U000e0041\x1b") == sign.format("E0041") + sign.format("001B")
    assert formats.visible("plain\n\ttext\r\n") == "plain\n\ttext\r\n"
    assert formats.visible("👩\u200d🚀") == "👩\u200d🚀"
