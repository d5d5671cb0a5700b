from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Failed, Forbidden, Invalid, NotFound


@dataclass(eq=False)
class ArtifactNotFound(NotFound):
    code = "artifact_not_found"
    text = "there is no {0.kind} {0.name!r} in this project"
    hint = "list what there is with `opsroom {0.kind} list`"
    kind: str
    name: str


@dataclass(eq=False)
class SecretInVersion(Invalid):
    code = "secret_in_version"
    text = "{0.ref} would hold a secret ({0.rule}): versions are kept for good and read by many"
    hint = "keep it with `opsroom secret set` and cite secret:NAME; what leaked has to be replaced where it came from"
    ref: str
    rule: str


@dataclass(eq=False)
class NotRestorable(Invalid):
    code = "not_restorable"
    text = "{0.ref} cannot be put back: {0.why}"
    hint = "nothing was stored; take it out again where it comes from"
    ref: str
    why: str


@dataclass(eq=False)
class VersionNotFound(NotFound):
    code = "version_not_found"
    text = "{0.kind} {0.name!r} has no version or label {0.at!r}"
    hint = "see its versions and labels with `opsroom {0.kind} show {0.name}`"
    kind: str
    name: str
    at: str


@dataclass(eq=False)
class ProposalNotFound(NotFound):
    code = "proposal_not_found"
    text = "there is no proposal {0.proposal_id!r}"
    proposal_id: str


@dataclass(eq=False)
class UnknownKind(Invalid):
    code = "unknown_kind"
    text = "there is no kind {0.kind!r}"
    hint = "kinds are {0.known}"
    kind: str
    known: str


@dataclass(eq=False)
class BadReference(Invalid):
    code = "bad_reference"
    text = "{0.reference!r} does not name a version"
    hint = "write name, name@label or name@7, with the kind in front where it is not clear"
    reference: str


@dataclass(eq=False)
class BadName(Invalid):
    code = "bad_name"
    text = "{0.name!r} cannot be a name"
    hint = "use lower-case letters, digits, '.', '_' and '-', at most 100, starting with a letter or digit"
    name: str


@dataclass(eq=False)
class BadSpec(Invalid):
    code = "bad_spec"
    text = "this is not a {0.kind}: {0.place}: {0.problem}"
    hint = "the fields of each kind are listed in docs/reference/kinds.md"
    kind: str
    place: str
    problem: str


@dataclass(eq=False)
class ArtifactExists(Conflict):
    code = "artifact_exists"
    text = "there is already a {0.kind} {0.name!r}, with another {0.field}"
    hint = "choose another name, or change the one that is there"
    kind: str
    name: str
    field: str


@dataclass(eq=False)
class VersionsKept(Forbidden):
    code = "versions_kept"
    text = "versions of {0.artifact!r} are made by {0.keeper} alone"
    hint = "choose another name; cases of your own that have to stay right go into regressions-NAME"
    artifact: str
    keeper: str


@dataclass(eq=False)
class LabelMoved(Conflict):
    code = "label_moved"
    text = "label {0.label!r} of {0.name!r} was moved by someone else"
    hint = "look at where it points now, and repeat the command if you still want to"
    name: str
    label: str


@dataclass(eq=False)
class CountsAtOnce(Forbidden):
    code = "counts_at_once"
    text = "a new version of {0.artifact!r} counts as soon as it is there, before people look at it"
    hint = "ask somebody who may author; cases for a dataset can be added as candidates"
    artifact: str


@dataclass(eq=False)
class LabelProtected(Forbidden):
    code = "label_protected"
    text = "{0.label!r} of {0.name!r} ({0.criticality}) moves by {0.way} only"
    hint = "open one with `opsroom {0.verb} …`, or roll back to a version that had the label before"
    name: str
    label: str
    criticality: str
    way: str
    verb: str


@dataclass(eq=False)
class NeverLabelled(Conflict):
    code = "never_labelled"
    text = "version {0.number} of {0.name!r} never had the label {0.label!r}"
    hint = "rolling back goes to a version that was there before; open a proposal for another"
    name: str
    label: str
    number: int


@dataclass(eq=False)
class NothingBefore(Conflict):
    code = "nothing_before"
    text = "label {0.label!r} of {0.name!r} has nothing to go back to"
    hint = "name a version that had the label, or open a proposal for one that never had it"
    name: str
    label: str


@dataclass(eq=False)
class ProposalMoved(Conflict):
    code = "proposal_moved"
    text = "proposal {0.proposal_id!r} was changed by someone else"
    hint = "read it again; approvals of the earlier state are void"
    proposal_id: str


@dataclass(eq=False)
class ProposalClosed(Conflict):
    code = "proposal_closed"
    text = "proposal {0.proposal_id!r} is already {0.state}"
    hint = "open a new one"
    proposal_id: str
    state: str


