"""Commenting on proposals, applying what was suggested, and noting what was looked at."""

from dataclasses import replace

from opsroom.kit.db import Tx

from . import commands, discussion_store, proposals, queries
from .discussion import (
    MOST_COMMENTS,
    MOST_QUOTED,
    MOST_WORDS,
    WHOLE,
    Comment,
    CommentState,
    Discussion,
    own_lines,
    parts,
    placed,
    rewritten,
    unseen,
)
from .errors import (
    CommentNotFound,
    CommentOver,
    NoSuchLine,
    NoSuchPart,
    NotLookedAt,
    SuggestionUnclear,
    TooMuchSaid,
)
from .kinds import Kinds, kind_of
from .model import Proposal, Ref, Version, VersionDraft

NOT_ONE_PLACE = "it does not stand in exactly one place of the version"


def comment(
    tx: Tx,
    proposal_id: str,
    *,
    text: str,
    line: int = WHOLE,
    suggestion: str | None = None,
    kinds: Kinds,
) -> Comment:
    """Say something about an open proposal, or about one line of the text it proposes.

    `suggestion` is what the line should be instead; it may be several lines, or empty. Raises
    `ProposalClosed`, `NoSuchLine` (also for a suggestion without a line), `SuggestionUnclear` for
    a line that does not stand in exactly one place of the version, and `TooMuchSaid`.
    """
    proposal = proposals.open_one(tx, proposal_id)
    version = _version(tx, proposal)
    lines = _text(version, kinds).splitlines()
    if not WHOLE <= line <= len(lines) or (line == WHOLE and suggestion is not None):
        raise NoSuchLine(proposal_id, line, len(lines))
    if len(text) > MOST_WORDS or len(suggestion or "") > MOST_WORDS:
        raise TooMuchSaid(proposal_id, f"more than {MOST_WORDS} characters")
    if discussion_store.count(tx, proposal_id) >= MOST_COMMENTS:
        raise TooMuchSaid(proposal_id, f"a comment beyond the {MOST_COMMENTS} that it holds")
    if suggestion is not None and lines[line - 1] not in own_lines(version.spec):
        raise SuggestionUnclear(proposal_id, lines[line - 1][:MOST_QUOTED], NOT_ONE_PLACE)
    made = Comment(
        id=tx.ids.new("cmt"),
        proposal=proposal_id,
        number=proposal.number,
        line=line,
        quote=lines[line - 1][:MOST_QUOTED] if line else "",
        text=text,
        suggestion=suggestion,
        by=tx.actor.person,
        at=tx.now,
    )
    discussion_store.add(tx, made)
    tx.record(
        "proposal.commented",
        proposal.subject,
        comment=made.id,
        line=line,
        suggests=suggestion is not None,
    )
    return made


def resolve(tx: Tx, proposal_id: str, comment_id: str) -> Comment:
    """Say that a comment is dealt with. Raises `CommentNotFound` and `CommentOver`."""
    return _close(tx, _open(tx, proposal_id, comment_id), CommentState.RESOLVED)


def apply(tx: Tx, proposal_id: str, comment_id: str, *, kinds: Kinds) -> Proposal:
    """Make a version with what was suggested, and let the proposal move to it.

    It is written by whoever suggested it, and made by whoever applies it: neither approves it.
    Raises `CommentOver`, and `SuggestionUnclear` where the line is not in exactly one place.
    """
    said = _open(tx, proposal_id, comment_id)
    proposal = proposals.open_one(tx, proposal_id)
    version = _version(tx, proposal)
    if said.suggestion is None:
        raise SuggestionUnclear(proposal_id, said.quote, "the comment suggests nothing")
    lines = [one for one in own_lines(version.spec) if one[:MOST_QUOTED] == said.quote]
    if len(lines) != 1:
        raise SuggestionUnclear(proposal_id, said.quote, NOT_ONE_PLACE)
    spec = rewritten(version.spec, lines[0], said.suggestion)
    draft = VersionDraft(spec=spec, message=f"as {said.by} suggested", author=said.by)
    made = commands.create_version(tx, proposal.kind, proposal.name, draft, kinds=kinds)
    moved = proposals.revise(tx, proposal_id, made.number, kinds=kinds)
    _close(tx, said, CommentState.APPLIED)
    return moved


def discussion(tx: Tx, proposal: Proposal, *, kinds: Kinds) -> Discussion:
    """Everything that was said of a proposal, beside the text that it proposes now."""
    said = discussion_store.of(tx, proposal.id, limit=MOST_COMMENTS)
    version = _version(tx, proposal)
    return placed(_text(version, kinds), said, own=own_lines(version.spec))


def mark(tx: Tx, proposal_id: str, part: str, *, seen: bool) -> None:
    """Note that the acting person has looked at a part as it is now, or take that back.

    Raises `NoSuchPart`.
    """
    proposal = proposals.open_one(tx, proposal_id)
    wanted = parts(proposal, proposals.need_of(tx, proposal))
    if part not in wanted:
        raise NoSuchPart(proposal_id, part, ", ".join(wanted) or "nothing")
    discussion_store.mark(tx, proposal_id, part, wanted[part] if seen else "")
    event = "proposal.viewed" if seen else "proposal.unviewed"
    tx.record(event, proposal.subject, part=part, digest=wanted[part])


def left_to_see(tx: Tx, proposal: Proposal) -> tuple[str, ...]:
    """What the acting person has to look at before they approve."""
    wanted = parts(proposal, proposals.need_of(tx, proposal))
    return unseen(wanted, discussion_store.marked(tx, proposal.id))


def require_seen(tx: Tx, proposal_id: str) -> None:
    """Raises `NotLookedAt` where something is left to see."""
    if left := left_to_see(tx, queries.proposal(tx, proposal_id)):
        raise NotLookedAt(proposal_id, ", ".join(left))


def _open(tx: Tx, proposal_id: str, comment_id: str) -> Comment:
    found = discussion_store.comment(tx, comment_id)
    if found is None or found.proposal != proposal_id:
        raise CommentNotFound(comment_id, proposal_id)
    if found.state is not CommentState.OPEN:
        raise CommentOver(comment_id, found.state.value)
    return found


def _close(tx: Tx, said: Comment, state: CommentState) -> Comment:
    now = discussion_store.save(
        tx, replace(said, state=state, closed_by=tx.actor.person, closed_at=tx.now)
    )
    subject = f"proposal/{said.proposal}"
    tx.record("proposal.comment_closed", subject, comment=said.id, state=state.value)
    return now


def _version(tx: Tx, proposal: Proposal) -> Version:
    return queries.version(tx, Ref(proposal.kind, proposal.name, str(proposal.number)))


def _text(version: Version, kinds: Kinds) -> str:
    shape = kind_of(kinds, version.kind)
    return shape.text(shape.read(version.spec))
