"""Whether a file or the server went on is decided without looking at either."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.workspace.world import prompt

from opsroom.app.kinds import KINDS as REGISTERED
from opsroom.kit.errors import OpsroomError
from opsroom.registry import UnknownKind
from opsroom.workspace.errors import CitesItself, DescribedTwice, WorkspaceTooLarge
from opsroom.workspace.model import (
    KINDS,
    Base,
    Entry,
    Files,
    State,
    commit_of,
    decide,
    in_order,
)

ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 64


def test_every_kind_of_the_registry_is_a_file() -> None:
    assert sorted(KINDS) == sorted(REGISTERED)


@pytest.mark.parametrize(
    ("here", "there", "base", "touched", "then"),
    [
        (ONE, "", None, True, State.CREATE),
        (ONE, ONE, None, True, State.UNCHANGED),
        (TWO, ONE, ONE, True, State.NEW_VERSION),
        (TWO, ONE, ONE, False, State.NEW_VERSION),  # what it cites has moved
        (ONE, TWO, ONE, False, State.BEHIND),
        (THREE, TWO, ONE, True, State.CONFLICT),
        (TWO, ONE, None, True, State.CONFLICT),
        (TWO, ONE, None, False, State.CONFLICT),
    ],
)
def test_decide(here: str, there: str, base: str | None, touched: bool, then: State) -> None:
    known = Base(number=1, digest=base) if base else None
    assert decide(here=here, there=there, base=known, touched=touched) is then


@given(
    here=st.sampled_from((ONE, TWO, THREE)),
    there=st.sampled_from((ONE, TWO, THREE)),
    base=st.sampled_from((None, ONE, TWO, THREE)),
    touched=st.booleans(),
)
def test_nothing_that_a_file_was_never_in_step_with_is_written_over(
    here: str, there: str, base: str | None, touched: bool
) -> None:
    known = Base(number=1, digest=base) if base else None
    if decide(here=here, there=there, base=known, touched=touched) is State.NEW_VERSION:
        assert base == there


def test_what_is_cited_comes_first() -> None:
    given_ = [
        prompt("a", "x", includes={"b": "b"}),
        prompt("b", "x", includes={"c": "c@latest"}),
    ]
    ordered = in_order([*given_, prompt("c", "x", includes={"a": "a@1"})])
    assert [one.name for one in ordered] == ["c", "b", "a"]


def test_files_that_cite_each_other_are_named() -> None:
    with pytest.raises(CitesItself, match="a → b → a"):
        in_order([prompt("a", "x", includes={"b": "b"}), prompt("b", "x", includes={"a": "a"})])


def test_a_long_chain_of_files_needs_no_deep_stack() -> None:
    chain = [
        Entry(
            kind="prompt", name=f"p{n}", file=f"p{n}", spec={"includes": {"next": f"p{n + 1}"}}
        )
        for n in range(3000)
    ]
    assert in_order(chain)[0].name == "p2999"


def test_only_what_a_commit_holds_counts_as_pushed_from_it() -> None:
    trailer = "Git-Commit: " + "a" * 40
    assert commit_of(f"why\n\n{trailer}\nGit-Author: Ada") == "a" * 40
    assert commit_of(f"why\n\n{trailer} dirty") == ""
    assert commit_of(f"see {trailer}") == ""


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"entries": (prompt("tone", "a"), prompt("tone", "b"))}, DescribedTwice),
        ({"entries": (replace(prompt("tone", "a"), kind="virus"),)}, UnknownKind),
        ({"entries": (), "kinds": ("prompt", "virus")}, UnknownKind),
        ({"entries": (prompt("tone", "a"),) * 10_001}, WorkspaceTooLarge),
        ({"entries": (), "labels": ("staging",) * 51}, WorkspaceTooLarge),
    ],
)
def test_files_that_nobody_would_look_at_are_refused(
    given: dict[str, Any], wrong: type[OpsroomError]
) -> None:
    with pytest.raises(wrong):
        Files(**given)