@dataclass(eq=False)
class CommentNotFound(NotFound):
    code = "comment_not_found"
    text = "proposal {0.proposal_id!r} has no comment {0.comment_id!r}"
    hint = "see what was said with `opsroom proposal show`"
    comment_id: str
    proposal_id: str


@dataclass(eq=False)
class CommentMoved(Conflict):
    code = "comment_moved"
    text = "comment {0.comment_id!r} was changed by someone else"
    hint = "look at the proposal again and repeat the command"
    comment_id: str


@dataclass(eq=False)
class CommentOver(Conflict):
    code = "comment_over"
    text = "comment {0.comment_id!r} is {0.state} already"
    hint = "say what else there is to say in another comment"
    comment_id: str
    state: str


@dataclass(eq=False)
class NoSuchLine(Invalid):
    code = "no_such_line"
    text = (
        "proposal {0.proposal_id!r} has no line {0.line} to say that of; its text has {0.lines}"
    )
    hint = "lines count from 1; 0 is the whole, of which nothing can be suggested"
    proposal_id: str
    line: int
    lines: int


@dataclass(eq=False)
class ChecklistWrong(Invalid):
    code = "checklist_wrong"
    text = "the bias checklist of proposal {0.proposal_id!r} cannot be kept: {0.why}"
    hint = "answer each question with yes or no and a sentence of 10 to 500 characters"
    proposal_id: str
    why: str


@dataclass(eq=False)
class TooMuchSaid(Invalid):
    code = "too_much_said"
    text = "{0.what} is too much for proposal {0.proposal_id!r}"
    hint = "say it shorter, or in a document that a comment links to"
    proposal_id: str
    what: str


@dataclass(eq=False)
class SuggestionUnclear(Conflict):
    code = "suggestion_unclear"
    text = (
        "nothing can be put in place of line {0.line!r} of proposal {0.proposal_id!r}: {0.why}"
    )
    hint = "make a version yourself, and move the proposal to it with `opsroom proposal revise`"
    proposal_id: str
    line: str
    why: str


@dataclass(eq=False)
class NoSuchPart(NotFound):
    code = "no_such_part"
    text = "proposal {0.proposal_id!r} has no part {0.part!r} to look at; there is {0.known}"
    hint = "its page names what has to be looked at"
    proposal_id: str
    part: str
    known: str


@dataclass(eq=False)
class NotLookedAt(Conflict):
    code = "not_looked_at"
    text = "you have not looked at everything that proposal {0.proposal_id!r} is decided by: {0.left}"
    hint = "mark each part as viewed on its page; what changes since has to be viewed again"
    proposal_id: str
    left: str


@dataclass(eq=False)
class NotReady(Failed):
    code = "proposal_not_ready"
    text = "proposal {0.proposal_id!r} cannot be merged yet: {0.missing}"
    hint = "its page shows what is missing and who can give it"
    proposal_id: str
    missing: str


@dataclass(eq=False)
class SourceChanged(Conflict):
    code = "source_changed"
    text = "{0.artifact} has version {0.number} from {0.source!r} already, with other content"
    hint = "versions never change; give the new content a source of its own"
    artifact: str
    number: int
    source: str


@dataclass(eq=False)
class RolledBackFrom(Conflict):
    code = "rolled_back_from"
    text = "version {0.number} of {0.name!r} lost the label {0.label!r} by a rollback"
    hint = "propose or release it again; going back there needs what going there needs"
    name: str
    label: str
    number: int


@dataclass(eq=False)
class NoSuchEnvironment(NotFound):
    code = "no_such_environment"
    text = "there is no environment {0.name!r} in this project"
    hint = "`opsroom environment list` shows those there are"
    name: str


@dataclass(eq=False)
class BadEnvironment(Invalid):
    code = "bad_environment"
    text = "the environment {0.name!r} cannot be so: {0.why}"
    hint = "docs/how-to/organisations.md says what an environment can be"
    name: str
    why: str


@dataclass(eq=False)
class OtherEnvironment(Forbidden):
    code = "other_environment"
    text = "this asks for {0.asked!r}, and the token is for {0.environment!r} alone"
    hint = "set OPSROOM_ENVIRONMENT={0.environment}, or use a token of the other environment"
    asked: str
    environment: str


@dataclass(eq=False)
class NotMover(Forbidden):
    code = "not_mover"
    text = "{0.actor!r} has none of the roles that change {0.environment!r}: {0.roles}"
    hint = "ask somebody who has one; `opsroom environment list` shows who may"
    actor: str
    environment: str
    roles: str


@dataclass(eq=False)
class NotBefore(Conflict):
    code = "not_before"
    text = "{0.version} has to be in {0.before!r} before it comes to {0.environment!r}"
    hint = "bring it to {0.before} first; one that was rolled back there does not count"
    version: str
    before: str
    environment: str
