"""Answers that are given again, in memory that has an end."""

from opsroom.gateway.completions.answers import Facts
from opsroom.gateway.completions.asking import Whole
from opsroom.gateway.completions.kept import Answers
from opsroom.models.route import Target


def said(body: bytes, text: str = "") -> Whole:
    target = Target(model="m1")
    return Whole(status=200, headers={}, body=body, target=target, facts=Facts(text=text))


def test_small_answers_take_room_too() -> None:
    kept = Answers(most=100_000)
    for number in range(1000):
        kept.keep(str(number), said(b"{}"), 10.0)
    there = [number for number in range(1000) if kept.find(str(number), 0.0)]
    assert 0 < len(there) < 100
    assert there[-1] == 999, "the latest stay"


def test_what_was_read_of_an_answer_counts() -> None:
    kept = Answers(most=100_000)
    kept.keep("a", said(b"{}", text="x" * 20_000), 10.0)
    assert kept.find("a", 0.0) is None, "an eighth of the room is the most for one"


def test_one_that_is_too_old_is_gone() -> None:
    kept = Answers(most=100_000)
    kept.keep("a", said(b"{}"), 10.0)
    assert kept.find("a", 9.9)
    assert kept.find("a", 10.0) is None
    for number in range(20):
        kept.keep(str(number), said(b"x" * 1000), 10.0)
    assert kept.find("19", 0.0)
