"""What people say of a proposal, and what they have looked at before they answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.registry.test_proposals import ADA, BOB, CARL, PASSED, Desk
from tests.registry.world import KINDS, person

from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.registry import (
    Criticality,
    Proposal,
    ProposalClosed,
    Ref,
    VersionDraft,
    commands,
    discussing,
    proposals,
    queries,
)
from opsroom.registry.blame import blame
from opsroom.registry.discussion import (
    Comment,
    CommentState,
    Discussion,
    own_lines,
    parts,
    placed,
    rewritten,
    unseen,
)
from opsroom.registry.errors import (
    CommentNotFound,
    CommentOver,
    NoSuchLine,
    NoSuchPart,
    NotLookedAt,
    SuggestionUnclear,
    TooMuchSaid,
)

POEM = "roses are red\nviolets are blue\nsugar is sweet"
DORA = person("dora", "author")
START = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def desk(db: Database) -> Desk:
    made = Desk(db, Criticality.ASSISTIVE)
    with db.write(ADA) as tx:
        draft = VersionDraft(spec={"text": POEM})
        assert commands.create_version(tx, "note", "a", draft, kinds=KINDS).number == 4
    return made


def say(
    desk: Desk, on: Proposal, by: Actor = BOB, *, line: int = 2, suggestion: str | None = None
) -> Comment:
    with desk.db.write(by) as tx:
        return discussing.comment(
            tx, on.id, text="why blue?", line=line, suggestion=suggestion, kinds=KINDS
        )


def discussed(desk: Desk, on: Proposal) -> Discussion:
    with desk.db.read(BOB) as tx:
        return discussing.discussion(tx, queries.proposal(tx, on.id), kinds=KINDS)


def test_a_comment_stands_beside_its_line_until_it_is_dealt_with(desk: Desk) -> None:
    on = desk.propose(4)
    said, whole = say(desk, on), say(desk, on, line=0)
    found = discussed(desk, on)
    assert found.lines[1].comments == (said,)
    assert found.whole == (whole,)
    assert found.open == 2
    assert (said.quote, said.by) == ("violets are blue", "bob")
    with desk.db.write(ADA) as tx:
        closed = discussing.resolve(tx, on.id, said.id)
    assert (closed.state, closed.closed_by) == (CommentState.RESOLVED, "ada")
    assert discussed(desk, on).open == 1
    with desk.db.write(ADA) as tx, pytest.raises(CommentOver):
        discussing.resolve(tx, on.id, said.id)


def test_a_suggestion_becomes_a_version_that_has_to_be_judged_anew(desk: Desk) -> None:
    on = desk.check(desk.propose(4))
    desk.answer(on, BOB)
    said = say(desk, on, CARL, suggestion="violets are violet\nmostly")
    with desk.db.write(DORA) as tx:
        moved = discussing.apply(tx, on.id, said.id, kinds=KINDS)
    assert (moved.number, [one.name for one in moved.checks]) == (5, ["lint"])
    with desk.db.read(ADA) as tx:
        version = queries.version(tx, Ref("note", "a", "5"))
    assert version.spec["text"] == "roses are red\nviolets are violet\nmostly\nsugar is sweet"
    assert (version.author, version.made_by) == ("carl", "dora")
    assert "check 'gate' is missing" in desk.missing(on)
    assert "0 of 1 approvals" in desk.missing(on)
    assert discussed(desk, on).outdated[0].state is CommentState.APPLIED


def test_nobody_who_wrote_a_part_of_it_counts_as_its_reviewer(
    desk: Desk, clock: ManualClock
) -> None:
    """Ada wrote version 4, Carl a line of version 5, and Dora proposed it."""
    clock.move(timedelta(hours=1))
    on = desk.propose(4, actor=DORA)
    said = say(desk, on, CARL, suggestion="violets are violet")
    with desk.db.write(DORA) as tx:
        on = discussing.apply(tx, on.id, said.id, kinds=KINDS)
        assert proposals.writers(tx, on) == {"ada", "carl", "dora"}
    desk.check(on)
    desk.answer(on, BOB)
    assert desk.missing(on) == ""


def test_comments_find_their_line_again_after_a_revision(desk: Desk) -> None:
    on = desk.propose(4)
    said, gone = say(desk, on), say(desk, on, line=3)
    with desk.db.write(ADA) as tx:
        text = "a title\nroses are red\nviolets are blue"
        commands.create_version(tx, "note", "a", VersionDraft(spec={"text": text}), kinds=KINDS)
        assert proposals.revise(tx, on.id, 5, kinds=KINDS).number == 5
    found = discussed(desk, on)
    assert found.lines[2].comments == (said,)
    assert found.outdated == (gone,)


def test_what_cannot_be_said_is_refused(desk: Desk) -> None:
    on = desk.propose(4)
    for line in (-1, 4):
        with pytest.raises(NoSuchLine):
            say(desk, on, line=line)
    with pytest.raises(NoSuchLine):
        say(desk, on, line=0, suggestion="everything else")
    with desk.db.write(BOB) as tx, pytest.raises(TooMuchSaid):
        discussing.comment(tx, on.id, text="a" * 4001, kinds=KINDS)
    said = say(desk, on)
    with desk.db.write(ADA) as tx, pytest.raises(SuggestionUnclear, match="suggests nothing"):
        discussing.apply(tx, on.id, said.id, kinds=KINDS)
    other = desk.propose(3)
    with desk.db.write(ADA) as tx, pytest.raises(CommentNotFound):
        discussing.resolve(tx, other.id, said.id)
    with desk.db.write(replace(BOB, project="other")) as tx, pytest.raises(CommentNotFound):
        discussing.resolve(tx, on.id, said.id)
    with desk.db.write(ADA) as tx:
        proposals.withdraw(tx, on.id, reason="enough")
    with pytest.raises(ProposalClosed):
        say(desk, on)


def test_everything_that_is_decided_by_is_looked_at_first(desk: Desk) -> None:
    on = desk.check(desk.propose(4))
    with desk.db.write(BOB) as tx, pytest.raises(NotLookedAt, match="what changes, lint, gate"):
        discussing.require_seen(tx, on.id)
    with desk.db.write(BOB) as tx:
        for part in ("what changes", "lint", "gate"):
            discussing.mark(tx, on.id, part, seen=True)
        discussing.require_seen(tx, on.id)
    with desk.db.write(CARL) as tx, pytest.raises(NotLookedAt):
        discussing.require_seen(tx, on.id)
    desk.check(on, replace(PASSED, evidence="e2"))
    with desk.db.write(BOB) as tx:
        assert discussing.left_to_see(tx, queries.proposal(tx, on.id)) == ("gate",)
        discussing.mark(tx, on.id, "lint", seen=False)
        assert discussing.left_to_see(tx, queries.proposal(tx, on.id)) == ("lint", "gate")
    with desk.db.write(BOB) as tx, pytest.raises(NoSuchPart):
        discussing.mark(tx, on.id, "the weather", seen=True)


def test_what_is_free_needs_no_looking(db: Database) -> None:
    on = Desk(db, Criticality.ASSISTIVE).propose(label="staging")
    with db.read(BOB) as tx:
        assert parts(on, proposals.need_of(tx, on)) == {}
        assert discussing.left_to_see(tx, on) == ()


lines = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=8)


@given(lines, st.integers(0, 8))
def test_a_line_is_rewritten_only_where_it_is_one(some: list[str], at: int) -> None:
    whole = "\n".join(some)
    spec = {"text": whole, "parts": [{"n": 1}]}
    wanted = some[at] if at < len(some) else "z"
    stands = whole.split("\n").count(wanted)
    assert (wanted in own_lines(spec)) is (stands == 1)
    changed = {**spec, "text": "\n".join("new" if x == wanted else x for x in some)}
    assert rewritten(spec, wanted, "new") == (changed if some else {**spec, "text": ""})


def test_a_comment_is_beside_the_nearest_line_with_its_words() -> None:
    one = Comment(
        id="cmt_1",
        proposal="prp_1",
        number=1,
        line=4,
        quote="x",
        text="?",
        by="bob",
        at=START,
    )
    found = placed("x\na\nb\nc\nx\n", [one])
    assert [line.number for line in found.lines if line.comments] == [5]
    assert placed("a\nb", [one]).outdated == (one,)


def test_parts_are_unseen_until_they_are_seen_as_they_are() -> None:
    assert unseen({"a": "1", "b": "2"}, {"a": "1", "b": "old", "c": "3"}) == ("b",)


@given(st.lists(lines, min_size=1, max_size=6), st.booleans())
def test_blame_gives_back_the_text_and_names_versions_that_have_the_line(
    history: list[list[str]], whole: bool
) -> None:
    texts = [(n, "".join(f"{line}\n" for line in some)) for n, some in enumerate(history, 3)]
    found = blame(texts, whole=whole)
    assert [one.line for one in found] == texts[-1][1].splitlines()
    for one in found:
        if one.number is None:
            assert not whole
            assert one.line in history[0]
        else:
            assert one.line in history[one.number - 3]


def test_a_line_is_blamed_on_the_version_that_it_came_with() -> None:
    found = blame([(1, "a\nb"), (2, "a\nb\nc"), (3, "a\nB\nc")], whole=True)
    assert [(one.line, one.number) for one in found] == [("a", 1), ("B", 3), ("c", 2)]
