"""Days in text, however they are written, as month and day."""

import re
from collections.abc import Iterator

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sep sept", "october oct", "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NTH = r"(?:st|nd|rd|th)?"
_TO = r"(?:\s*(?:-|–|to|and|until|till|through)\s*(?:the )?)"
_DAY = re.compile(
    r"\b(?:19|20)\d\d[-/.](?P<m>\d\d?)[-/.](?P<d>\d\d?)\b"
    rf"|\b(?P<first>\d\d?){_NTH}{_TO}(?P<last>\d\d?){_NTH}(?: of)? (?P<months>{_MONTH})\b"
    rf"|\b(?P<month>{_MONTH})\.? (?:the )?(?P<from>\d\d?){_NTH}(?:{_TO}(?P<until>\d\d?){_NTH})?(?!\d)"
    rf"|\b(?P<day>\d\d?){_NTH}(?: of)?[ -](?P<after>{_MONTH})\b"
    r"|\b(?P<one>\d\d?)[/.](?P<two>\d\d?)[/.](?:19|20)?\d\d\b"
)
_ANY = re.compile(rf"\d|{_MONTH}")
_TIME = re.compile(
    r"(?:(?:19|20)\d\d-\d\d?-\d\d?)?[t ]?(?:\d\d?(?::\d\d){0,2}(?:\.\d+)?)?\s?(?:[ap]m|z|[+-]\d\d:?\d\d)?"
)


def dates(text: str) -> Iterator[str]:
    """`day 05-19` for every day in normal text, whatever its year."""
    if _ANY.search(text) is None:
        return
    for found in _DAY.finditer(text):
        one = found.groupdict()
        if one["m"]:
            yield _day(one["m"], one["d"])
        elif one["one"]:  # nobody knows which of them is the month
            yield _day(one["one"], one["two"])
            yield _day(one["two"], one["one"])
        else:
            month = one["months"] or one["month"] or one["after"]
            for day in (one["first"], one["last"], one["from"], one["until"], one["day"]):
                if day:
                    yield _day(str(_MONTHS[month]), day)


def is_time(text: str) -> bool:
    """Whether normal text is nothing but a day or a time, as programs write them."""
    return any(map(str.isdigit, text)) and _TIME.fullmatch(text.strip()) is not None


def _day(month: str, day: str) -> str:
    return f"day {int(month):02}-{int(day):02}"
