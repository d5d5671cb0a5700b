"""How numbers, money and time are written on a page.

Units stand behind a no-break space, minus is the real minus sign, and what is not known is a
dash, never a zero. Time is shown relative, with the exact moment one hover away.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import zip_longest

from markupsafe import Markup

Number = int | float | Decimal

UNKNOWN = "–"
SPACE = "\u00a0"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
# Joiners (U+200C, U+200D) stay: some scripts and emoji need them.
HIDDEN = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u00ad\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e"
    "\\u2060-\\u2069\\ufeff\\U000e0000-\\U000e007f]"
)
SAFE_STARTS = ("https://", "http://", "?", "#")


def number(value: Number | None, digits: int = 0, *, sign: bool = False) -> str:
    """`11,902`, `−0.30`, and with `sign` also `+0.50`."""
    if value is None:
        return UNKNOWN
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def percent(share: Number | None, digits: int = 1, *, sign: bool = False) -> str:
    """A share of one as per cent: 0.924 is `92.4 %`."""
    if share is None:
        return UNKNOWN
    return f"{number(share * 100, digits, sign=sign)}{SPACE}%"


def points(difference: Number | None, digits: int = 1) -> str:
    """The difference of two shares in percentage points, always signed: `+1.8 pt`."""
    if difference is None:
        return UNKNOWN
    return f"{number(difference * 100, digits, sign=True)}{SPACE}pt"


def money(amount: Decimal | None, currency: str = "USD") -> str:
    """An amount as `$1,214.50`; under one unit with two significant digits, `$0.021`."""
    if amount is None:
        return UNKNOWN
    digits = 2
    if 0 < abs(amount) < Decimal("0.1"):
        digits = min(1 - amount.adjusted(), 8)
    text = number(abs(amount), digits)
    symbol = SYMBOLS.get(currency)
    return (
        f"{'−' if amount < 0 else ''}{symbol or ''}{text}{'' if symbol else SPACE + currency}"
    )


def duration(span: timedelta | None) -> str:
    """The two leading units: `210 ms`, `4.5 s`, `3 h 12 m`, `48 h`, `5 d 4 h`."""
    if span is None:
        return UNKNOWN
    seconds = abs(span.total_seconds())
    minus = "−" if span < timedelta(0) else ""
    if 0 < seconds < 0.9995:
        return f"{minus}{seconds * 1000:.0f}{SPACE}ms"
    if seconds < 59.95:
        return f"{minus}{seconds:.1f}".removesuffix(".0") + f"{SPACE}s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if hours >= 72:
        return minus + _two(days, "d", hours_left, "h")
    if hours:
        return minus + _two(hours, "h", minutes_left, "m")
    return minus + _two(minutes, "m", rest, "s")


def when(moment: datetime | None, now: datetime) -> Markup | str:
    """`3 h ago` or `in 12 m`, with the exact moment in the tooltip and for machines."""
    if moment is None:
        return UNKNOWN
    gap = now - moment
    if abs(gap) < timedelta(seconds=5):
        words = "just now"
    elif gap > timedelta(0):
        words = f"{_rough(gap)} ago"
    else:
        words = f"in {_rough(-gap)}"
    return _time(moment, words, title=_exact(moment, "%d %b %Y, %H:%M:%S UTC"))


def exact(moment: datetime | None) -> Markup | str:
    """The moment itself, `20 Nov 2026, 19:10 UTC`."""
    if moment is None:
        return UNKNOWN
    return _time(moment, _exact(moment, "%d %b %Y, %H:%M UTC"), title="")


def short(digest: str | None) -> str:
    """The first twelve digits of a digest: enough to recognise it by."""
    return digest[:12] if digest else UNKNOWN


def visible(text: str) -> Markup:
    """`text` escaped, with the signs that nobody sees written out: `U+202E`.

    Text that turns its own direction, hides words in zero-width or tag characters, or carries
    terminal controls reads differently for a person and for a model.
    """
    parts = HIDDEN.split(text)
    signs = (
        Markup('<span class="hidden-sign">U+{:04X}</span>').format(ord(sign))
        for sign in HIDDEN.findall(text)
    )
    pairs = zip_longest(parts, signs, fillvalue="")
    return Markup().join(piece for pair in pairs for piece in pair)


def href(address: str | None) -> str:
    r"""`address` if following it stays on the web; `#` for anything that could run or mislead.

    Allowed are paths of ours, queries, fragments, http and https. `javascript:`, `data:`, and
    the spellings `//host` and `/\host` that browsers read as another host, are not.
    """
    if not address or any(ord(sign) < 33 for sign in address):
        return "#"
    if address.startswith("/") and not address.startswith(("//", "/\\")):
        return address
    return address if address.lower().startswith(SAFE_STARTS) else "#"


def first_upper(text: str) -> str:
    """An error's message with the capital a heading wants."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """An error's message as a sentence of its own, with capital and full stop."""
    if not text:
        return ""
    return first_upper(text) if text.endswith((".", "!", "?")) else f"{first_upper(text)}."


def key_cap(key: str) -> str:
    """`shift+r` as it is printed beside a button: `⇧R`."""
    return key.replace("shift+", "⇧").upper()


def keys(key: str) -> str:
    """`shift+r` as assistive technology wants it: `Shift+R`."""
    return "+".join(part.capitalize() for part in key.split("+"))


def _two(many: int, unit: str, few: int, part: str) -> str:
    head = f"{many}{SPACE}{unit}"
    return f"{head} {few}{SPACE}{part}" if few else head


def _rough(gap: timedelta) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if gap.total_seconds() >= size * (2 if unit == "d" else 1):
            return f"{gap.total_seconds() // size:.0f}{SPACE}{unit}"
    return f"{gap.total_seconds():.0f}{SPACE}s"


def _exact(moment: datetime, form: str) -> str:
    return moment.astimezone(UTC).strftime(form)


def _time(moment: datetime, words: str, *, title: str) -> Markup:
    stamp = _exact(moment, "%Y-%m-%dT%H:%M:%SZ")
    if not title:
        return Markup('<time datetime="{}">{}</time>').format(stamp, words)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, title, words)
