"""Failures that belong together come together, whatever their order."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.improvement.clustering import MOST, Failure, group, sections
from opsroom.simulator import goods

PROMPT = """You classify goods for customs.

Lamps and bulbs go to 8539, tubes of plastic to 3923.

Anything of leather goes to 6109.

Answer with four digits."""


def failures() -> list[Failure]:
    """Three kinds of mistakes, in several wordings each."""
    kinds = (
        ("LED tubes", "3923", "8539"),
        ("leather belts", "6109", "4203"),
        ("hair dye", "4203", "3305"),
    )
    made = [
        Failure(
            source="evaluation",
            href="/evals/runs/run_1",
            asked=wording.format(n=number * 7 + 3, goods=what, origin=origin),
            answered=wrong,
            right=right,
        )
        for number, (what, wrong, right) in enumerate(kinds)
        for wording in goods.WORDINGS
        for origin in goods.ORIGINS[: 4 - number]
    ]
    random.Random(3).shuffle(made)
    return made


def test_three_kinds_of_mistakes_are_three_issues_with_names_and_places() -> None:
    found = group(failures(), list(sections("customs@1 text", PROMPT)))
    assert [one.size for one in found] == [16, 12, 8]
    assert found[0].name.startswith("3923 instead of 8539: ")
    assert {"led", "tubes"} <= set(found[0].words[:3])
    assert found[0].section is not None
    assert found[0].section.place == "customs@1 text, paragraph 2"
    assert found[1].section is not None
    assert found[1].section.text == "Anything of leather goes to 6109."
    assert found[2].section is None or "leather" not in found[2].section.text
    assert len(found[0].examples) == 5
    assert {one.answered for one in found[0].examples} == {"3923"}


@settings(deadline=None, max_examples=15)
@given(st.randoms(use_true_random=False))
def test_the_order_of_failures_does_not_matter(draw: random.Random) -> None:
    mixed = failures()
    draw.shuffle(mixed)
    names = [(one.name, one.size) for one in group(mixed)]
    assert names == [(one.name, one.size) for one in group(failures())]


@given(
    st.lists(
        st.builds(
            Failure,
            source=st.just("trace"),
            href=st.just(""),
            asked=st.text(max_size=30),
            answered=st.text(max_size=5),
            right=st.text(max_size=5),
        ),
        max_size=12,
    )
)
def test_every_failure_is_in_one_issue(some: list[Failure]) -> None:
    assert sum(one.size for one in group(some)) == len(some)


def test_only_so_many_are_looked_at() -> None:
    many = [
        Failure(source="trace", href="", asked=f"word{n % 3} same") for n in range(MOST + 50)
    ]
    assert sum(one.size for one in group(many)) == MOST
