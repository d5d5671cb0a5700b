"""Guessing gets slow, and nobody locks anybody else out."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from opsroom.access.errors import TooManyTries
from opsroom.access.throttle import PER_ADDRESS, PER_NAME, REMEMBERED, WINDOW, Throttle

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def guess(throttle: Throttle, name: str, address: str, times: int, at: datetime = NOW) -> None:
    for _ in range(times):
        throttle.count(name, address, now=at)


def test_too_many_guesses_for_one_name() -> None:
    throttle = Throttle()
    guess(throttle, "ada", "10.0.0.1", PER_NAME)
    with pytest.raises(TooManyTries):
        throttle.count("ada", "10.0.0.1", now=NOW)
    throttle.count("ada", "10.0.0.2", now=NOW)
    throttle.count("bob", "10.0.0.1", now=NOW)
    throttle.count("ada", "10.0.0.1", now=NOW + WINDOW)


def test_too_many_names_from_one_address() -> None:
    throttle = Throttle()
    for number in range(PER_ADDRESS):
        guess(throttle, f"user-{number}", "10.0.0.1", 1)
    with pytest.raises(TooManyTries):
        throttle.count("somebody else", "10.0.0.1", now=NOW)
    throttle.count("somebody else", "10.0.0.2", now=NOW)


def test_success_starts_anew() -> None:
    throttle = Throttle()
    guess(throttle, "ada", "10.0.0.1", PER_NAME - 1)
    throttle.succeeded("ada", "10.0.0.1")
    guess(throttle, "ada", "10.0.0.1", PER_NAME - 1)


def test_it_remembers_a_bounded_number() -> None:
    throttle = Throttle()
    for number in range(REMEMBERED + 100):
        throttle.count("x", f"address-{number}", now=NOW + timedelta(seconds=number / 1000))
    assert len(throttle._failures) <= REMEMBERED


def test_many_guesses_at_once_do_not_slip_through_together() -> None:
    throttle = Throttle()
    tried: list[str] = []

    def guess_once() -> None:
        try:
            throttle.count("ada", "10.0.0.1", now=NOW)
        except TooManyTries:
            return
        tried.append("ada")

    guessers = [threading.Thread(target=guess_once) for _ in range(30)]
    for one in guessers:
        one.start()
    for one in guessers:
        one.join()
    assert len(tried) == PER_NAME
